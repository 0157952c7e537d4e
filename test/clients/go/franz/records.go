package main

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"millrace/clients/suite"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kversion"
)

func recordCases() []suite.Case {
	codecs := map[string]kgo.CompressionCodec{
		"none": kgo.NoCompression(), "gzip": kgo.GzipCompression(), "snappy": kgo.SnappyCompression(),
		"lz4": kgo.Lz4Compression(), "zstd": kgo.ZstdCompression(),
	}
	var cases []suite.Case
	for name, codec := range codecs {
		cases = append(cases, suite.Case{Name: "records, " + name + ": keys, values, headers and times come back", Body: func(r *suite.Run) {
			roundTrip(r, kgo.ProducerBatchCompression(codec))
		}})
	}
	return append(cases,
		suite.Case{Name: "records: without idempotence, with acks of the leader and with none", Body: acks},
		suite.Case{Name: "records: reading begins at a time, at an offset, at the end", Body: begins},
		suite.Case{Name: "records: one that is too large is refused, the next ones are written", Body: tooLarge},
		suite.Case{Name: "records: a topic that is asked for is made", Body: autoCreated},
		suite.Case{Name: "records: a topic that is deleted and made again is read from its beginning", Body: recreated},
		suite.Case{Name: "records: a pattern reads topics that come later", Body: pattern},
	)
}

func roundTrip(r *suite.Run, options ...kgo.Opt) {
	name := topic(r, 3)
	producer := client(r, append(options, kgo.DefaultProduceTopic(name))...)
	sent := map[string]*kgo.Record{}
	var records []*kgo.Record
	for i := range 300 {
		record := &kgo.Record{
			Key: fmt.Appendf(nil, "key-%d", i), Value: []byte(strings.Repeat(fmt.Sprint(i), 20)),
			Timestamp: time.UnixMilli(1_700_000_000_000 + int64(i)),
			Headers:   []kgo.RecordHeader{{Key: "one", Value: []byte("1")}, {Key: "none"}, {Key: "one", Value: []byte("2")}},
		}
		if i%20 == 0 {
			record.Value = nil
		}
		sent[string(record.Key)] = record
		records = append(records, record)
	}
	write(r, producer, records...)
	for _, got := range read(r, client(r, kgo.ConsumeTopics(name)), len(sent)) {
		wanted := sent[string(got.Key)]
		suite.Equal(wanted.Value, got.Value, "value")
		suite.Equal(wanted.Timestamp.UnixMilli(), got.Timestamp.UnixMilli(), "time")
		suite.Equal(fmt.Sprint(wanted.Headers), fmt.Sprint(got.Headers), "headers")
		suite.Equal([]int64{wanted.Offset, int64(wanted.Partition)}, []int64{got.Offset, int64(got.Partition)}, "place")
	}
}

func acks(r *suite.Run) {
	for _, kind := range []kgo.Acks{kgo.NoAck(), kgo.LeaderAck(), kgo.AllISRAcks()} {
		name := topic(r, 1)
		producer := client(r, kgo.RequiredAcks(kind), kgo.DisableIdempotentWrite(), kgo.DefaultProduceTopic(name))
		for i := range 20 {
			write(r, producer, kgo.StringRecord(fmt.Sprint(i)))
		}
		got := values(read(r, client(r, kgo.ConsumeTopics(name)), 20))
		suite.Equal("0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19", strings.Join(got, " "), "values")
	}
}

func begins(r *suite.Run) {
	name := topic(r, 1)
	producer := client(r, kgo.DefaultProduceTopic(name))
	for i := range 10 {
		write(r, producer, &kgo.Record{Value: fmt.Append(nil, i), Timestamp: time.UnixMilli(1_700_000_000_000 + int64(i)*1000)})
	}
	from := func(offset kgo.Offset, count int) []string {
		consumer := client(r, kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{name: {0: offset}}))
		return values(read(r, consumer, count))
	}
	suite.Equal([]string{"4", "5", "6", "7", "8", "9"}, from(kgo.NewOffset().AfterMilli(1_700_000_003_001), 6), "from a time")
	suite.Equal([]string{"8", "9"}, from(kgo.NewOffset().At(8), 2), "from an offset")
	suite.Equal([]string{"7", "8", "9"}, from(kgo.NewOffset().AtEnd().Relative(-3), 3), "from before the end")
	// An offset that is not there any more falls back to the beginning.
	suite.Must(admin(r).DeleteRecords(r.Ctx, kadm.Offsets{name: {0: kadm.Offset{Topic: name, At: 6}}}))
	suite.Equal([]string{"6", "7", "8", "9"}, from(kgo.NewOffset().At(2), 4), "from an offset that is gone")
}

func tooLarge(r *suite.Run) {
	name := topic(r, 1, "max.message.bytes", "2000")
	producer := client(r, kgo.DefaultProduceTopic(name), kgo.ProducerBatchCompression(kgo.NoCompression()))
	write(r, producer, kgo.StringRecord("small"))
	err := producer.ProduceSync(r.Ctx, kgo.StringRecord(strings.Repeat("x", 5000))).FirstErr()
	suite.That(err != nil && strings.Contains(err.Error(), "MESSAGE_TOO_LARGE"), "expected MESSAGE_TOO_LARGE, got %v", err)
	write(r, producer, kgo.StringRecord("small too"))
	suite.Equal([]string{"small", "small too"}, values(read(r, client(r, kgo.ConsumeTopics(name)), 2)), "values")
}

func autoCreated(r *suite.Run) {
	name := r.Name("made")
	write(r, client(r, kgo.AllowAutoTopicCreation()), &kgo.Record{Topic: name, Value: []byte("first")})
	suite.Equal([]string{"first"}, values(read(r, client(r, kgo.ConsumeTopics(name)), 1)), "values")
}

func recreated(r *suite.Run) {
	name := topic(r, 1)
	adm := admin(r)
	consumer := client(r, kgo.ConsumeTopics(name), kgo.MetadataMinAge(100*time.Millisecond), kgo.MetadataMaxAge(500*time.Millisecond))
	write(r, client(r), &kgo.Record{Topic: name, Value: []byte("old")}, &kgo.Record{Topic: name, Value: []byte("old")})
	read(r, consumer, 2)
	suite.Must(adm.DeleteTopic(r.Ctx, name))
	suite.Until("it is made again", func() bool {
		_, err := adm.CreateTopic(r.Ctx, 1, -1, nil, name)
		return err == nil
	})
	write(r, client(r), &kgo.Record{Topic: name, Value: []byte("new")})
	// The client is told that the old one is gone, and leaves the rest to its user.
	suite.Until("it is told", func() bool {
		err := consumer.PollFetches(r.Ctx).Err()
		return errors.Is(err, kerr.UnknownTopicID) || errors.Is(err, kerr.UnknownTopicOrPartition)
	})
	consumer.PurgeTopicsFromConsuming(name)
	consumer.AddConsumeTopics(name)
	suite.Equal([]string{"new"}, values(read(r, consumer, 1)), "values")
}

func pattern(r *suite.Run) {
	base := r.Name("pattern")
	adm := admin(r)
	suite.Must(adm.CreateTopic(r.Ctx, 1, -1, nil, base+"-a"))
	consumer := client(r, kgo.ConsumeRegex(), kgo.ConsumeTopics("^"+base+"-.*"), kgo.MetadataMinAge(100*time.Millisecond),
		kgo.MetadataMaxAge(300*time.Millisecond))
	producer := client(r)
	write(r, producer, &kgo.Record{Topic: base + "-a", Value: []byte("1")})
	read(r, consumer, 1)
	suite.Must(adm.CreateTopic(r.Ctx, 1, -1, nil, base+"-b"))
	write(r, producer, &kgo.Record{Topic: base + "-b", Value: []byte("2")})
	suite.Equal(base+"-b", read(r, consumer, 1)[0].Topic, "topic")
}

// versionCases make the client one of each release of Kafka: what it sends then are the versions of that time.
func versionCases() []suite.Case {
	releases := map[string]*kversion.Versions{
		"1.0": kversion.V1_0_0(), "1.1": kversion.V1_1_0(), "2.0": kversion.V2_0_0(), "2.1": kversion.V2_1_0(),
		"2.2": kversion.V2_2_0(), "2.3": kversion.V2_3_0(), "2.4": kversion.V2_4_0(), "2.5": kversion.V2_5_0(),
		"2.6": kversion.V2_6_0(), "2.7": kversion.V2_7_0(), "2.8": kversion.V2_8_0(), "3.0": kversion.V3_0_0(),
		"3.1": kversion.V3_1_0(), "3.3": kversion.V3_3_0(), "3.5": kversion.V3_5_0(), "3.7": kversion.V3_7_0(),
		"3.8": kversion.V3_8_0(), "4.0": kversion.V4_0_0(), "4.2": kversion.V4_2_0(), "4.4": kversion.V4_4_0(),
	}
	var cases []suite.Case
	for name, release := range releases {
		cases = append(cases, suite.Case{Name: "versions of Kafka " + name + ": records, a group and a transaction", Body: func(r *suite.Run) {
			ofRelease(r, release)
		}})
	}
	return cases
}

func ofRelease(r *suite.Run, release *kversion.Versions) {
	name := topic(r, 2)
	group := r.Name("group")
	limit := kgo.MaxVersions(release)
	producer := client(r, limit, kgo.TransactionalID(r.Name("tx")), kgo.DefaultProduceTopic(name))
	for _, commit := range []kgo.TransactionEndTry{kgo.TryCommit, kgo.TryAbort, kgo.TryCommit} {
		suite.Check(producer.BeginTransaction(), "begin")
		for i := range 20 {
			write(r, producer, kgo.StringRecord(fmt.Sprint(commit, i)))
		}
		suite.Check(producer.EndTransaction(r.Ctx, commit), "end")
	}
	consumer := client(r, limit, kgo.ConsumerGroup(group), kgo.ConsumeTopics(name), kgo.FetchIsolationLevel(kgo.ReadCommitted()),
		kgo.DisableAutoCommit())
	for _, value := range values(read(r, consumer, 40)) {
		suite.That(strings.HasPrefix(value, fmt.Sprint(kgo.TryCommit)), "%s was aborted", value)
	}
	suite.Check(consumer.CommitUncommittedOffsets(r.Ctx), "commit")
	consumer.LeaveGroup()
	again := client(r, limit, kgo.ConsumerGroup(group), kgo.ConsumeTopics(name), kgo.DisableAutoCommit())
	write(r, client(r, limit), &kgo.Record{Topic: name, Value: []byte("behind")})
	suite.Equal([]string{"behind"}, values(read(r, again, 1)), "what comes after the commit")
}
