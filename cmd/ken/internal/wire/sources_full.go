//go:build full

package wire

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"unicode/utf8"

	"cloud.google.com/go/storage"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/container"
	gocloud "gocloud.dev/blob"
	_ "gocloud.dev/blob/azureblob" // azblob://
	_ "gocloud.dev/blob/fileblob"  // file://
	_ "gocloud.dev/blob/gcsblob"   // gs://
	_ "gocloud.dev/blob/memblob"   // mem://
	_ "gocloud.dev/blob/s3blob"    // s3://

	"ken/corpora/source/kafka"
	"ken/corpora/source/nats"
	"ken/corpora/source/rabbitmq"
)

// Full says whether the binary holds the drivers of clouds and brokers.
const Full = true

// fullSchemes are those that only the full binary reads.
func fullSchemes() []Scheme {
	return []Scheme{
		{[]string{"s3", "gs", "azblob"}, "a bucket in a cloud", openBlob},
		{[]string{"nats", "nats+tls"}, "a stream of NATS JetStream, which ken watch follows", openSpool},
		{[]string{"kafka", "kafka+tls"}, "a topic of Kafka, which ken watch follows", openSpool},
		{[]string{"rabbitmq", "rabbitmq+tls"}, "a queue of RabbitMQ, which ken watch follows", openSpool},
	}
}

// markOf is what else tells that an object changed, its metadata included: times are
// in whole seconds in some clouds. S3 has nothing of the kind.
func markOf(o *gocloud.ListObject) string {
	var azure container.BlobItem
	if o.As(&azure) && azure.Properties != nil && azure.Properties.ETag != nil {
		return string(*azure.Properties.ETag)
	}
	var google storage.ObjectAttrs
	if o.As(&google) {
		return fmt.Sprintf("%d.%d", google.Generation, google.Metageneration)
	}
	return ""
}

// feeds are the brokers that streams come from.
func feeds() map[string]func(SourceOptions) (Feed, error) {
	return map[string]func(SourceOptions) (Feed, error){
		"nats": feedNATS, "nats+tls": feedNATS, "kafka": feedKafka, "kafka+tls": feedKafka, "rabbitmq": feedRabbitMQ, "rabbitmq+tls": feedRabbitMQ,
	}
}

// feedNATS reads nats://HOST:PORT/STREAM?subject=…&durable=…
func feedNATS(o SourceOptions) (Feed, error) {
	q := o.URL.Query()
	n := nats.Options{
		URL: "nats://" + o.URL.Host, Stream: strings.Trim(o.URL.Path, "/"), Subject: q.Get("subject"), Durable: q.Get("durable"),
		User: o.User, Secret: o.Secret, TLS: o.TLS,
	}
	if o.URL.Host == "" || n.Stream == "" || strings.ContainsAny(n.Stream, "/.*> ") {
		return nil, errors.New("want nats://HOST:PORT/STREAM")
	}
	return func(ctx context.Context, consumer string, take func([]byte, string) error) error {
		at := n
		at.Durable = cmp.Or(n.Durable, consumer)
		return nats.Follow(ctx, at, take)
	}, nil
}

// feedKafka reads kafka://HOST:PORT/TOPIC?group=…&broker=HOST:PORT&sasl=…
func feedKafka(o SourceOptions) (Feed, error) {
	q := o.URL.Query()
	k := kafka.Options{
		Brokers: append([]string{o.URL.Host}, q["broker"]...), Topic: strings.Trim(o.URL.Path, "/"), Group: q.Get("group"),
		TLS: o.TLS, User: o.User, Secret: o.Secret, SASL: q.Get("sasl"),
	}
	if o.URL.Host == "" || k.Topic == "" || strings.ContainsRune(k.Topic, '/') {
		return nil, errors.New("want kafka://HOST:PORT/TOPIC")
	}
	return func(ctx context.Context, consumer string, take func([]byte, string) error) error {
		at := k
		at.Group = cmp.Or(k.Group, consumer)
		return kafka.Follow(ctx, at, take)
	}, nil
}

// feedRabbitMQ reads rabbitmq://HOST:PORT/QUEUE?vhost=…
func feedRabbitMQ(o SourceOptions) (Feed, error) {
	r := rabbitmq.Options{
		Address: o.URL.Host, Queue: strings.TrimPrefix(o.URL.Path, "/"), VHost: o.URL.Query().Get("vhost"), TLS: o.TLS, User: o.User, Secret: o.Secret,
	}
	if o.URL.Hostname() == "" || r.Queue == "" || !utf8.ValidString(r.Queue) {
		return nil, errors.New("want rabbitmq://HOST:PORT/QUEUE")
	}
	if o.User == "" && o.Secret != "" {
		return nil, errors.New("it has a secret: say in user whose it is")
	}
	if o.URL.Port() == "" {
		r.Address = net.JoinHostPort(o.URL.Hostname(), map[bool]string{false: "5672", true: "5671"}[o.TLS != nil])
	}
	return func(ctx context.Context, consumer string, take func([]byte, string) error) error {
		at := r
		at.Name = consumer
		return rabbitmq.Follow(ctx, at, take)
	}, nil
}
