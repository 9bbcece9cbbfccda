package nats_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	natsgo "github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"ken/corpora/source/nats"
)

// broker is a NATS server with an empty stream DOCS, and what publishes to it.
func broker(t *testing.T) (url string, publish func(text string)) {
	t.Helper()
	return guarded(t, server.Options{})
}

// guarded is a broker that wants what its options say, as the client's do.
func guarded(t *testing.T, o server.Options, client ...natsgo.Option) (url string, publish func(text string)) {
	t.Helper()
	o.Host, o.Port, o.JetStream, o.StoreDir, o.NoLog, o.NoSigs = "127.0.0.1", -1, true, filepath.Join(t.TempDir(), "js"), true, true
	s, err := server.NewServer(&o)
	if err != nil {
		t.Fatal(err)
	}
	s.Start()
	t.Cleanup(func() { s.Shutdown(); s.WaitForShutdown() })
	if !s.ReadyForConnections(30 * time.Second) {
		t.Fatal("the broker does not start")
	}
	conn, err := natsgo.Connect(s.ClientURL(), client...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(conn.Close)
	js, err := jetstream.New(conn)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := js.CreateStream(t.Context(), jetstream.StreamConfig{Name: "DOCS", Subjects: []string{"docs.>"}}); err != nil {
		t.Fatal(err)
	}
	return s.ClientURL(), func(text string) {
		if _, err := js.Publish(t.Context(), "docs.a", []byte(text)); err != nil {
			t.Fatal(err)
		}
	}
}

// follow takes messages until n are there or one fails.
func follow(t *testing.T, url string, n int, take func(text string) error) ([]string, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var got []string
	err := nats.Follow(ctx, nats.Options{URL: url, Stream: "DOCS", Durable: "ken-test"}, func(m []byte, place string) error {
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
	url, publish := broker(t)
	for i := range 40 {
		publish(fmt.Sprint(i))
	}
	all := func(string) error { return nil }
	got, err := follow(t, url, 40, all)
	if !errors.Is(err, context.Canceled) || len(got) != 40 || got[0] != "DOCS:1 0" || got[39] != "DOCS:40 39" {
		t.Fatalf("%v, %v", got, err)
	}
	// What was acknowledged does not come again; what could not be kept does.
	publish("refused")
	publish("last")
	full := errors.New("no space left")
	before, err := follow(t, url, -1, func(text string) error {
		if text == "refused" {
			return full
		}
		return nil
	})
	if !errors.Is(err, full) || len(before) != 0 {
		t.Fatalf("%v, %v", before, err)
	}
	after, err := follow(t, url, 2, all)
	slices.Sort(after)
	if !errors.Is(err, context.Canceled) || !slices.Equal(after, []string{"DOCS:41 refused", "DOCS:42 last"}) {
		t.Fatalf("%v, %v", after, err)
	}
}

// A broker that speaks TLS and wants to know who asks.
func TestSignIn(t *testing.T) {
	host := httptest.NewTLSServer(nil) // for its certificate
	defer host.Close()
	trusted := x509.NewCertPool()
	trusted.AddCert(host.Certificate())
	trust, certificate := &tls.Config{RootCAs: trusted}, &tls.Config{Certificates: host.TLS.Certificates}
	users, publish := guarded(t, server.Options{TLS: true, TLSConfig: certificate, Username: "ken", Password: "plain"},
		natsgo.Secure(trust), natsgo.UserInfo("ken", "plain"))
	publish("text")
	tokens, publish := guarded(t, server.Options{TLS: true, TLSConfig: certificate, Authorization: "a token"}, natsgo.Secure(trust), natsgo.Token("a token"))
	publish("text")
	for _, tt := range []struct {
		name    string
		options nats.Options
		refused bool
	}{
		{"user", nats.Options{URL: users, TLS: trust, User: "ken", Secret: "plain"}, false},
		{"token", nats.Options{URL: tokens, TLS: trust, Secret: "a token"}, false},
		{"another password", nats.Options{URL: users, TLS: trust, User: "ken", Secret: "nialp"}, true},
		{"another token", nats.Options{URL: tokens, TLS: trust, Secret: "nialp"}, true},
		{"no password", nats.Options{URL: users, TLS: trust}, true},
		{"an unknown authority", nats.Options{URL: users, TLS: &tls.Config{}, User: "ken", Secret: "plain"}, true},
		{"another server's certificate", nats.Options{URL: users, TLS: &tls.Config{RootCAs: trusted, ServerName: "broker.example.org"}, User: "ken", Secret: "plain"}, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			tt.options.Stream, tt.options.Durable = "DOCS", "ken-test"
			n := 0
			err := nats.Follow(ctx, tt.options, func([]byte, string) error { n++; cancel(); return nil })
			if err == nil || n != map[bool]int{false: 1}[tt.refused] || errors.Is(err, context.Canceled) == tt.refused || strings.Contains(err.Error(), "nialp") {
				t.Errorf("%d messages, %v; want them refused: %v", n, err, tt.refused)
			}
		})
	}
}

func TestFollowFails(t *testing.T) {
	url, _ := broker(t)
	for name, o := range map[string]nats.Options{
		"no stream":         {URL: url, Durable: "d"},
		"no consumer":       {URL: url, Stream: "DOCS"},
		"an unknown stream": {URL: url, Stream: "OTHER", Durable: "d"},
		"nobody there":      {URL: "nats://127.0.0.1:1", Stream: "DOCS", Durable: "d"},
	} {
		if err := nats.Follow(t.Context(), o, nil); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
