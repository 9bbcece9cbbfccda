// Package rabbitmq follows a queue of RabbitMQ: each message is given to a
// function, and acknowledged after that kept it. Messages come at least once.
//
// The queue is there already, with the type and the bindings that its operators
// gave it. What is acknowledged is gone from a queue, so each follower needs one of
// its own; a queue of the type "stream" keeps its messages, and is read from its
// beginning each time that it is followed.
package rabbitmq

import (
	"cmp"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"
)

// Options of a queue. Address and Queue are needed.
type Options struct {
	Address string      // HOST:PORT
	VHost   string      // "" is /
	Queue   string      //
	Name    string      // what the broker calls this consumer; "" lets it choose
	TLS     *tls.Config // nil: in the clear
	User    string      // with Secret, its password; without both the broker's own guest, who may come from its own machine only
	Secret  string
}

// inHand is how many messages the broker sends before the first of them is
// acknowledged: what is not kept yet holds up the broker and fills no memory.
const inHand = 16

// connectTime is the time for connection, handshake and sign-in together.
const connectTime = 30 * time.Second

// Follow gives take each message of the queue with its place, in order, until the
// context ends or something fails. What was not acknowledged by then comes again.
func Follow(ctx context.Context, o Options, take func(message []byte, place string) error) error {
	if o.Address == "" || o.Queue == "" {
		return errors.New("rabbitmq: want an address and a queue")
	}
	err := follow(ctx, o, take)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return fmt.Errorf("rabbitmq: queue %s: %w", o.Queue, err)
}

func follow(ctx context.Context, o Options, take func([]byte, string) error) (err error) {
	conn, err := connect(ctx, o)
	if err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	// What was not acknowledged is given back. The connection may be lost already.
	defer func() { _ = conn.CloseDeadline(time.Now().Add(2 * time.Second)) }()
	messages, ended, err := consume(conn, o)
	if err != nil {
		return err
	}
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case m, more := <-messages:
			if !more {
				return ended()
			}
			if err := handle(m, o.Queue, take); err != nil {
				return err
			}
		}
	}
}

// connect signs in.
func connect(ctx context.Context, o Options) (*amqp.Connection, error) {
	ctx, cancel := context.WithTimeout(ctx, connectTime)
	defer cancel()
	sign := amqp.PlainAuth{Username: o.User, Password: o.Secret}
	if o.User == "" && o.Secret == "" {
		sign = amqp.PlainAuth{Username: "guest", Password: "guest"}
	}
	u := url.URL{Scheme: "amqp", Host: o.Address}
	if o.TLS != nil {
		u.Scheme = "amqps"
	}
	undo := func() bool { return true }
	conn, err := amqp.DialConfig(u.String(), amqp.Config{
		SASL: []amqp.Authentication{&sign}, Vhost: cmp.Or(o.VHost, "/"), TLSClientConfig: o.TLS.Clone(), Heartbeat: 10 * time.Second, Locale: "en_US",
		Properties: amqp.Table{"product": "ken", "connection_name": o.Name},
		Dial: func(network, address string) (net.Conn, error) {
			c, err := new(net.Dialer).DialContext(ctx, network, address)
			if err == nil { // the handshake knows no context
				undo = context.AfterFunc(ctx, func() { _ = c.Close() })
			}
			return c, err
		},
	})
	if !undo() && err == nil {
		err = errors.Join(context.Cause(ctx), conn.Close())
	}
	return conn, err
}

// consume asks for the messages of a queue that is there. When they end, ended
// tells why. A stream would begin with what comes from now on, unless it is told
// to begin with what it has; only streams know what that means.
func consume(conn *amqp.Connection, o Options) (messages <-chan amqp.Delivery, ended func() error, err error) {
	messages, ended, err = consumeFrom(conn, o, amqp.Table{offset: "first"})
	if e, ok := errors.AsType[*amqp.Error](err); ok && e.Code == amqp.PreconditionFailed && strings.Contains(e.Reason, offset) {
		return consumeFrom(conn, o, nil)
	}
	return messages, ended, err
}

const offset = "x-stream-offset"

func consumeFrom(conn *amqp.Connection, o Options, from amqp.Table) (messages <-chan amqp.Delivery, ended func() error, err error) {
	ch, err := conn.Channel()
	if err != nil {
		return nil, nil, err
	}
	lost, cancelled := ch.NotifyClose(make(chan *amqp.Error, 1)), ch.NotifyCancel(make(chan string, 1))
	if err := ch.Qos(inHand, 0, false); err != nil {
		return nil, nil, err
	}
	messages, err = ch.Consume(o.Queue, o.Name, false, false, false, false, from)
	return messages, func() error {
		if _, told := <-cancelled; told {
			return errors.New("the broker ended it: the queue was deleted, or moves to another node")
		}
		return fmt.Errorf("the connection is lost: %w", <-lost)
	}, err
}

// handle names a message by its bytes, since a queue gives it no name that is the
// same when it comes again.
func handle(m amqp.Delivery, queue string, take func([]byte, string) error) error {
	digest := sha256.Sum256(m.Body)
	if err := take(m.Body, fmt.Sprintf("%x@%s", digest[:8], queue)); err != nil {
		return err
	}
	return m.Ack(false)
}
