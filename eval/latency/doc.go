// Package latency keeps how long things took in a high-dynamic-range histogram:
// every value from a microsecond to a minute is kept to three digits, so that a
// percentile is one of what was measured and not of buckets that were guessed.
package latency
