//go:build !full

package wire

import (
	"context"
	"fmt"

	gocloud "gocloud.dev/blob"
	_ "gocloud.dev/blob/fileblob" // file://
	_ "gocloud.dev/blob/memblob"  // mem://
)

// Full says whether the binary holds the drivers of clouds and brokers.
const Full = false

// fullSchemes are those that only the full binary reads. They are known here, so
// that whoever asks for one is told what to do.
func fullSchemes() []Scheme {
	return []Scheme{
		{[]string{"s3", "gs", "azblob"}, "a bucket in a cloud (full binary only)", needsFull},
		{[]string{"nats", "nats+tls", "kafka", "kafka+tls", "rabbitmq", "rabbitmq+tls"}, "a stream of a broker (full binary only)", needsFull},
	}
}

// markOf is what else tells that an object changed: nothing in directories and memory.
func markOf(*gocloud.ListObject) string { return "" }

// feeds are the brokers that streams come from.
func feeds() map[string]func(SourceOptions) (Feed, error) { return nil }

func needsFull(_ context.Context, o SourceOptions) (*Source, error) {
	return nil, fmt.Errorf("source %s: this binary has no driver for %s://: build one with `make build-full`", o.Name, o.URL.Scheme)
}
