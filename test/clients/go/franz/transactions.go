package main

import (
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"millrace/clients/suite"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

func transactionCases() []suite.Case {
	cases := []suite.Case{
		{Name: "transaction: readers see what was committed, not what was aborted", Body: commitAndAbort},
		{Name: "transaction: a fenced producer is told so", Body: fenced},
		{Name: "transaction: one that takes too long is aborted", Body: timedOut},
	}
	for name, options := range groupKinds {
		if name == "range" || name == "cooperative-sticky" || name == "consumer protocol" {
			cases = append(cases, suite.Case{Name: "exactly once, " + name + ": while members join and leave", Body: func(r *suite.Run) {
				exactlyOnce(r, options)
			}})
		}
	}
	return cases
}

func commitAndAbort(r *suite.Run) {
	name := topic(r, 1)
	producer := client(r, kgo.TransactionalID(r.Name("tx")), kgo.DefaultProduceTopic(name))
	var expected []string
	for i := range 12 {
		suite.Check(producer.BeginTransaction(), "begin")
		write(r, producer, kgo.StringRecord(fmt.Sprint("value-", i)))
		if i%3 == 1 {
			suite.Check(producer.EndTransaction(r.Ctx, kgo.TryAbort), "abort")
		} else {
			suite.Check(producer.EndTransaction(r.Ctx, kgo.TryCommit), "commit")
			expected = append(expected, fmt.Sprint("value-", i))
		}
	}
	committed := client(r, kgo.ConsumeTopics(name), kgo.FetchIsolationLevel(kgo.ReadCommitted()))
	suite.Equal(expected, values(read(r, committed, len(expected))), "committed values")
	suite.Equal(12, len(read(r, client(r, kgo.ConsumeTopics(name)), 12)), "all values")
}

func fenced(r *suite.Run) {
	name := topic(r, 1)
	id := r.Name("tx")
	first := client(r, kgo.TransactionalID(id), kgo.DefaultProduceTopic(name))
	suite.Check(first.BeginTransaction(), "begin")
	write(r, first, kgo.StringRecord("of the first"))
	second := client(r, kgo.TransactionalID(id), kgo.DefaultProduceTopic(name))
	suite.Check(second.BeginTransaction(), "begin")
	write(r, second, kgo.StringRecord("of the second"))
	err := first.ProduceSync(r.Ctx, kgo.StringRecord("of a zombie")).FirstErr()
	suite.That(errors.Is(err, kerr.InvalidProducerEpoch) || errors.Is(err, kerr.ProducerFenced), "expected to be fenced, got %v", err)
	suite.Check(second.EndTransaction(r.Ctx, kgo.TryCommit), "commit")
	committed := client(r, kgo.ConsumeTopics(name), kgo.FetchIsolationLevel(kgo.ReadCommitted()))
	suite.Equal([]string{"of the second"}, values(read(r, committed, 1)), "committed values")
}

func timedOut(r *suite.Run) {
	name := topic(r, 1)
	producer := client(r, kgo.TransactionalID(r.Name("tx")), kgo.DefaultProduceTopic(name), kgo.TransactionTimeout(time.Second))
	suite.Check(producer.BeginTransaction(), "begin")
	write(r, producer, kgo.StringRecord("too late"))
	write(r, client(r), &kgo.Record{Topic: name, Value: []byte("plain")})
	// It can be read when the transaction before it has ended.
	committed := client(r, kgo.ConsumeTopics(name), kgo.FetchIsolationLevel(kgo.ReadCommitted()))
	suite.Equal([]string{"plain"}, values(read(r, committed, 1)), "committed values")
	suite.That(producer.EndTransaction(r.Ctx, kgo.TryCommit) != nil, "the commit comes too late")
}

// exactlyOnce copies a topic with workers that come and go; every record is copied once.
func exactlyOnce(r *suite.Run, options []kgo.Opt) {
	const count = 600
	input, output := topic(r, 4), topic(r, 4)
	group := r.Name("group")
	var copied atomic.Int64
	worker := func(until func() bool) chan struct{} {
		ended := make(chan struct{})
		session := suite.Must(kgo.NewGroupTransactSession(append([]kgo.Opt{
			kgo.SeedBrokers(r.Seeds()...), kgo.TransactionalID(r.Name("tx")), kgo.ConsumerGroup(group), kgo.ConsumeTopics(input),
			kgo.FetchIsolationLevel(kgo.ReadCommitted()), kgo.RequireStableFetchOffsets(), kgo.HeartbeatInterval(200 * time.Millisecond),
		}, options...)...))
		go func() {
			defer close(ended)
			defer session.Close()
			for !until() && r.Ctx.Err() == nil {
				fetches := session.PollRecords(r.Ctx, 20)
				if session.Begin() != nil {
					return
				}
				fetches.EachRecord(func(record *kgo.Record) {
					session.Produce(r.Ctx, &kgo.Record{Topic: output, Key: record.Key, Value: record.Value}, nil)
				})
				if committed, err := session.End(r.Ctx, kgo.TryCommit); err != nil {
					return
				} else if committed {
					copied.Add(int64(fetches.NumRecords()))
				}
			}
		}()
		return ended
	}
	first := worker(func() bool { return copied.Load() >= count/3 })
	go worker(func() bool { return copied.Load() >= count })
	producer := client(r, kgo.DefaultProduceTopic(input))
	for i := range count {
		write(r, producer, kgo.KeyStringRecord(fmt.Sprint(i), fmt.Sprint(i)))
	}
	<-first
	go worker(func() bool { return copied.Load() >= count })
	committed := client(r, kgo.ConsumeTopics(output), kgo.FetchIsolationLevel(kgo.ReadCommitted()))
	seen := map[string]int{}
	for _, value := range values(read(r, committed, count)) {
		seen[value]++
	}
	suite.Equal(count, len(seen), "different records")
}
