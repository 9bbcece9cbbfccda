// Package kafka follows a topic of Kafka: each record is given to a function, and
// its offset committed after that kept it. Records come at least once.
package kafka

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/sasl"
	"github.com/twmb/franz-go/pkg/sasl/plain"
	"github.com/twmb/franz-go/pkg/sasl/scram"
)

// Options of a topic. Brokers, Topic and Group are needed.
type Options struct {
	Brokers []string // HOST:PORT; one of them is enough to find the others
	Topic   string
	Group   string      // consumer group that remembers how far we came
	TLS     *tls.Config // nil: in the clear
	User    string      // with Secret, its password
	Secret  string
	SASL    string // how these are shown: PLAIN (if ""), SCRAM-SHA-256, SCRAM-SHA-512
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
	if o.TLS != nil {
		options = append(options, kgo.DialTLSConfig(o.TLS))
	}
	if o.Secret != "" {
		mechanism, err := mechanism(o)
		if err != nil {
			return err
		}
		options = append(options, kgo.SASL(mechanism))
	}
	client, err := kgo.NewClient(options...)
	if err != nil {
		return fmt.Errorf("kafka: %w", err)
	}
	defer client.CloseAllowingRebalance()
	if err := reach(ctx, client); err != nil {
		return err
	}
	for {
		if err := poll(ctx, client, take); err != nil {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			return fmt.Errorf("kafka: topic %s: %w", o.Topic, err)
		}
	}
}

// reach says why no broker talks to us. The client itself would try without an end
// and without a word.
func reach(ctx context.Context, client *kgo.Client) error {
	attempt, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	err := client.Ping(attempt)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		return fmt.Errorf("kafka: connect: %w", err)
	}
	return nil
}

func mechanism(o Options) (sasl.Mechanism, error) {
	switch strings.ToUpper(o.SASL) {
	case "", "PLAIN":
		return plain.Auth{User: o.User, Pass: o.Secret}.AsMechanism(), nil
	case "SCRAM-SHA-256":
		return scram.Auth{User: o.User, Pass: o.Secret}.AsSha256Mechanism(), nil
	case "SCRAM-SHA-512":
		return scram.Auth{User: o.User, Pass: o.Secret}.AsSha512Mechanism(), nil
	}
	return nil, fmt.Errorf("kafka: sasl %q: want PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512", o.SASL)
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
