package rabbitmq_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"ken/corpora/source/rabbitmq"
)

// broker is the address of a real one.
func broker(t *testing.T) string {
	t.Helper()
	address, ok := strings.CutPrefix(os.Getenv("KEN_TEST_RABBITMQ"), "rabbitmq://")
	if !ok {
		if os.Getenv("CI") != "" {
			t.Fatal("KEN_TEST_RABBITMQ names no server: run .ci/services")
		}
		t.Skip("SKIPPED: KEN_TEST_RABBITMQ names no server; eval \"$(.ci/services)\" starts one")
	}
	return address
}

// queue is a new queue of the broker.
type queue struct {
	t    *testing.T
	name string
	ch   *amqp.Channel
}

func newQueue(t *testing.T, address string, args amqp.Table) queue {
	t.Helper()
	conn, err := amqp.Dial("amqp://guest:guest@" + address)
	if err != nil {
		t.Fatal(err)
	}
	ch, err := conn.Channel()
	if err != nil {
		t.Fatal(err)
	}
	q := queue{t, fmt.Sprintf("docs_%d", time.Now().UnixNano()), ch}
	if _, err := ch.QueueDeclare(q.name, true, false, false, false, args); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_, err := ch.QueueDelete(q.name, false, false, false)
		if err := errors.Join(err, conn.Close()); err != nil {
			t.Error(err)
		}
	})
	return q
}

func (q queue) publish(texts ...string) {
	q.t.Helper()
	if err := q.ch.Confirm(false); err != nil {
		q.t.Fatal(err)
	}
	for _, text := range texts {
		sent, err := q.ch.PublishWithDeferredConfirm("", q.name, true, false, amqp.Publishing{DeliveryMode: amqp.Persistent, Body: []byte(text)})
		if err != nil || !sent.Wait() {
			q.t.Fatal(err)
		}
	}
}

// ready is how many messages the broker holds back.
func (q queue) ready() int {
	q.t.Helper()
	s, err := q.ch.QueueDeclarePassive(q.name, true, false, false, false, nil)
	if err != nil {
		q.t.Fatal(err)
	}
	return s.Messages
}

// follow takes messages until n are there or something fails.
func follow(t *testing.T, o rabbitmq.Options, n int, take func(text string) error) ([]string, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var got []string
	err := rabbitmq.Follow(ctx, o, func(m []byte, _ string) error {
		if err := take(string(m)); err != nil {
			return err
		}
		if got = append(got, string(m)); len(got) == n {
			cancel()
		}
		return nil
	})
	return got, err
}

func all(string) error { return nil }

func numbers(n int) []string {
	out := make([]string, n)
	for i := range out {
		out[i] = fmt.Sprint(i)
	}
	return out
}

func TestFollow(t *testing.T) {
	for kind, args := range map[string]amqp.Table{"classic": nil, "quorum": {"x-queue-type": "quorum"}} {
		t.Run(kind, func(t *testing.T) {
			q := newQueue(t, broker(t), args)
			o := rabbitmq.Options{Address: broker(t), Queue: q.name, Name: "ken-test"}
			q.publish(numbers(100)...)
			got, err := follow(t, o, 100, all)
			if !errors.Is(err, context.Canceled) || !slices.Equal(got, numbers(100)) {
				t.Fatalf("%v, %v", got, err)
			}
			// What was acknowledged does not come again; what could not be kept does.
			q.publish("kept", "refused", "last")
			full := errors.New("no space left")
			before, err := follow(t, o, -1, func(text string) error {
				if text == "refused" {
					return full
				}
				return nil
			})
			if !errors.Is(err, full) || !slices.Equal(before, []string{"kept"}) {
				t.Fatalf("%v, %v", before, err)
			}
			after, err := follow(t, o, 2, all)
			if slices.Sort(after); !errors.Is(err, context.Canceled) || !slices.Equal(after, []string{"last", "refused"}) {
				t.Fatalf("%v, %v", after, err)
			}
		})
	}
}

// A stream keeps its messages: each follower has all of them, also those from
// before it came.
func TestFollowStream(t *testing.T) {
	q := newQueue(t, broker(t), amqp.Table{"x-queue-type": "stream"})
	q.publish(numbers(50)...)
	for range 2 {
		got, err := follow(t, rabbitmq.Options{Address: broker(t), Queue: q.name}, 50, all)
		if !errors.Is(err, context.Canceled) || !slices.Equal(got, numbers(50)) {
			t.Fatalf("%v, %v", got, err)
		}
	}
}

// While a message is worked on, the broker holds what goes beyond a few.
func TestBackPressure(t *testing.T) {
	q := newQueue(t, broker(t), nil)
	q.publish(numbers(200)...)
	const inHand = 16
	held := 0
	got, err := follow(t, rabbitmq.Options{Address: broker(t), Queue: q.name}, 200, func(text string) error {
		if text == "0" {
			for held = q.ready(); held > 200-inHand; held = q.ready() {
				time.Sleep(time.Millisecond)
			}
		}
		return nil
	})
	if !errors.Is(err, context.Canceled) || len(got) != 200 || held != 200-inHand {
		t.Errorf("%d messages, %d held back, want %d; %v", len(got), held, 200-inHand, err)
	}
}

// proxy forwards to the broker, over TLS if there is a configuration, and breaks
// every connection when cut is called.
func proxy(t *testing.T, to string, config *tls.Config) (address string, cut func()) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if config != nil {
		l = tls.NewListener(l, config)
	}
	var mu sync.Mutex
	var open []net.Conn
	cut = func() {
		mu.Lock()
		defer mu.Unlock()
		for _, c := range open {
			_ = c.Close()
		}
		open = nil
	}
	var running sync.WaitGroup
	t.Cleanup(func() { l.Close(); cut(); running.Wait() })
	running.Go(func() {
		for {
			in, err := l.Accept()
			if err != nil {
				return
			}
			out, err := net.Dial("tcp", to)
			if err != nil {
				t.Error(err)
				return
			}
			mu.Lock()
			open = append(open, in, out)
			mu.Unlock()
			forward := func(to, from net.Conn) { _, _ = io.Copy(to, from); _ = to.Close() }
			running.Go(func() { forward(out, in) })
			running.Go(func() { forward(in, out) })
		}
	})
	return l.Addr().String(), cut
}

// A connection that breaks loses nothing: what was not acknowledged comes again.
func TestBrokenConnection(t *testing.T) {
	q := newQueue(t, broker(t), nil)
	q.publish(numbers(60)...)
	address, cut := proxy(t, broker(t), nil)
	o := rabbitmq.Options{Address: address, Queue: q.name}
	first, err := follow(t, o, -1, func(text string) error {
		if text == "20" {
			cut()
		}
		return nil
	})
	if err == nil || errors.Is(err, context.DeadlineExceeded) || len(first) < 21 {
		t.Fatalf("%d messages, %v; want an error that the connection is lost", len(first), err)
	}
	seen := map[string]bool{}
	for _, text := range first {
		seen[text] = true
	}
	if _, err := follow(t, o, -1, func(text string) error {
		if seen[text] = true; text == "59" {
			return io.EOF // the last one
		}
		return nil
	}); !errors.Is(err, io.EOF) || len(seen) != 60 {
		t.Errorf("%d of 60 messages came, %v", len(seen), err)
	}
}

func TestSignIn(t *testing.T) {
	q := newQueue(t, broker(t), nil)
	q.publish("text")
	host := httptest.NewTLSServer(nil) // for its certificate
	defer host.Close()
	trusted := x509.NewCertPool()
	trusted.AddCert(host.Certificate())
	secure, _ := proxy(t, broker(t), &tls.Config{Certificates: host.TLS.Certificates})
	trust := &tls.Config{RootCAs: trusted}
	for _, c := range []struct {
		name    string
		options rabbitmq.Options
		refused string
	}{
		{"another password", rabbitmq.Options{Address: secure, TLS: trust, User: "guest", Secret: "tseug"}, "not allowed"},
		{"an unknown authority", rabbitmq.Options{Address: secure, TLS: &tls.Config{}, User: "guest", Secret: "guest"}, "unknown authority"},
		{"another server's certificate", rabbitmq.Options{Address: secure, TLS: &tls.Config{RootCAs: trusted, ServerName: "broker.example.org"}, User: "guest", Secret: "guest"}, "broker.example.org"},
		{"an unknown virtual host", rabbitmq.Options{Address: broker(t), VHost: "other"}, "other"},
		{"over TLS", rabbitmq.Options{Address: secure, TLS: trust, User: "guest", Secret: "guest"}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.options.Queue = q.name
			got, err := follow(t, c.options, 1, all)
			if c.refused == "" {
				if !errors.Is(err, context.Canceled) || len(got) != 1 {
					t.Errorf("%v, %v", got, err)
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), c.refused) || strings.Contains(err.Error(), "tseug") {
				t.Errorf("%v, want an error of %s that holds no password", err, c.refused)
			}
		})
	}
}

func TestFollowFails(t *testing.T) {
	q := newQueue(t, broker(t), nil)
	for name, o := range map[string]rabbitmq.Options{
		"no queue":         {Address: broker(t)},
		"no address":       {Queue: q.name},
		"an unknown queue": {Address: broker(t), Queue: "other"},
		"nobody there":     {Address: "127.0.0.1:1", Queue: q.name},
	} {
		if got, err := follow(t, o, 1, all); err == nil || errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
	deleted := newQueue(t, broker(t), nil)
	deleted.publish("text")
	_, err := follow(t, rabbitmq.Options{Address: broker(t), Queue: deleted.name}, -1, func(string) error {
		_, err := deleted.ch.QueueDelete(deleted.name, false, false, false)
		return err
	})
	if err == nil || !strings.Contains(err.Error(), "deleted") {
		t.Errorf("a queue that is deleted: %v", err)
	}
}
