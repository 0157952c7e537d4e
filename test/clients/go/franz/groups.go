package main

import (
	"context"
	"fmt"
	"sync"
	"time"

	"millrace/clients/suite"

	"github.com/twmb/franz-go/pkg/kgo"
)

var groupKinds = map[string][]kgo.Opt{
	"range":                    {kgo.Balancers(kgo.RangeBalancer())},
	"round robin":              {kgo.Balancers(kgo.RoundRobinBalancer())},
	"sticky":                   {kgo.Balancers(kgo.StickyBalancer())},
	"cooperative-sticky":       {kgo.Balancers(kgo.CooperativeStickyBalancer())},
	"consumer protocol":        {kgo.Balancers(kgo.StickyBalancer()), kgo.ServerSideBalancer()},
	"consumer protocol, range": {kgo.Balancers(kgo.RangeBalancer()), kgo.ServerSideBalancer()},
}

func groupCases() []suite.Case {
	var cases []suite.Case
	for name, options := range groupKinds {
		cases = append(cases, suite.Case{Name: "group, " + name + ": members join and leave, nothing is missed", Body: func(r *suite.Run) {
			joinAndLeave(r, options)
		}})
	}
	return append(cases, suite.Case{Name: "group: a static member that returns has its partitions back", Body: static})
}

// member reads in a group and remembers what it has read, and what it has.
type member struct {
	cl    *kgo.Client
	lock  sync.Mutex
	held  map[int32]bool
	seen  map[string]bool
	ended chan struct{}
}

func join(r *suite.Run, group, name string, options ...kgo.Opt) *member {
	m := &member{held: map[int32]bool{}, seen: map[string]bool{}, ended: make(chan struct{})}
	change := func(to bool) func(context.Context, *kgo.Client, map[string][]int32) {
		return func(_ context.Context, _ *kgo.Client, partitions map[string][]int32) {
			m.lock.Lock()
			defer m.lock.Unlock()
			for _, partition := range partitions[name] {
				if to {
					m.held[partition] = true
				} else {
					delete(m.held, partition)
				}
			}
		}
	}
	m.cl = client(r, append(options, kgo.ConsumerGroup(group), kgo.ConsumeTopics(name), kgo.AutoCommitMarks(),
		kgo.AutoCommitInterval(100*time.Millisecond), kgo.SessionTimeout(6*time.Second), kgo.HeartbeatInterval(200*time.Millisecond),
		kgo.OnPartitionsAssigned(change(true)), kgo.OnPartitionsRevoked(change(false)), kgo.OnPartitionsLost(change(false)))...)
	go func() {
		defer close(m.ended)
		for {
			fetches := m.cl.PollFetches(r.Ctx)
			if fetches.IsClientClosed() || r.Ctx.Err() != nil {
				return
			}
			m.lock.Lock()
			for _, record := range fetches.Records() {
				m.seen[fmt.Sprint(record.Partition, "-", record.Offset)] = true
			}
			m.lock.Unlock()
			m.cl.MarkCommitRecords(fetches.Records()...)
		}
	}()
	return m
}

func (m *member) leave() {
	m.cl.Close()
	<-m.ended
}

func untilShared(partitions int, members ...*member) {
	suite.Until(fmt.Sprint(len(members), " members share"), func() bool {
		all := map[int32]bool{}
		sum := 0
		for _, m := range members {
			m.lock.Lock()
			for partition := range m.held {
				all[partition] = true
			}
			sum += len(m.held)
			empty := len(m.held) == 0
			m.lock.Unlock()
			if empty {
				return false
			}
		}
		return sum == partitions && len(all) == partitions
	})
}

func distinct(members ...*member) int {
	all := map[string]bool{}
	for _, m := range members {
		m.lock.Lock()
		for place := range m.seen {
			all[place] = true
		}
		m.lock.Unlock()
	}
	return len(all)
}

func joinAndLeave(r *suite.Run, options []kgo.Opt) {
	name := topic(r, 6)
	group := r.Name("group")
	producer := client(r, kgo.DefaultProduceTopic(name))
	fill := func(count int) {
		for i := range count {
			write(r, producer, kgo.KeyStringRecord(fmt.Sprint(i), fmt.Sprint(i)))
		}
	}
	one := join(r, group, name, options...)
	untilShared(6, one)
	two := join(r, group, name, options...)
	untilShared(6, one, two)
	fill(60)
	suite.Until("60 records", func() bool { return distinct(one, two) == 60 })
	three := join(r, group, name, options...)
	untilShared(6, one, two, three)
	one.leave()
	untilShared(6, two, three)
	fill(60)
	suite.Until("120 records", func() bool { return distinct(one, two, three) == 120 })
}

func static(r *suite.Run) {
	name := topic(r, 4)
	group := r.Name("group")
	one := join(r, group, name, kgo.InstanceID("one"))
	two := join(r, group, name, kgo.InstanceID("two"))
	untilShared(4, one, two)
	held := func(m *member) string {
		m.lock.Lock()
		defer m.lock.Unlock()
		return fmt.Sprint(m.held)
	}
	before, others := held(two), held(one)
	two.leave()
	returned := join(r, group, name, kgo.InstanceID("two"))
	untilShared(4, one, returned)
	suite.Equal(before, held(returned), "partitions of the member that returned")
	suite.Equal(others, held(one), "partitions of the other one")
}
