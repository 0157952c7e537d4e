// Command kafkago runs cases on segmentio's kafka-go: its oldest layer, its client, its writer and its reader.
package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"millrace/clients/suite"

	"github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/sasl"
	"github.com/segmentio/kafka-go/sasl/plain"
	"github.com/segmentio/kafka-go/sasl/scram"
)

func main() {
	var cases []suite.Case
	add := func(name string, body func(*suite.Run)) { cases = append(cases, suite.Case{Name: name, Body: body}) }
	for _, codec := range []kafka.Compression{0, kafka.Gzip, kafka.Snappy, kafka.Lz4, kafka.Zstd} {
		name := codec.String()
		if codec == 0 {
			name = "none"
		}
		add("writer and reader, "+name+": records come back as they were", func(r *suite.Run) { roundTrip(r, codec) })
		add("connection, "+name+": records come back as they were", func(r *suite.Run) { overConnection(r, codec) })
	}
	add("connection: topics, offsets and the controller", connection)
	add("reader: begins at a time and at an offset", begins)
	add("writer: a topic that is missing is made", autoCreated)
	for _, balancer := range []kafka.GroupBalancer{kafka.RangeGroupBalancer{}, kafka.RoundRobinGroupBalancer{}} {
		add("group, "+balancer.ProtocolName()+": members join and leave, nothing is missed", func(r *suite.Run) { joinAndLeave(r, balancer) })
	}
	add("group: goes on where the last commit was", goesOn)
	add("client: topics and configurations", topicsAndConfigs)
	add("client: groups and offsets", groupsAndOffsets)
	add("client: a transaction with offsets", transaction)
	for _, mechanism := range []string{"PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"} {
		add("security: "+mechanism+" logs in, and refuses a wrong password", func(r *suite.Run) { login(r, mechanism) })
	}
	add("security: TLS", withTLS)
	suite.Main(cases)
}

func client(r *suite.Run) *kafka.Client {
	return &kafka.Client{Addr: kafka.TCP(r.Seeds()...), Timeout: 10 * time.Second}
}

func topic(r *suite.Run, partitions int, configs ...kafka.ConfigEntry) string {
	name := r.Name("topic")
	created := suite.Must(client(r).CreateTopics(r.Ctx, &kafka.CreateTopicsRequest{Topics: []kafka.TopicConfig{
		{Topic: name, NumPartitions: partitions, ReplicationFactor: 1, ConfigEntries: configs}}}))
	suite.Check(created.Errors[name], "create")
	suite.Until(name+" is known", func() bool {
		metadata, err := client(r).Metadata(r.Ctx, &kafka.MetadataRequest{Topics: []string{name}})
		return err == nil && metadata.Topics[0].Error == nil && len(metadata.Topics[0].Partitions) == partitions
	})
	return name
}

func writer(r *suite.Run, name string) *kafka.Writer {
	w := &kafka.Writer{Addr: kafka.TCP(r.Seeds()...), Topic: name, BatchTimeout: time.Millisecond, RequiredAcks: kafka.RequireAll,
		Balancer: &kafka.RoundRobin{}}
	r.Close(func() { w.Close() })
	return w
}

func reader(r *suite.Run, config kafka.ReaderConfig) *kafka.Reader {
	config.Brokers = r.Seeds()
	config.MaxWait = 100 * time.Millisecond
	reader := kafka.NewReader(config)
	r.Close(func() { reader.Close() })
	return reader
}

func read(r *suite.Run, from *kafka.Reader, count int) []kafka.Message {
	var messages []kafka.Message
	for len(messages) < count {
		messages = append(messages, suite.Must(from.ReadMessage(r.Ctx)))
	}
	return messages
}

func values(messages []kafka.Message) []string {
	var all []string
	for _, message := range messages {
		all = append(all, string(message.Value))
	}
	return all
}

func samples() []kafka.Message {
	var messages []kafka.Message
	for i := range 200 {
		message := kafka.Message{
			Key: fmt.Append(nil, "key-", i), Value: []byte(strings.Repeat(fmt.Sprint(i), 20)),
			Headers: []kafka.Header{{Key: "one", Value: fmt.Append(nil, i)}, {Key: "one", Value: []byte("two")}},
			Time:    time.UnixMilli(1_700_000_000_000 + int64(i)),
		}
		if i%20 == 0 {
			message.Value = nil
		}
		messages = append(messages, message)
	}
	return messages
}

func check(sent, got []kafka.Message) {
	for i, wanted := range sent {
		suite.Equal(string(wanted.Key), string(got[i].Key), "key")
		suite.Equal(string(wanted.Value), string(got[i].Value), "value")
		suite.Equal(wanted.Time.UnixMilli(), got[i].Time.UnixMilli(), "time")
		suite.Equal(fmt.Sprint(wanted.Headers), fmt.Sprint(got[i].Headers), "headers")
	}
}

func roundTrip(r *suite.Run, codec kafka.Compression) {
	name := topic(r, 1)
	w := writer(r, name)
	w.Compression = codec
	sent := samples()
	suite.Check(w.WriteMessages(r.Ctx, sent...), "write")
	check(sent, read(r, reader(r, kafka.ReaderConfig{Topic: name}), len(sent)))
}

func overConnection(r *suite.Run, codec kafka.Compression) {
	name := topic(r, 1)
	conn := suite.Must(kafka.DialLeader(r.Ctx, "tcp", r.Seeds()[0], name, 0))
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(20 * time.Second))
	sent := samples()
	suite.Must(conn.WriteCompressedMessages(codec.Codec(), sent...))
	suite.Must(conn.Seek(0, kafka.SeekStart))
	batch := conn.ReadBatch(1, 10_000_000)
	defer batch.Close()
	var got []kafka.Message
	for len(got) < len(sent) {
		got = append(got, suite.Must(batch.ReadMessage()))
	}
	check(sent, got)
	_, err := batch.ReadMessage()
	suite.That(errors.Is(err, io.EOF), "expected the end of the batch, got %v", err)
}

func connection(r *suite.Run) {
	conn := suite.Must(kafka.DialContext(r.Ctx, "tcp", r.Seeds()[0]))
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(20 * time.Second))
	controller := suite.Must(conn.Controller())
	suite.That(controller.Port > 0, "there is a controller")
	suite.That(len(suite.Must(conn.Brokers())) > 0, "there are brokers")
	suite.That(len(suite.Must(conn.ApiVersions())) > 0, "there are versions")
	name := r.Name("topic")
	suite.Check(conn.CreateTopics(kafka.TopicConfig{Topic: name, NumPartitions: 1, ReplicationFactor: 1}), "create")
	suite.Until("it is there", func() bool { found, err := conn.ReadPartitions(name); return err == nil && len(found) == 1 })
	leader := suite.Must(kafka.DialLeader(r.Ctx, "tcp", r.Seeds()[0], name, 0))
	defer leader.Close()
	suite.Must(leader.WriteMessages(kafka.Message{Value: []byte("1"), Time: time.UnixMilli(1_700_000_000_000)},
		kafka.Message{Value: []byte("2"), Time: time.UnixMilli(1_700_000_001_000)}))
	first, last, err := leader.ReadOffsets()
	suite.Check(err, "offsets")
	suite.Equal([]int64{0, 2}, []int64{first, last}, "offsets")
	suite.Equal(int64(1), suite.Must(leader.ReadOffset(time.UnixMilli(1_700_000_000_500))), "offset at a time")
	suite.Check(conn.DeleteTopics(name), "delete")
}

func begins(r *suite.Run) {
	name := topic(r, 1)
	suite.Check(writer(r, name).WriteMessages(r.Ctx, samples()[1:11]...), "write")
	from := reader(r, kafka.ReaderConfig{Topic: name})
	suite.Check(from.SetOffsetAt(r.Ctx, time.UnixMilli(1_700_000_000_006)), "seek to a time")
	suite.Equal(int64(5), suite.Must(from.ReadMessage(r.Ctx)).Offset, "offset at the time")
	suite.Check(from.SetOffset(8), "seek")
	suite.Equal(int64(8), suite.Must(from.ReadMessage(r.Ctx)).Offset, "offset")
	suite.Equal(int64(1), suite.Must(from.ReadLag(r.Ctx)), "lag")
}

func autoCreated(r *suite.Run) {
	name := r.Name("made")
	w := writer(r, name)
	w.AllowAutoTopicCreation = true
	suite.Until("it is written", func() bool { return w.WriteMessages(r.Ctx, kafka.Message{Value: []byte("first")}) == nil })
	suite.Equal([]string{"first"}, values(read(r, reader(r, kafka.ReaderConfig{Topic: name}), 1)), "values")
}

// begin answers the producer id and the epoch for a transaction, when the coordinator has one to give.
func begin(r *suite.Run, id string) *kafka.ProducerSession {
	var session *kafka.ProducerSession
	suite.Until("a producer id", func() bool {
		initialised, err := client(r).InitProducerID(r.Ctx, &kafka.InitProducerIDRequest{TransactionalID: id, TransactionTimeoutMs: 30_000,
			ProducerID: -1, ProducerEpoch: -1})
		if err != nil || initialised.Error != nil {
			return false
		}
		session = initialised.Producer
		return true
	})
	return session
}

func joinAndLeave(r *suite.Run, balancer kafka.GroupBalancer) {
	name := topic(r, 6)
	group := r.Name("group")
	var lock sync.Mutex
	seen := map[string]bool{}
	count := func() int { lock.Lock(); defer lock.Unlock(); return len(seen) }
	// A reader does not tell what it has; what matters is that all is read.
	join := func() *kafka.Reader {
		member := reader(r, kafka.ReaderConfig{GroupID: group, Topic: name, GroupBalancers: []kafka.GroupBalancer{balancer},
			HeartbeatInterval: 200 * time.Millisecond, SessionTimeout: 6 * time.Second, RebalanceTimeout: 6 * time.Second,
			StartOffset: kafka.FirstOffset, JoinGroupBackoff: 100 * time.Millisecond})
		go func() {
			for {
				message, err := member.ReadMessage(r.Ctx)
				if err != nil {
					return
				}
				lock.Lock()
				seen[fmt.Sprint(message.Partition, "-", message.Offset)] = true
				lock.Unlock()
			}
		}()
		return member
	}
	w := writer(r, name)
	fill := func() { suite.Check(w.WriteMessages(r.Ctx, samples()[:60]...), "write") }
	members := func(count int) {
		suite.Until(fmt.Sprint(count, " members"), func() bool {
			described, err := client(r).DescribeGroups(r.Ctx, &kafka.DescribeGroupsRequest{GroupIDs: []string{group}})
			return err == nil && described.Groups[0].GroupState == "Stable" && len(described.Groups[0].Members) == count
		})
	}
	one := join()
	members(1)
	fill()
	suite.Until("60 records", func() bool { return count() == 60 })
	join()
	members(2)
	fill()
	suite.Until("120 records", func() bool { return count() == 120 })
	suite.Check(one.Close(), "leave")
	members(1)
	fill()
	suite.Until("180 records", func() bool { return count() == 180 })
}

func goesOn(r *suite.Run) {
	name := topic(r, 1)
	group := r.Name("group")
	w := writer(r, name)
	suite.Check(w.WriteMessages(r.Ctx, kafka.Message{Value: []byte("1")}, kafka.Message{Value: []byte("2")}), "write")
	config := kafka.ReaderConfig{GroupID: group, Topic: name, StartOffset: kafka.FirstOffset}
	first := reader(r, config)
	message := suite.Must(first.FetchMessage(r.Ctx))
	suite.Check(first.CommitMessages(r.Ctx, message), "commit")
	suite.Check(first.Close(), "leave")
	suite.Equal([]string{"2"}, values(read(r, reader(r, config), 1)), "what comes after the commit")
}

func topicsAndConfigs(r *suite.Run) {
	name := topic(r, 1, kafka.ConfigEntry{ConfigName: "retention.ms", ConfigValue: "1234"})
	value := func() string {
		described := suite.Must(client(r).DescribeConfigs(r.Ctx, &kafka.DescribeConfigsRequest{Resources: []kafka.DescribeConfigRequestResource{
			{ResourceType: kafka.ResourceTypeTopic, ResourceName: name, ConfigNames: []string{"retention.ms"}}}}))
		return described.Resources[0].ConfigEntries[0].ConfigValue
	}
	suite.Equal("1234", value(), "configuration")
	altered := suite.Must(client(r).IncrementalAlterConfigs(r.Ctx, &kafka.IncrementalAlterConfigsRequest{Resources: []kafka.IncrementalAlterConfigsRequestResource{
		{ResourceType: kafka.ResourceTypeTopic, ResourceName: name, Configs: []kafka.IncrementalAlterConfigsRequestConfig{
			{Name: "retention.ms", Value: "4321", ConfigOperation: kafka.ConfigOperationSet}}}}}))
	suite.Check(altered.Resources[0].Error, "alter")
	suite.Until("it is altered", func() bool { return value() == "4321" })
	grown := suite.Must(client(r).CreatePartitions(r.Ctx, &kafka.CreatePartitionsRequest{Topics: []kafka.TopicPartitionsConfig{{Name: name, Count: 3}}}))
	suite.Check(grown.Errors[name], "grow")
	deleted := suite.Must(client(r).DeleteTopics(r.Ctx, &kafka.DeleteTopicsRequest{Topics: []string{name}}))
	suite.Check(deleted.Errors[name], "delete")
	again := suite.Must(client(r).DeleteTopics(r.Ctx, &kafka.DeleteTopicsRequest{Topics: []string{r.Name("topic")}}))
	for _, err := range again.Errors {
		suite.That(errors.Is(err, kafka.UnknownTopicOrPartition), "expected that it is unknown, got %v", err)
	}
}

func groupsAndOffsets(r *suite.Run) {
	name := topic(r, 1)
	group := r.Name("group")
	suite.Check(writer(r, name).WriteMessages(r.Ctx, samples()[1:11]...), "write")
	cl := client(r)
	committed := suite.Must(cl.OffsetCommit(r.Ctx, &kafka.OffsetCommitRequest{GroupID: group, GenerationID: -1,
		Topics: map[string][]kafka.OffsetCommit{name: {{Partition: 0, Offset: 3, Metadata: "note"}}}}))
	suite.Check(committed.Topics[name][0].Error, "commit")
	fetched := suite.Must(cl.OffsetFetch(r.Ctx, &kafka.OffsetFetchRequest{GroupID: group, Topics: map[string][]int{name: {0}}}))
	suite.Equal("3 note", fmt.Sprint(fetched.Topics[name][0].CommittedOffset, " ", fetched.Topics[name][0].Metadata), "committed")
	unknown := suite.Must(cl.OffsetFetch(r.Ctx, &kafka.OffsetFetchRequest{GroupID: r.Name("group"), Topics: map[string][]int{name: {0}}}))
	suite.Equal(int64(-1), unknown.Topics[name][0].CommittedOffset, "offset of an unknown group")
	listed := suite.Must(cl.ListOffsets(r.Ctx, &kafka.ListOffsetsRequest{Topics: map[string][]kafka.OffsetRequest{
		name: {kafka.FirstOffsetOf(0), kafka.LastOffsetOf(0), kafka.TimeOffsetOf(0, time.UnixMilli(1_700_000_000_004))}}}))
	suite.Equal([]int64{0, 10}, []int64{listed.Topics[name][0].FirstOffset, listed.Topics[name][0].LastOffset}, "offsets")
	found := false
	for _, one := range suite.Must(cl.ListGroups(r.Ctx, &kafka.ListGroupsRequest{})).Groups {
		found = found || one.GroupID == group
	}
	suite.That(found, "the group is listed")
	deleted := suite.Must(cl.OffsetDelete(r.Ctx, &kafka.OffsetDeleteRequest{GroupID: group, Topics: map[string][]int{name: {0}}}))
	suite.Check(deleted.Topics[name][0].Error, "delete an offset")
	// A group without offsets and members is gone by itself, or is there to be deleted.
	gone := suite.Must(cl.DeleteGroups(r.Ctx, &kafka.DeleteGroupsRequest{GroupIDs: []string{group}}))
	suite.That(gone.Errors[group] == nil || errors.Is(gone.Errors[group], kafka.GroupIdNotFound), "delete: %v", gone.Errors[group])
}

func transaction(r *suite.Run) {
	name := topic(r, 1)
	group, id := r.Name("group"), r.Name("tx")
	session := begin(r, id)
	cl := client(r)
	added := suite.Must(cl.AddPartitionsToTxn(r.Ctx, &kafka.AddPartitionsToTxnRequest{TransactionalID: id, ProducerID: session.ProducerID,
		ProducerEpoch: session.ProducerEpoch, Topics: map[string][]kafka.AddPartitionToTxn{name: {{Partition: 0}}}}))
	suite.Check(added.Topics[name][0].Error, "add a partition")
	offsets := suite.Must(cl.AddOffsetsToTxn(r.Ctx, &kafka.AddOffsetsToTxnRequest{TransactionalID: id, ProducerID: session.ProducerID,
		ProducerEpoch: session.ProducerEpoch, GroupID: group}))
	suite.Check(offsets.Error, "add offsets")
	commit := suite.Must(cl.TxnOffsetCommit(r.Ctx, &kafka.TxnOffsetCommitRequest{TransactionalID: id, ProducerID: session.ProducerID,
		ProducerEpoch: session.ProducerEpoch, GroupID: group, GenerationID: -1, Topics: map[string][]kafka.TxnOffsetCommit{name: {{Partition: 0, Offset: 5}}}}))
	suite.Check(commit.Topics[name][0].Error, "commit offsets")
	committed := func() int64 {
		fetched := suite.Must(cl.OffsetFetch(r.Ctx, &kafka.OffsetFetchRequest{GroupID: group, Topics: map[string][]int{name: {0}}}))
		return fetched.Topics[name][0].CommittedOffset
	}
	suite.Equal(int64(-1), committed(), "offset before the commit")
	ended := suite.Must(cl.EndTxn(r.Ctx, &kafka.EndTxnRequest{TransactionalID: id, ProducerID: session.ProducerID,
		ProducerEpoch: session.ProducerEpoch, Committed: true}))
	suite.Check(ended.Error, "end")
	suite.Until("the offset is committed", func() bool { return committed() == 5 })
	successor := begin(r, id)
	suite.That(successor.ProducerEpoch > session.ProducerEpoch || successor.ProducerID != session.ProducerID, "the epoch rises")
	late := suite.Must(cl.EndTxn(r.Ctx, &kafka.EndTxnRequest{TransactionalID: id, ProducerID: session.ProducerID, ProducerEpoch: session.ProducerEpoch, Committed: true}))
	suite.That(late.Error != nil, "a fenced producer is refused")
}

func dialer(r *suite.Run, mechanism sasl.Mechanism, trusting *tls.Config) *kafka.Dialer {
	return &kafka.Dialer{Timeout: 10 * time.Second, SASLMechanism: mechanism, TLS: trusting}
}

func mechanismOf(name, user, password string) sasl.Mechanism {
	switch name {
	case "SCRAM-SHA-256":
		return suite.Must(scram.Mechanism(scram.SHA256, user, password))
	case "SCRAM-SHA-512":
		return suite.Must(scram.Mechanism(scram.SHA512, user, password))
	}
	return plain.Mechanism{Username: user, Password: password}
}

func login(r *suite.Run, mechanism string) {
	if r.Sasl == "" {
		suite.Skip("this broker has no listener with SASL")
	}
	conn := suite.Must(dialer(r, mechanismOf(mechanism, r.User, r.Password), nil).DialContext(r.Ctx, "tcp", r.Sasl))
	suite.Must(conn.Brokers())
	conn.Close()
	_, err := dialer(r, mechanismOf(mechanism, r.User, "wrong"), nil).DialContext(r.Ctx, "tcp", r.Sasl)
	suite.That(err != nil, "a wrong password is refused")
	// The newer layer logs in by itself.
	cl := &kafka.Client{Addr: kafka.TCP(r.Sasl), Transport: &kafka.Transport{SASL: mechanismOf(mechanism, r.User, r.Password)}}
	suite.Must(cl.Metadata(context.Background(), &kafka.MetadataRequest{}))
}

func withTLS(r *suite.Run) {
	conn := suite.Must(dialer(r, nil, r.Authorities()).DialContext(r.Ctx, "tcp", r.TLS))
	suite.Must(conn.Brokers())
	conn.Close()
	_, err := dialer(r, nil, &tls.Config{}).DialContext(r.Ctx, "tcp", r.TLS)
	suite.That(err != nil, "an unknown authority is not trusted")
}
