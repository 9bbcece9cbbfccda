// Package nats follows a stream of NATS JetStream: each message is given to a
// function, and acknowledged after that kept it. Messages come at least once.
package nats

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// Options of a stream. URL, Stream and Durable are needed.
type Options struct {
	URL      string      // nats://HOST:PORT
	TLS      *tls.Config // nil: in the clear, if the server allows that
	Stream   string
	Subject  string // only what was published to it; "" is all
	Durable  string // consumer that remembers how far we came; it is made if it does not exist
	User     string // with Secret, its password; "": Secret is a token
	Secret   string
	Handling time.Duration // how long a message may take before it comes again; 0 is a minute
}

// inHand is how many messages are asked for at once.
const inHand = 16

// Follow gives take each message of the stream with its place, in order, until the
// context ends or something fails. A lost connection is made again without an end.
func Follow(ctx context.Context, o Options, take func(message []byte, place string) error) error {
	if o.Stream == "" || o.Durable == "" {
		return errors.New("nats: want a stream and a durable consumer")
	}
	options := []nats.Option{nats.Name("ken"), nats.MaxReconnects(-1)}
	switch {
	case o.Secret == "":
	case o.User != "":
		options = append(options, nats.UserInfo(o.User, o.Secret))
	default:
		options = append(options, nats.Token(o.Secret))
	}
	if o.TLS != nil {
		options = append(options, nats.Secure(o.TLS))
	}
	conn, err := nats.Connect(o.URL, options...)
	if err != nil {
		return fmt.Errorf("nats: connect: %w", err)
	}
	defer conn.Close()
	messages, err := open(ctx, conn, o)
	if err != nil {
		return fmt.Errorf("nats: stream %s: %w", o.Stream, err)
	}
	for {
		m, err := messages.Next(jetstream.NextContext(ctx))
		if err == nil {
			err = handle(m, take)
		}
		if err != nil {
			giveBack(messages, m)
			_ = conn.FlushTimeout(2 * time.Second) // else what was said of messages is said when they come again
			if ctx.Err() != nil {
				return ctx.Err()
			}
			return fmt.Errorf("nats: stream %s: %w", o.Stream, err)
		}
	}
}

// giveBack lets messages that were not kept come again at once, and not after the
// time that they may take.
func giveBack(messages jetstream.MessagesContext, failed jetstream.Msg) {
	messages.Drain() // first, or they would come here
	for {
		m, err := messages.Next()
		if err != nil {
			break
		}
		_ = m.Nak()
	}
	if failed != nil {
		_ = failed.Nak()
	}
}

// open finds the consumer, or makes it.
func open(ctx context.Context, conn *nats.Conn, o Options) (jetstream.MessagesContext, error) {
	js, err := jetstream.New(conn)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	c, err := js.Consumer(ctx, o.Stream, o.Durable)
	if errors.Is(err, jetstream.ErrConsumerNotFound) {
		wait := o.Handling
		if wait <= 0 {
			wait = time.Minute
		}
		c, err = js.CreateConsumer(ctx, o.Stream, jetstream.ConsumerConfig{
			Durable: o.Durable, FilterSubject: o.Subject, AckPolicy: jetstream.AckExplicitPolicy, DeliverPolicy: jetstream.DeliverAllPolicy,
			AckWait: wait, MaxAckPending: 4 * inHand,
		})
	}
	if err != nil {
		return nil, err
	}
	return c.Messages(jetstream.PullMaxMessages(inHand))
}

func handle(m jetstream.Msg, take func([]byte, string) error) error {
	at, err := m.Metadata()
	if err != nil {
		return err
	}
	if err := take(m.Data(), fmt.Sprintf("%s:%d", at.Stream, at.Sequence.Stream)); err != nil {
		return err
	}
	return m.Ack()
}
