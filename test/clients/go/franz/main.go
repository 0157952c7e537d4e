// Command franz runs cases on franz-go's clients: kgo and kadm.
package main

import (
	"millrace/clients/suite"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

func main() {
	var cases []suite.Case
	for _, some := range [][]suite.Case{recordCases(), versionCases(), groupCases(), transactionCases(), adminCases(), securityCases()} {
		cases = append(cases, some...)
	}
	suite.Main(cases)
}

func client(r *suite.Run, options ...kgo.Opt) *kgo.Client {
	all := append([]kgo.Opt{kgo.SeedBrokers(r.Seeds()...)}, options...)
	cl := suite.Must(kgo.NewClient(all...))
	r.Close(cl.Close)
	return cl
}

func admin(r *suite.Run) *kadm.Client { return kadm.NewClient(client(r)) }

func text(value string) *string { return &value }

// topic creates a topic; configurations are given as name, value, name, value…
func topic(r *suite.Run, partitions int32, configs ...string) string {
	given := map[string]*string{}
	for i := 0; i < len(configs); i += 2 {
		given[configs[i]] = text(configs[i+1])
	}
	name := r.Name("topic")
	adm := admin(r)
	suite.Must(adm.CreateTopic(r.Ctx, partitions, -1, given, name))
	suite.Until(name+" is known", func() bool {
		listed, err := adm.ListTopics(r.Ctx, name)
		return err == nil && listed.TopicsSet()[name] != nil && listed[name].Err == nil
	})
	return name
}

// write writes records and waits until they are there.
func write(r *suite.Run, cl *kgo.Client, records ...*kgo.Record) {
	suite.Check(cl.ProduceSync(r.Ctx, records...).FirstErr(), "produce")
}

// read polls until so many records have come.
func read(r *suite.Run, cl *kgo.Client, count int) []*kgo.Record {
	var records []*kgo.Record
	for len(records) < count {
		fetches := cl.PollFetches(r.Ctx)
		suite.Check(fetches.Err0(), "poll")
		for _, failed := range fetches.Errors() {
			suite.Fail("fetch of %s-%d: %v", failed.Topic, failed.Partition, failed.Err)
		}
		records = append(records, fetches.Records()...)
	}
	return records
}

func values(records []*kgo.Record) []string {
	var all []string
	for _, record := range records {
		all = append(all, string(record.Value))
	}
	return all
}
