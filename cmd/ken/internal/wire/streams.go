package wire

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"ken/cmd/ken/internal/config"
	"ken/corpora/source/spool"
)

// SpoolOf is the directory of what was pushed to a source.
func SpoolOf(spools, source string) string { return filepath.Join(spools, url.QueryEscape(source)) }

// openSpool opens what was pushed to a source. It asks nobody.
func openSpool(_ context.Context, o SourceOptions) (*Source, error) {
	items, origin, err := o.items()
	if err != nil {
		return nil, err
	}
	s, err := spool.NewSource(o.Spool, items)
	if err != nil {
		return nil, err
	}
	return &Source{Source: s, Place: o.place(), origin: origin, rules: items.Policy.Protect()}, nil
}

// ToolsScheme is the scheme of sources whose documents are written with tools.
const ToolsScheme = "tools"

// openWritten opens what was written to a source, and lets nobody write to it or
// read it into an index before the source is closed.
func openWritten(ctx context.Context, o SourceOptions) (*Source, error) {
	s, err := openSpool(ctx, o)
	if err != nil {
		return nil, err
	}
	if o.State != "" { // else nothing may be changed; what does not exist cannot be held
		if _, err := spool.Open(o.Spool); err != nil {
			return nil, err
		}
	}
	release, err := spool.Hold(ctx, o.Spool)
	if err != nil {
		return nil, err
	}
	s.close = append(s.close, release)
	return s, nil
}

// Only leaves one document of a source that is pushed to.
func (s *Source) Only(path string) error {
	pushed, ok := s.Source.(*spool.Source)
	if !ok {
		return errors.New("the documents of this source are not pushed")
	}
	s.Source = pushed.Only(path)
	return nil
}

// Feed follows a broker until the context ends or something fails. Each message is
// given to take with its place in the stream, and acknowledged after take returned
// nil. The broker remembers how far that went under the name of the consumer.
type Feed func(ctx context.Context, consumer string, take func(message []byte, place string) error) error

// Stream is a source whose documents are pushed.
type Stream struct {
	Name   string
	Spool  string // directory
	Secret string
	Limit  int64
	Feed   Feed // nil: a webhook
}

// OpenStream returns the stream that a source is; ok is false if it is none.
func OpenStream(c config.Source, getenv config.Getenv, spools string) (s Stream, ok bool, err error) {
	scheme := SchemeOf(c.URL)
	feed, fed := feeds()[scheme]
	if !fed && scheme != "webhook" {
		return Stream{}, false, nil
	}
	o := SourceOptions{Source: c}
	if o.URL, err = url.Parse(c.URL); err != nil {
		return Stream{}, true, fmt.Errorf("source %s: the URL is malformed", c.Name)
	}
	if err := o.prepare(getenv, Directories{Spool: spools}); err != nil {
		return Stream{}, true, fmt.Errorf("source %s: %w", c.Name, err)
	}
	s = Stream{Name: c.Name, Spool: o.Spool, Secret: o.Secret, Limit: c.MaxBytes}
	if !fed {
		return s, true, nil
	}
	if o.Secret != "" && !strings.HasSuffix(scheme, "+tls") {
		return Stream{}, true, fmt.Errorf("source %s: its secret would cross the network in the clear: use %s+tls://", c.Name, scheme)
	}
	if o.TLS, err = o.tls(strings.HasSuffix(scheme, "+tls")); err != nil {
		return Stream{}, true, fmt.Errorf("source %s: %w", c.Name, err)
	}
	if s.Feed, err = feed(o); err != nil {
		return Stream{}, true, fmt.Errorf("source %s: %w", c.Name, err)
	}
	return s, true, nil
}

// tls is how a broker is talked to; nil is in the clear.
func (o SourceOptions) tls(wanted bool) (*tls.Config, error) {
	switch { // each connection knows the name of its server
	case !wanted:
		return nil, nil
	case o.CA == "":
		return &tls.Config{MinVersion: tls.VersionTLS12}, nil
	}
	data, err := os.ReadFile(o.CA)
	if err != nil {
		return nil, fmt.Errorf("read the authorities: %w", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(data) {
		return nil, fmt.Errorf("%s holds no certificate", o.CA)
	}
	return &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: pool}, nil
}
