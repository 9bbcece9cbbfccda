//go:build full

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	amqp "github.com/rabbitmq/amqp091-go"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"ken/cmd/ken/internal/config"
	"ken/cmd/ken/internal/wire"
	"ken/corpora/source/spool"
)

// brokers are streams that hold the pages, and whose spools were filled from them.
func brokers(t *testing.T, data string, pages map[string]string) map[string]string {
	t.Helper()
	all := messages(t, pages)
	out := map[string]string{"nats": natsBroker(t, all), "kafka": kafkaBroker(t, all)}
	if u := rabbitBroker(t, all); u != "" {
		out["rabbitmq"] = u
	}
	for name, url := range out {
		mkdir(t, spoolsOf(data))
		s, ok, err := wire.OpenStream(config.Source{Name: name, URL: url}, func(string) string { return "" }, spoolsOf(data))
		if err != nil || !ok {
			t.Fatal(ok, err)
		}
		fill, err := spool.Open(s.Spool)
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		n := 0
		err = s.Feed(ctx, "ken-test", func(m []byte, place string) error {
			if n++; n == len(all) {
				cancel()
			}
			_, err := fill.Take(m, place)
			return err
		})
		if cancel(); !errors.Is(err, context.Canceled) {
			t.Fatalf("%s: %d messages, %v", name, n, err)
		}
	}
	return out
}

func natsBroker(t *testing.T, messages map[string][]byte) string {
	t.Helper()
	s, err := server.NewServer(&server.Options{Host: "127.0.0.1", Port: -1, JetStream: true, StoreDir: filepath.Join(t.TempDir(), "js"), NoLog: true, NoSigs: true})
	if err != nil {
		t.Fatal(err)
	}
	s.Start()
	t.Cleanup(func() { s.Shutdown(); s.WaitForShutdown() })
	if !s.ReadyForConnections(30 * time.Second) {
		t.Fatal("the broker does not start")
	}
	conn, err := nats.Connect(s.ClientURL())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	js, err := jetstream.New(conn)
	if err == nil {
		_, err = js.CreateStream(t.Context(), jetstream.StreamConfig{Name: "PAGES", Subjects: []string{"pages"}})
	}
	for _, m := range messages {
		if err == nil {
			_, err = js.Publish(t.Context(), "pages", m)
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	return s.ClientURL() + "/PAGES"
}

func kafkaBroker(t *testing.T, messages map[string][]byte) string {
	t.Helper()
	c, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(2, "pages"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	client, err := kgo.NewClient(kgo.SeedBrokers(c.ListenAddrs()...))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	var records []*kgo.Record
	for id, m := range messages {
		records = append(records, &kgo.Record{Topic: "pages", Key: []byte(id), Value: m})
	}
	if err := client.ProduceSync(t.Context(), records...).FirstErr(); err != nil {
		t.Fatal(err)
	}
	return "kafka://" + c.ListenAddrs()[0] + "/pages"
}

// rabbitBroker is a queue of the real broker that .ci/services starts.
func rabbitBroker(t *testing.T, messages map[string][]byte) string {
	t.Helper()
	at, ok := strings.CutPrefix(os.Getenv("KEN_TEST_RABBITMQ"), "rabbitmq://")
	if !ok {
		if os.Getenv("CI") != "" {
			t.Fatal("KEN_TEST_RABBITMQ names no server: run .ci/services")
		}
		t.Log("SKIPPED: rabbitmq: KEN_TEST_RABBITMQ names no server")
		return ""
	}
	conn, err := amqp.Dial("amqp://guest:guest@" + at)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	ch, err := conn.Channel()
	if err == nil {
		err = ch.Confirm(false)
	}
	name := fmt.Sprintf("pages_%d", time.Now().UnixNano())
	if err == nil {
		_, err = ch.QueueDeclare(name, true, false, false, false, amqp.Table{"x-queue-type": "quorum"})
	}
	t.Cleanup(func() { _, _ = ch.QueueDelete(name, false, false, false) })
	for _, m := range messages {
		var sent *amqp.DeferredConfirmation
		if err == nil {
			sent, err = ch.PublishWithDeferredConfirm("", name, true, false, amqp.Publishing{DeliveryMode: amqp.Persistent, Body: m})
		}
		if err == nil && !sent.Wait() {
			err = errors.New("the broker refuses a message")
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	return "rabbitmq://" + at + "/" + name
}
