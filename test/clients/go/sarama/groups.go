package main

import (
	"context"
	"fmt"
	"sync"

	"millrace/clients/suite"

	"github.com/IBM/sarama"
)

// member reads in a group and remembers what it has read, and what it has.
type member struct {
	group  sarama.ConsumerGroup
	cancel context.CancelFunc
	lock   sync.Mutex
	held   []int32
	seen   map[string]bool
	ended  chan struct{}
}

func (m *member) Setup(session sarama.ConsumerGroupSession) error {
	m.lock.Lock()
	defer m.lock.Unlock()
	m.held = nil
	for _, partitions := range session.Claims() {
		m.held = append(m.held, partitions...)
	}
	return nil
}

func (m *member) Cleanup(sarama.ConsumerGroupSession) error {
	m.lock.Lock()
	defer m.lock.Unlock()
	m.held = nil
	return nil
}

func (m *member) ConsumeClaim(session sarama.ConsumerGroupSession, claim sarama.ConsumerGroupClaim) error {
	for message := range claim.Messages() {
		m.lock.Lock()
		m.seen[fmt.Sprint(message.Partition, "-", message.Offset)] = true
		m.lock.Unlock()
		session.MarkMessage(message, "")
	}
	return nil
}

func join(r *suite.Run, release sarama.KafkaVersion, strategy sarama.BalanceStrategy, group, name string) *member {
	c := config(release)
	c.Consumer.Group.Rebalance.GroupStrategies = []sarama.BalanceStrategy{strategy}
	c.Consumer.Group.Session.Timeout = c.Consumer.Group.Heartbeat.Interval * 30
	ctx, cancel := context.WithCancel(r.Ctx)
	m := &member{group: suite.Must(sarama.NewConsumerGroup(r.Seeds(), group, c)), cancel: cancel, seen: map[string]bool{}, ended: make(chan struct{})}
	go func() {
		defer close(m.ended)
		for ctx.Err() == nil {
			m.group.Consume(ctx, []string{name}, m)
		}
		m.group.Close()
	}()
	r.Close(m.leave)
	return m
}

func (m *member) leave() {
	m.cancel()
	<-m.ended
}

func untilShared(partitions int, members ...*member) {
	suite.Until(fmt.Sprint(len(members), " members share"), func() bool {
		all := map[int32]bool{}
		sum := 0
		for _, m := range members {
			m.lock.Lock()
			for _, partition := range m.held {
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

func joinAndLeave(r *suite.Run, release sarama.KafkaVersion, strategy sarama.BalanceStrategy) {
	name := topic(r, 6)
	group := r.Name("group")
	producer := suite.Must(sarama.NewSyncProducer(r.Seeds(), config(release)))
	r.Close(func() { producer.Close() })
	fill := func() {
		for i := range 60 {
			_, _, err := producer.SendMessage(&sarama.ProducerMessage{Topic: name, Key: sarama.StringEncoder(fmt.Sprint(i)), Value: sarama.StringEncoder("value")})
			suite.Check(err, "send")
		}
	}
	one := join(r, release, strategy, group, name)
	untilShared(6, one)
	two := join(r, release, strategy, group, name)
	untilShared(6, one, two)
	fill()
	suite.Until("60 records", func() bool { return distinct(one, two) == 60 })
	one.leave()
	untilShared(6, two)
	fill()
	suite.Until("120 records", func() bool { return distinct(one, two) == 120 })
}
