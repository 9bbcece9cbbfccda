package kafka_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/sasl/plain"

	"ken/corpora/source/kafka"
)

// broker is a cluster with a topic docs, and what produces to it.
func broker(t *testing.T) (addresses []string, produce func(text string)) {
	t.Helper()
	c, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(1, "docs"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	client, err := kgo.NewClient(kgo.SeedBrokers(c.ListenAddrs()...))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return c.ListenAddrs(), func(text string) {
		if err := client.ProduceSync(t.Context(), &kgo.Record{Topic: "docs", Value: []byte(text)}).FirstErr(); err != nil {
			t.Fatal(err)
		}
	}
}

// follow takes records until n are there or one fails.
func follow(t *testing.T, addresses []string, n int, take func(text string) error) ([]string, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var got []string
	err := kafka.Follow(ctx, kafka.Options{Brokers: addresses, Topic: "docs", Group: "ken-test"}, func(m []byte, place string) error {
		if err := take(string(m)); err != nil {
			return err
		}
		if got = append(got, place+" "+string(m)); len(got) == n {
			cancel()
		}
		return nil
	})
	return got, err
}

func TestFollow(t *testing.T) {
	addresses, produce := broker(t)
	for i := range 100 {
		produce(fmt.Sprint(i))
	}
	all := func(string) error { return nil }
	got, err := follow(t, addresses, 100, all)
	if !errors.Is(err, context.Canceled) || len(got) != 100 || got[0] != "docs:0:0 0" || got[99] != "docs:0:99 99" {
		t.Fatalf("%v, %v", got, err)
	}
	// What was committed does not come again; what could not be kept does.
	produce("kept")
	produce("refused")
	full := errors.New("no space left")
	before, err := follow(t, addresses, -1, func(text string) error {
		if text == "refused" {
			return full
		}
		return nil
	})
	if !errors.Is(err, full) || !slices.Equal(before, []string{"docs:0:100 kept"}) {
		t.Fatalf("%v, %v", before, err)
	}
	after, err := follow(t, addresses, 1, all)
	if !errors.Is(err, context.Canceled) || !slices.Equal(after, []string{"docs:0:101 refused"}) {
		t.Fatalf("%v, %v", after, err)
	}
}

// A cluster that speaks TLS and wants to know who asks.
func TestSignIn(t *testing.T) {
	host := httptest.NewTLSServer(nil) // for its certificate
	defer host.Close()
	trusted := x509.NewCertPool()
	trusted.AddCert(host.Certificate())
	c, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(1, "docs"), kfake.TLS(&tls.Config{Certificates: host.TLS.Certificates}), kfake.EnableSASL(),
		kfake.Superuser("PLAIN", "ken", "plain"), kfake.Superuser("SCRAM-SHA-256", "ken", "of 256"), kfake.Superuser("SCRAM-SHA-512", "ken", "of 512"))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	trust := &tls.Config{RootCAs: trusted}
	client, err := kgo.NewClient(kgo.SeedBrokers(c.ListenAddrs()...), kgo.DialTLSConfig(trust), kgo.SASL(plain.Auth{User: "ken", Pass: "plain"}.AsMechanism()))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	if err := client.ProduceSync(t.Context(), &kgo.Record{Topic: "docs", Value: []byte("text")}).FirstErr(); err != nil {
		t.Fatal(err)
	}
	for i, tt := range []struct {
		name    string
		options kafka.Options
		refused bool
	}{
		{"plain", kafka.Options{TLS: trust, User: "ken", Secret: "plain"}, false},
		{"256", kafka.Options{TLS: trust, User: "ken", Secret: "of 256", SASL: "scram-sha-256"}, false},
		{"512", kafka.Options{TLS: trust, User: "ken", Secret: "of 512", SASL: "scram-sha-512"}, false},
		{"another password", kafka.Options{TLS: trust, User: "ken", Secret: "nialp"}, true},
		{"another password of 512", kafka.Options{TLS: trust, User: "ken", Secret: "nialp", SASL: "scram-sha-512"}, true},
		{"no password", kafka.Options{TLS: trust}, true},
		{"an unknown authority", kafka.Options{TLS: &tls.Config{}, User: "ken", Secret: "plain"}, true},
		{"another server's certificate", kafka.Options{TLS: &tls.Config{RootCAs: trusted, ServerName: "broker.example.org"}, User: "ken", Secret: "plain"}, true},
		{"in the clear", kafka.Options{User: "ken", Secret: "plain"}, true},
		{"an unknown mechanism", kafka.Options{TLS: trust, User: "ken", Secret: "plain", SASL: "OTP"}, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			tt.options.Brokers, tt.options.Topic, tt.options.Group = c.ListenAddrs(), "docs", fmt.Sprint("ken-", i)
			n := 0
			err := kafka.Follow(ctx, tt.options, func([]byte, string) error { n++; cancel(); return nil })
			if err == nil || n != map[bool]int{false: 1}[tt.refused] || errors.Is(err, context.Canceled) == tt.refused || ctx.Err() == context.DeadlineExceeded || strings.Contains(err.Error(), "nialp") {
				t.Errorf("%d records, %v; want them refused: %v", n, err, tt.refused)
			}
		})
	}
}

func TestFollowRefuses(t *testing.T) {
	for name, o := range map[string]kafka.Options{
		"no brokers": {Topic: "docs", Group: "g"},
		"no topic":   {Brokers: []string{"127.0.0.1:1"}, Group: "g"},
		"no group":   {Brokers: []string{"127.0.0.1:1"}, Topic: "docs"},
	} {
		if err := kafka.Follow(t.Context(), o, nil); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
