// Package suite runs cases against a broker, a few at a time, and prints a line for each:
// "PASS name milliseconds", "FAIL name milliseconds: reason" or "SKIP name: reason".
package suite

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"flag"
	"fmt"
	"math/rand"
	"os"
	"reflect"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

const (
	casesAtOnce = 4
	caseTimeout = 60 * time.Second
	patience    = 30 * time.Second
)

// Broker says where the broker under test listens, and how to log in.
type Broker struct {
	Bootstrap, Sasl, TLS, Authority, User, Password string
}

// Seeds are the addresses of the broker's nodes.
func (b Broker) Seeds() []string { return strings.Split(b.Bootstrap, ",") }

// Run is what a case has: the broker, and names of its own.
type Run struct {
	Broker
	Ctx    context.Context
	closes []func()
}

type failure struct{ reason string }
type skip struct{ reason string }

// Case is one case; it fails by calling Fail, Check, Equal or Until.
type Case struct {
	Name string
	Body func(*Run)
}

var (
	names  atomic.Int64
	prefix = fmt.Sprintf("%x", rand.Uint32())
)

// Name answers a name that no other case or run uses.
func (r *Run) Name(base string) string { return fmt.Sprintf("%s-%s-%d", base, prefix, names.Add(1)) }

// Close calls what is given when the case has ended.
func (r *Run) Close(close func()) { r.closes = append(r.closes, close) }

// Fail ends the case.
func Fail(format string, values ...any) { panic(failure{fmt.Sprintf(format, values...)}) }

// Skip ends a case that does not apply here.
func Skip(reason string) { panic(skip{reason}) }

// Check fails unless there is no error.
func Check(err error, what string) {
	if err != nil {
		Fail("%s: %v", what, err)
	}
}

// Must answers the value of a call that has to succeed.
func Must[T any](value T, err error) T {
	if err != nil {
		Fail("%v", err)
	}
	return value
}

// Equal fails unless both are deeply equal.
func Equal(wanted, got any, what string) {
	if !reflect.DeepEqual(wanted, got) {
		Fail("%s: expected %s, got %s", what, shortened(wanted), shortened(got))
	}
}

func shortened(value any) string {
	text := fmt.Sprint(value)
	if len(text) > 300 {
		return text[:300] + "…"
	}
	return text
}

// That fails unless it holds.
func That(holds bool, format string, values ...any) {
	if !holds {
		Fail(format, values...)
	}
}

// Until waits until the condition holds.
func Until(what string, condition func() bool) {
	deadline := time.Now().Add(patience)
	for !condition() {
		if time.Now().After(deadline) {
			Fail("not reached: %s", what)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// Authorities answers the configuration for the broker's listener with TLS.
func (r *Run) Authorities() *tls.Config {
	if r.TLS == "" {
		Skip("this broker has no listener with TLS")
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(Must(os.ReadFile(r.Authority)))
	return &tls.Config{RootCAs: pool}
}

// Main runs the cases whose name contains what -only says.
func Main(cases []Case) {
	var broker Broker
	flag.StringVar(&broker.Bootstrap, "bootstrap", "127.0.0.1:9092", "addresses of the broker")
	flag.StringVar(&broker.Sasl, "sasl", "", "address of a listener with SASL")
	flag.StringVar(&broker.TLS, "tls", "", "address of a listener with TLS")
	flag.StringVar(&broker.Authority, "ca", "", "PEM file of the authority for TLS")
	flag.StringVar(&broker.User, "user", "", "name for SASL")
	flag.StringVar(&broker.Password, "password", "", "password for SASL")
	only := flag.String("only", "", "part of the names of the cases to run")
	flag.Parse()
	var group sync.WaitGroup
	var failed atomic.Bool
	places := make(chan struct{}, casesAtOnce)
	for _, one := range cases {
		if !strings.Contains(one.Name, *only) {
			continue
		}
		group.Add(1)
		go func() {
			defer group.Done()
			places <- struct{}{}
			defer func() { <-places }()
			if !runCase(broker, one) {
				failed.Store(true)
			}
		}()
	}
	group.Wait()
	if failed.Load() {
		os.Exit(1)
	}
}

func runCase(broker Broker, one Case) bool {
	started := time.Now()
	ctx, cancel := context.WithTimeout(context.Background(), caseTimeout)
	defer cancel()
	outcome := make(chan any, 1)
	go func() { outcome <- body(&Run{Broker: broker, Ctx: ctx}, one) }()
	var problem any
	select {
	case problem = <-outcome:
	case <-time.After(caseTimeout + 5*time.Second):
		problem = "not done in time"
	}
	elapsed := time.Since(started).Milliseconds()
	switch problem := problem.(type) {
	case nil:
		fmt.Printf("PASS %s %d\n", one.Name, elapsed)
	case skip:
		fmt.Printf("SKIP %s: %s\n", one.Name, problem.reason)
	default:
		reason := strings.ReplaceAll(fmt.Sprint(problem), "\n", " | ")
		fmt.Printf("FAIL %s %d: %s\n", one.Name, elapsed, reason)
		return false
	}
	return true
}

func body(run *Run, one Case) (problem any) {
	defer func() {
		problem = recover()
		for i := len(run.closes) - 1; i >= 0; i-- {
			run.closes[i]()
		}
	}()
	one.Body(run)
	return nil
}
