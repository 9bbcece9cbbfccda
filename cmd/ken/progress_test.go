package main

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"ken/index/ingest"
)

// Where there is no terminal, progress is a line of JSON every few seconds, with
// the time that is left once the number of documents is known.
func TestProgressLines(t *testing.T) {
	var out bytes.Buffer
	p := newProgress(&out)
	p.show(ingest.Progress{Done: 1, Listed: 40, Listing: true, Elapsed: time.Second})
	p.show(ingest.Progress{Done: 50, Listed: 90, Listing: true, Chunks: 7, Bytes: 800, Elapsed: 5 * time.Second})
	p.show(ingest.Progress{Done: 60, Listed: 100, Listing: true, Elapsed: 6 * time.Second})
	p.show(ingest.Progress{Done: 100, Listed: 150, Elapsed: 10 * time.Second})
	p.finish()
	want := []string{
		`{"progress":{"done":50,"listed":90,"chunks":7,"bytes":800,"seconds":5,"documents_per_second":10}}`,
		`{"progress":{"done":100,"listed":150,"chunks":0,"bytes":0,"seconds":10,"documents_per_second":10,"eta_seconds":5}}`,
	}
	if got := strings.TrimSpace(out.String()); got != strings.Join(want, "\n") {
		t.Errorf("got\n%s\nwant\n%s", got, strings.Join(want, "\n"))
	}
}
