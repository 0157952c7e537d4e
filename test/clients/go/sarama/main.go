// Command sarama runs cases on IBM's sarama, as a client of several releases of Kafka.
package main

import (
	"crypto/sha256"
	"crypto/sha512"
	"crypto/tls"
	"fmt"
	"io"
	"log"
	"strings"
	"time"

	"millrace/clients/suite"

	"github.com/IBM/sarama"
)

// The releases that sarama is told the broker is of: it sends the versions of that time.
var releases = []sarama.KafkaVersion{sarama.V1_0_0_0, sarama.V1_1_0_0, sarama.V2_1_0_0, sarama.V2_5_0_0, sarama.V2_8_0_0, sarama.V3_6_0_0, sarama.MaxVersion}

func main() {
	sarama.Logger = log.New(io.Discard, "", 0)
	var cases []suite.Case
	add := func(name string, body func(*suite.Run)) { cases = append(cases, suite.Case{Name: name, Body: body}) }
	for _, release := range releases {
		as := "as " + release.String() + ": "
		for _, codec := range []sarama.CompressionCodec{sarama.CompressionNone, sarama.CompressionGZIP, sarama.CompressionSnappy,
			sarama.CompressionLZ4, sarama.CompressionZSTD} {
			if codec == sarama.CompressionZSTD && !release.IsAtLeast(sarama.V2_1_0_0) {
				continue
			}
			add(as+"records, "+codec.String()+", come back as they were", func(r *suite.Run) { roundTrip(r, release, codec) })
		}
		for _, strategy := range []sarama.BalanceStrategy{sarama.NewBalanceStrategyRange(), sarama.NewBalanceStrategyRoundRobin(),
			sarama.NewBalanceStrategySticky()} {
			add(as+"group, "+strategy.Name()+": members join and leave, nothing is missed", func(r *suite.Run) {
				joinAndLeave(r, release, strategy)
			})
		}
		add(as+"transactions: committed, aborted and with offsets", func(r *suite.Run) { transactions(r, release) })
		// Kafka 4 refuses the versions that older ones ask for here.
		if release.IsAtLeast(sarama.V2_1_0_0) {
			add(as+"administration", func(r *suite.Run) { administration(r, release) })
		}
	}
	for _, mechanism := range []sarama.SASLMechanism{sarama.SASLTypePlaintext, sarama.SASLTypeSCRAMSHA256, sarama.SASLTypeSCRAMSHA512} {
		add("security: "+string(mechanism)+" logs in, and refuses a wrong password", func(r *suite.Run) { login(r, mechanism) })
	}
	add("security: TLS", withTLS)
	suite.Main(cases)
}

func config(release sarama.KafkaVersion) *sarama.Config {
	c := sarama.NewConfig()
	c.Version = release
	c.Producer.Return.Successes = true
	c.Producer.Return.Errors = true
	c.Consumer.Offsets.Initial = sarama.OffsetOldest
	c.Consumer.Group.Heartbeat.Interval = 200 * time.Millisecond
	c.Consumer.Group.Rebalance.Retry.Backoff = 100 * time.Millisecond
	c.Consumer.MaxWaitTime = 100 * time.Millisecond
	c.Metadata.Retry.Backoff = 50 * time.Millisecond
	return c
}

func topic(r *suite.Run, partitions int32) string {
	admin := suite.Must(sarama.NewClusterAdmin(r.Seeds(), config(sarama.V2_8_0_0)))
	defer admin.Close()
	name := r.Name("topic")
	suite.Check(admin.CreateTopic(name, &sarama.TopicDetail{NumPartitions: partitions, ReplicationFactor: 1}, false), "create")
	suite.Until(name+" is known", func() bool {
		described, err := admin.DescribeTopics([]string{name})
		return err == nil && described[0].Err == sarama.ErrNoError && len(described[0].Partitions) == int(partitions)
	})
	return name
}

func roundTrip(r *suite.Run, release sarama.KafkaVersion, codec sarama.CompressionCodec) {
	name := topic(r, 2)
	c := config(release)
	c.Producer.Compression = codec
	c.Producer.Idempotent = true
	c.Producer.RequiredAcks = sarama.WaitForAll
	c.Net.MaxOpenRequests = 1
	producer := suite.Must(sarama.NewSyncProducer(r.Seeds(), c))
	r.Close(func() { producer.Close() })
	var messages []*sarama.ProducerMessage
	for i := range 200 {
		message := &sarama.ProducerMessage{
			Topic: name, Key: sarama.StringEncoder(fmt.Sprint("key-", i)), Value: sarama.StringEncoder(strings.Repeat(fmt.Sprint(i), 20)),
			Headers:   []sarama.RecordHeader{{Key: []byte("one"), Value: []byte(fmt.Sprint(i))}},
			Timestamp: time.UnixMilli(1_700_000_000_000 + int64(i)),
		}
		if i%20 == 0 {
			message.Value = nil
		}
		messages = append(messages, message)
	}
	suite.Check(producer.SendMessages(messages), "send")
	read := map[string]*sarama.ConsumerMessage{}
	for _, message := range consume(r, release, name, 2, len(messages)) {
		read[string(message.Key)] = message
	}
	for _, sent := range messages {
		key, _ := sent.Key.Encode()
		got := read[string(key)]
		suite.That(got != nil, "%s is there", key)
		var value []byte
		if sent.Value != nil {
			value, _ = sent.Value.Encode()
		}
		suite.Equal(value, got.Value, "value")
		suite.Equal(sent.Timestamp.UnixMilli(), got.Timestamp.UnixMilli(), "time")
		suite.Equal(string(sent.Headers[0].Value), string(got.Headers[0].Value), "header")
		suite.Equal([]int64{sent.Offset, int64(sent.Partition)}, []int64{got.Offset, int64(got.Partition)}, "place")
	}
}

// consume reads so many records of all partitions, from their beginning.
func consume(r *suite.Run, release sarama.KafkaVersion, name string, partitions int32, count int) []*sarama.ConsumerMessage {
	c := config(release)
	c.Consumer.IsolationLevel = sarama.ReadCommitted
	consumer := suite.Must(sarama.NewConsumer(r.Seeds(), c))
	defer consumer.Close()
	all := make(chan *sarama.ConsumerMessage)
	for partition := range partitions {
		reader := suite.Must(consumer.ConsumePartition(name, partition, sarama.OffsetOldest))
		defer reader.AsyncClose()
		go func() {
			for message := range reader.Messages() {
				select {
				case all <- message:
				case <-r.Ctx.Done():
				}
			}
		}()
	}
	var messages []*sarama.ConsumerMessage
	for len(messages) < count {
		select {
		case message := <-all:
			messages = append(messages, message)
		case <-r.Ctx.Done():
			suite.Fail("%d of %d records were read", len(messages), count)
		}
	}
	go func() {
		for range all {
		}
	}()
	return messages
}

func transactions(r *suite.Run, release sarama.KafkaVersion) {
	name := topic(r, 1)
	group := r.Name("group")
	c := config(release)
	c.Producer.Idempotent = true
	c.Producer.RequiredAcks = sarama.WaitForAll
	c.Producer.Transaction.ID = r.Name("tx")
	c.Net.MaxOpenRequests = 1
	producer := suite.Must(sarama.NewSyncProducer(r.Seeds(), c))
	r.Close(func() { producer.Close() })
	var expected []string
	for i := range 6 {
		suite.Check(producer.BeginTxn(), "begin")
		_, _, err := producer.SendMessage(&sarama.ProducerMessage{Topic: name, Value: sarama.StringEncoder(fmt.Sprint("value-", i))})
		suite.Check(err, "send")
		offsets := map[string][]*sarama.PartitionOffsetMetadata{name: {{Partition: 0, Offset: int64(i)}}}
		suite.Check(producer.AddOffsetsToTxn(offsets, group), "offsets")
		if i%3 == 2 {
			suite.Check(producer.AbortTxn(), "abort")
			continue
		}
		suite.Check(producer.CommitTxn(), "commit")
		expected = append(expected, fmt.Sprint("value-", i))
	}
	var values []string
	for _, message := range consume(r, release, name, 1, len(expected)) {
		values = append(values, string(message.Value))
	}
	suite.Equal(expected, values, "committed values")
	admin := suite.Must(sarama.NewClusterAdmin(r.Seeds(), config(release)))
	defer admin.Close()
	// The commit is answered before its markers are written.
	suite.Until("the offset of the last commit", func() bool {
		fetched := suite.Must(admin.ListConsumerGroupOffsets(group, map[string][]int32{name: {0}}))
		return fetched.GetBlock(name, 0).Offset == 4
	})
}

func administration(r *suite.Run, release sarama.KafkaVersion) {
	admin := suite.Must(sarama.NewClusterAdmin(r.Seeds(), config(release)))
	defer admin.Close()
	name := topic(r, 1)
	suite.Check(admin.CreatePartitions(name, 3, nil, false), "grow")
	suite.Until("3 partitions", func() bool {
		return len(suite.Must(admin.DescribeTopics([]string{name}))[0].Partitions) == 3
	})
	retention := "4321"
	suite.Check(admin.AlterConfig(sarama.TopicResource, name, map[string]*string{"retention.ms": &retention}, false), "alter")
	suite.Until("it is altered", func() bool {
		for _, entry := range suite.Must(admin.DescribeConfig(sarama.ConfigResource{Type: sarama.TopicResource, Name: name})) {
			if entry.Name == "retention.ms" {
				return entry.Value == retention
			}
		}
		return false
	})
	suite.That(suite.Must(admin.ListTopics())[name].NumPartitions == 3, "it is listed")
	group := r.Name("group")
	if release.IsAtLeast(sarama.V2_4_0_0) {
		_, err := admin.AlterConsumerGroupOffsets(group, map[string]map[int32]sarama.OffsetAndMetadata{name: {0: {Offset: 0}}}, nil)
		suite.Check(err, "offsets")
		suite.Check(admin.DeleteConsumerGroupOffset(group, name, 0), "delete an offset")
		if release.IsAtLeast(sarama.V2_7_0_0) {
			suite.Must(admin.DescribeUserScramCredentials(nil))
		}
	}
	brokers, _, err := admin.DescribeCluster()
	suite.Check(err, "cluster")
	suite.That(len(brokers) > 0, "there are brokers")
	suite.Must(admin.DescribeLogDirs([]int32{brokers[0].ID()}))
	suite.Check(admin.DeleteTopic(name), "delete")
	suite.Until("it is gone", func() bool { _, there := suite.Must(admin.ListTopics())[name]; return !there })
}

func secured(r *suite.Run, mechanism sarama.SASLMechanism, password string) *sarama.Config {
	c := config(sarama.V2_8_0_0)
	c.Net.SASL.Enable = true
	c.Net.SASL.Mechanism = mechanism
	c.Net.SASL.User, c.Net.SASL.Password = r.User, password
	switch mechanism {
	case sarama.SASLTypeSCRAMSHA256:
		c.Net.SASL.SCRAMClientGeneratorFunc = func() sarama.SCRAMClient { return &scramClient{hash: sha256.New} }
	case sarama.SASLTypeSCRAMSHA512:
		c.Net.SASL.SCRAMClientGeneratorFunc = func() sarama.SCRAMClient { return &scramClient{hash: sha512.New} }
	}
	return c
}

func login(r *suite.Run, mechanism sarama.SASLMechanism) {
	if r.Sasl == "" {
		suite.Skip("this broker has no listener with SASL")
	}
	good := suite.Must(sarama.NewClient([]string{r.Sasl}, secured(r, mechanism, r.Password)))
	defer good.Close()
	suite.Check(good.RefreshMetadata(), "metadata")
	_, err := sarama.NewClient([]string{r.Sasl}, secured(r, mechanism, "wrong"))
	suite.That(err != nil, "a wrong password is refused")
}

func withTLS(r *suite.Run) {
	c := config(sarama.V2_8_0_0)
	c.Net.TLS.Enable = true
	c.Net.TLS.Config = r.Authorities()
	cl := suite.Must(sarama.NewClient([]string{r.TLS}, c))
	defer cl.Close()
	suite.Check(cl.RefreshMetadata(), "metadata")
	c.Net.TLS.Config = &tls.Config{}
	_, err := sarama.NewClient([]string{r.TLS}, c)
	suite.That(err != nil, "an unknown authority is not trusted")
}
