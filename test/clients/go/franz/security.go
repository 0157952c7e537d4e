package main

import (
	"crypto/tls"
	"strings"

	"millrace/clients/suite"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/sasl"
	"github.com/twmb/franz-go/pkg/sasl/plain"
	"github.com/twmb/franz-go/pkg/sasl/scram"
)

func securityCases() []suite.Case {
	mechanisms := map[string]func(user, password string) sasl.Mechanism{
		"PLAIN": func(user, password string) sasl.Mechanism {
			return plain.Auth{User: user, Pass: password}.AsMechanism()
		},
		"SCRAM-SHA-256": func(user, password string) sasl.Mechanism {
			return scram.Auth{User: user, Pass: password}.AsSha256Mechanism()
		},
		"SCRAM-SHA-512": func(user, password string) sasl.Mechanism {
			return scram.Auth{User: user, Pass: password}.AsSha512Mechanism()
		},
	}
	var cases []suite.Case
	for name, mechanism := range mechanisms {
		cases = append(cases, suite.Case{Name: "security: " + name + " logs in, and refuses a wrong password", Body: func(r *suite.Run) {
			if r.Sasl == "" {
				suite.Skip("this broker has no listener with SASL")
			}
			good := suite.Must(kgo.NewClient(kgo.SeedBrokers(r.Sasl), kgo.SASL(mechanism(r.User, r.Password))))
			defer good.Close()
			suite.Check(good.Ping(r.Ctx), "ping")
			bad := suite.Must(kgo.NewClient(kgo.SeedBrokers(r.Sasl), kgo.SASL(mechanism(r.User, "wrong"))))
			defer bad.Close()
			err := bad.Ping(r.Ctx)
			suite.That(err != nil && strings.Contains(err.Error(), "SASL_AUTHENTICATION_FAILED"), "expected a refusal, got %v", err)
		}})
	}
	return append(cases, suite.Case{Name: "security: TLS", Body: func(r *suite.Run) {
		trusting := suite.Must(kgo.NewClient(kgo.SeedBrokers(r.TLS), kgo.DialTLSConfig(r.Authorities())))
		defer trusting.Close()
		suite.Check(trusting.Ping(r.Ctx), "ping")
		strange := suite.Must(kgo.NewClient(kgo.SeedBrokers(r.TLS), kgo.DialTLSConfig(&tls.Config{}), kgo.RequestRetries(0)))
		defer strange.Close()
		suite.That(strange.Ping(r.Ctx) != nil, "an unknown authority is not trusted")
	}})
}
