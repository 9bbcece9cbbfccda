// Package kafka follows a topic of Kafka: each record is given to a function, and
// its offset committed after that kept it. Records come at least once.
package kafka

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/sasl/plain"
)

// Options of a topic. Brokers, Topic and Group are needed.
type Options struct {
	Brokers []string // HOST:PORT; one of them is enough to find the others
	Topic   string
	Group   string // consumer group that remembers how far we came
	TLS     bool
	User    string // with Secret, its password (SASL PLAIN)
	Secret  string
}

// inHand is how many records are taken before their offsets are committed.
const inHand = 64

// Follow gives take each record of the topic with its place, in the order of each
// partition, until the context ends or something fails.
func Follow(ctx context.Context, o Options, take func(record []byte, place string) error) error {
	if len(o.Brokers) == 0 || o.Topic == "" || o.Group == "" {
		return errors.New("kafka: want brokers, a topic and a group")
	}
	options := []kgo.Opt{
		kgo.SeedBrokers(o.Brokers...), kgo.ConsumeTopics(o.Topic), kgo.ConsumerGroup(o.Group), kgo.ClientID("ken"),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.DisableAutoCommit(), kgo.BlockRebalanceOnPoll(),
		kgo.FetchMaxBytes(32 << 20), kgo.FetchMaxPartitionBytes(16 << 20),
	}
	if o.TLS {
		options = append(options, kgo.DialTLSConfig(&tls.Config{MinVersion: tls.VersionTLS12}))
	}
	if o.Secret != "" {
		options = append(options, kgo.SASL(plain.Auth{User: o.User, Pass: o.Secret}.AsMechanism()))
	}
	client, err := kgo.NewClient(options...)
	if err != nil {
		return fmt.Errorf("kafka: %w", err)
	}
	defer client.CloseAllowingRebalance()
	for {
		if err := poll(ctx, client, take); err != nil {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			return fmt.Errorf("kafka: topic %s: %w", o.Topic, err)
		}
	}
}

// poll takes some records and commits them. No other member of the group is given
// their partitions meanwhile.
func poll(ctx context.Context, client *kgo.Client, take func([]byte, string) error) error {
	fetched := client.PollRecords(ctx, inHand)
	defer client.AllowRebalance()
	for _, e := range fetched.Errors() {
		return fmt.Errorf("partition %d: %w", e.Partition, e.Err)
	}
	records := fetched.Records()
	for i, r := range records {
		if err := take(r.Value, fmt.Sprintf("%s:%d:%d", r.Topic, r.Partition, r.Offset)); err != nil {
			return errors.Join(err, commit(ctx, client, records[:i]))
		}
	}
	return commit(ctx, client, records)
}

// commit also notes what was taken when the context has ended meanwhile.
func commit(ctx context.Context, client *kgo.Client, records []*kgo.Record) error {
	if len(records) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	return client.CommitRecords(ctx, records...)
}
