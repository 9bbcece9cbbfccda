//go:build full

package wire

import (
	_ "gocloud.dev/blob/azureblob" // azblob://
	_ "gocloud.dev/blob/fileblob"  // file://
	_ "gocloud.dev/blob/gcsblob"   // gs://
	_ "gocloud.dev/blob/memblob"   // mem://
	_ "gocloud.dev/blob/s3blob"    // s3://
)

// Full says whether the binary holds the drivers of clouds and brokers.
const Full = true

// fullSchemes are those that only the full binary reads.
func fullSchemes() []Scheme {
	return []Scheme{
		{[]string{"s3", "gs", "azblob"}, "a bucket in a cloud", openBlob},
		{[]string{"nats", "nats+tls"}, "a stream of NATS JetStream, which ken watch follows", openSpool},
		{[]string{"kafka", "kafka+tls"}, "a topic of Kafka, which ken watch follows", openSpool},
	}
}
