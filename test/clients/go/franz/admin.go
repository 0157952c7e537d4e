package main

import (
	"errors"
	"fmt"
	"time"

	"millrace/clients/suite"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

func adminCases() []suite.Case {
	return []suite.Case{
		{Name: "admin: topics are created, grown, listed, described and deleted", Body: topics},
		{Name: "admin: configurations are set, appended to and deleted", Body: configs},
		{Name: "admin: offsets by every kind of time, deleted records", Body: offsets},
		{Name: "admin: groups, their offsets and their lag", Body: groups},
		{Name: "admin: brokers, features and log folders", Body: brokers},
		{Name: "admin: quotas and SCRAM users", Body: users},
		{Name: "admin: transactions and producers", Body: transactions},
		{Name: "admin: elections and reassignments of one replica", Body: replicas},
	}
}

func topics(r *suite.Run) {
	adm := admin(r)
	name := topic(r, 3, "retention.ms", "5000")
	listed := suite.Must(adm.ListTopics(r.Ctx, name))
	suite.Equal(3, len(listed[name].Partitions), "partitions")
	suite.Must(adm.UpdatePartitions(r.Ctx, 5, name))
	suite.Until("5 partitions", func() bool { return len(suite.Must(adm.ListTopics(r.Ctx, name))[name].Partitions) == 5 })
	_, err := adm.CreateTopic(r.Ctx, 1, -1, nil, name)
	suite.That(errors.Is(err, kerr.TopicAlreadyExists), "expected that it exists, got %v", err)
	_, err = adm.CreateTopic(r.Ctx, 1, 99, nil, r.Name("topic"))
	suite.That(errors.Is(err, kerr.InvalidReplicationFactor), "expected a wrong replication factor, got %v", err)
	suite.Must(adm.ValidateCreateTopics(r.Ctx, 1, -1, nil, r.Name("topic")))
	suite.Must(adm.DeleteTopic(r.Ctx, name))
	suite.Until("it is gone", func() bool { return !suite.Must(adm.ListTopics(r.Ctx)).Has(name) })
}

func configs(r *suite.Run) {
	adm := admin(r)
	name := topic(r, 1)
	value := func(key string) string {
		described := suite.Must(suite.Must(adm.DescribeTopicConfigs(r.Ctx, name)).On(name, nil))
		for _, config := range described.Configs {
			if config.Key == key {
				return config.MaybeValue()
			}
		}
		return "?"
	}
	alter := func(op kadm.IncrementalOp, key, value string) {
		change := []kadm.AlterConfig{{Op: op, Name: key, Value: &value}}
		changed := suite.Must(adm.AlterTopicConfigs(r.Ctx, change, name))
		suite.Check(suite.Must(changed.On(name, nil)).Err, key)
	}
	alter(kadm.SetConfig, "retention.ms", "1234")
	alter(kadm.AppendConfig, "cleanup.policy", "compact")
	suite.Until("it is set", func() bool { return value("retention.ms") == "1234" && value("cleanup.policy") == "delete,compact" })
	alter(kadm.DeleteConfig, "retention.ms", "")
	alter(kadm.SubtractConfig, "cleanup.policy", "delete")
	suite.Until("it is gone", func() bool { return value("retention.ms") == "604800000" && value("cleanup.policy") == "compact" })
	suite.That(len(suite.Must(adm.DescribeBrokerConfigs(r.Ctx, suite.Must(adm.ListBrokers(r.Ctx)).NodeIDs()...))) > 0, "brokers")
	suite.Must(adm.ListConfigResources(r.Ctx))
}

func offsets(r *suite.Run) {
	adm := admin(r)
	name := topic(r, 1)
	producer := client(r, kgo.DefaultProduceTopic(name))
	for i := range 10 {
		write(r, producer, &kgo.Record{Value: []byte("x"), Timestamp: time.UnixMilli(1_700_000_000_000 + int64(i)*10)})
	}
	suite.Must(adm.DeleteRecords(r.Ctx, kadm.Offsets{name: {0: {Topic: name, At: 3}}}))
	at := func(listed kadm.ListedOffsets, err error) int64 {
		suite.Check(err, "list offsets")
		found, _ := listed.Lookup(name, 0)
		suite.Check(found.Err, "list offsets")
		return found.Offset
	}
	suite.Equal(int64(3), at(adm.ListStartOffsets(r.Ctx, name)), "start")
	suite.Equal(int64(10), at(adm.ListEndOffsets(r.Ctx, name)), "end")
	suite.Equal(int64(10), at(adm.ListCommittedOffsets(r.Ctx, name)), "committed")
	suite.Equal(int64(9), at(adm.ListMaxTimestampOffsets(r.Ctx, name)), "latest time")
	suite.Equal(int64(3), at(adm.ListLocalLogStartOffsets(r.Ctx, name)), "local start")
	suite.Equal(int64(5), at(adm.ListOffsetsAfterMilli(r.Ctx, 1_700_000_000_041, name)), "after a time")
	suite.Equal(int64(10), at(adm.ListOffsetsAfterMilli(r.Ctx, 1_800_000_000_000, name)), "after all times")
}

func groups(r *suite.Run) {
	adm := admin(r)
	name := topic(r, 2)
	group := r.Name("group")
	producer := client(r, kgo.DefaultProduceTopic(name), kgo.RecordPartitioner(kgo.ManualPartitioner()))
	for i := range 20 {
		write(r, producer, &kgo.Record{Partition: int32(i % 2), Value: []byte("x")})
	}
	suite.Check(adm.CommitAllOffsets(r.Ctx, group, kadm.Offsets{name: {0: {Topic: name, At: 4, Metadata: "note"}, 1: {Topic: name, Partition: 1, At: 10}}}), "commit")
	fetched := suite.Must(adm.FetchOffsets(r.Ctx, group))
	committed, _ := fetched.Lookup(name, 0)
	suite.Equal("4 note", fmt.Sprint(committed.At, " ", committed.Metadata), "committed")
	lags := suite.Must(adm.Lag(r.Ctx, group))
	suite.Equal(int64(6), lags[group].Lag.Total(), "lag")
	suite.That(suite.Must(adm.ListGroups(r.Ctx))[group].Group == group, "it is listed")
	suite.Equal(0, len(suite.Must(adm.FetchOffsets(r.Ctx, r.Name("group")))), "offsets of an unknown group")
	for kind, options := range map[string][]kgo.Opt{"classic": {}, "consumer": {kgo.Balancers(kgo.StickyBalancer()), kgo.ServerSideBalancer()}} {
		working := r.Name("group")
		m := join(r, working, name, options...)
		untilShared(2, m)
		listed := suite.Must(adm.ListGroupsByType(r.Ctx, []string{kind}))
		suite.Equal("Stable", listed[working].State, "state")
		if kind == "classic" {
			suite.Equal(1, len(suite.Must(adm.DescribeGroups(r.Ctx, working))[working].Members), "members")
		} else {
			suite.Equal(1, len(suite.Must(adm.DescribeConsumerGroups(r.Ctx, working))[working].Members), "members")
		}
		_, err := adm.DeleteGroup(r.Ctx, working)
		suite.That(errors.Is(err, kerr.NonEmptyGroup), "expected NON_EMPTY_GROUP, got %v", err)
		m.leave()
	}
	suite.Must(adm.DeleteOffsets(r.Ctx, group, kadm.TopicsSet{name: {0: {}}}))
	suite.Equal(1, len(suite.Must(adm.FetchOffsets(r.Ctx, group))[name]), "offsets left")
	suite.Must(adm.DeleteGroup(r.Ctx, group))
}

func brokers(r *suite.Run) {
	adm := admin(r)
	suite.That(len(suite.Must(adm.ListBrokers(r.Ctx))) > 0, "there are brokers")
	suite.Must(adm.ApiVersions(r.Ctx)).Each(func(versions kadm.BrokerApiVersions) { suite.Check(versions.Err, "versions") })
	name := topic(r, 2)
	suite.Until("2 partitions in folders", func() bool {
		described := suite.Must(adm.DescribeAllLogDirs(r.Ctx, kadm.TopicsSet{name: {0: {}, 1: {}}}))
		count := 0
		described.Each(func(folder kadm.DescribedLogDir) {
			suite.Check(folder.Err, "folder")
			count += len(folder.Topics[name])
		})
		return count == 2
	})
	epochs := suite.Must(adm.OffsetForLeaderEpoch(r.Ctx, kadm.OffsetForLeaderEpochRequest{name: {0: 0}}))
	suite.Check(epochs[name][0].Err, "epoch")
}

func users(r *suite.Run) {
	adm := admin(r)
	user := r.Name("user")
	upsert := kadm.UpsertSCRAM{User: user, Mechanism: kadm.ScramSha256, Iterations: 4096, Password: "secret"}
	altered := suite.Must(adm.AlterUserSCRAMs(r.Ctx, nil, []kadm.UpsertSCRAM{upsert}))
	suite.Check(altered[user].Err, "upsert")
	suite.Until("it is described", func() bool {
		described := suite.Must(adm.DescribeUserSCRAMs(r.Ctx, user))
		return len(described[user].CredInfos) == 1 && described[user].CredInfos[0].Iterations == 4096
	})
	entity := kadm.ClientQuotaEntity{{Type: "user", Name: &user}}
	changed := suite.Must(adm.AlterClientQuotas(r.Ctx, []kadm.AlterClientQuotaEntry{{Entity: entity,
		Ops: []kadm.AlterClientQuotaOp{{Key: "producer_byte_rate", Value: 1024}}}}))
	suite.Check(changed[0].Err, "quota")
	suite.Until("the quota is described", func() bool {
		described := suite.Must(adm.DescribeClientQuotas(r.Ctx, true, []kadm.DescribeClientQuotaComponent{{Type: "user", MatchName: &user}}))
		return len(described) == 1 && described[0].Values[0].Value == 1024
	})
}

func transactions(r *suite.Run) {
	adm := admin(r)
	name := topic(r, 1)
	id := r.Name("tx")
	producer := client(r, kgo.TransactionalID(id), kgo.DefaultProduceTopic(name))
	suite.Check(producer.BeginTransaction(), "begin")
	write(r, producer, kgo.StringRecord("value"))
	suite.Equal("Ongoing", suite.Must(adm.DescribeTransactions(r.Ctx, id))[id].State, "state")
	listed := suite.Must(adm.ListTransactions(r.Ctx, nil, []string{"Ongoing"}))
	suite.Equal(id, listed[id].TxnID, "listed")
	active := suite.Must(adm.DescribeProducers(r.Ctx, kadm.TopicsSet{name: {0: {}}}))
	suite.Equal(1, len(active[name].Partitions[0].ActiveProducers), "producers")
	suite.Check(producer.EndTransaction(r.Ctx, kgo.TryCommit), "commit")
	suite.Until("it is complete", func() bool {
		return suite.Must(adm.DescribeTransactions(r.Ctx, id))[id].State == "CompleteCommit"
	})
}

func replicas(r *suite.Run) {
	adm := admin(r)
	name := topic(r, 1)
	elected := suite.Must(adm.ElectLeaders(r.Ctx, kadm.ElectPreferredReplica, kadm.TopicsSet{name: {0: {}}}))
	suite.That(errors.Is(elected[name][0].Err, kerr.ElectionNotNeeded), "expected ELECTION_NOT_NEEDED, got %v", elected[name][0].Err)
	var request kadm.AlterPartitionAssignmentsReq
	request.Assign(name, 0, suite.Must(adm.ListTopics(r.Ctx, name))[name].Partitions[0].Replicas)
	suite.Check(suite.Must(adm.AlterPartitionAssignments(r.Ctx, request)).Error(), "reassign")
	suite.Equal(0, len(suite.Must(adm.ListPartitionReassignments(r.Ctx, kadm.TopicsSet{name: {0: {}}}))), "under way")
}
