package openai

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"ken/embed"
)

// ErrOptions is wrapped by errors about options. They hold no option's value
// that could be secret.
var ErrOptions = errors.New("bad options of the embedding endpoint")

// Options configure an [Embedder]. Model is required; the zero value of every
// other field takes its default.
type Options struct {
	BaseURL string // up to and without "/embeddings"; "" is https://api.openai.com/v1
	Key     string // sent as a bearer token, or as api-key to Azure; "" sends none
	Model   string // the model's name; on Azure the name of the deployment

	// Dimensions is the length of the vectors. 0 asks the endpoint once, in New.
	// Otherwise New makes no request, so that a process can start while the
	// endpoint is down, and requests ask for this length, which models of the
	// text-embedding-3 kind can shorten their vectors to.
	Dimensions int
	// Native says that Dimensions is the model's own length, so that requests
	// do not ask for it: many servers refuse the parameter.
	Native bool

	Azure      bool   // URLs and the header of Azure OpenAI
	APIVersion string // required with Azure: "2024-10-21"

	QueryPrefix   string  // put before queries, as the model's card says
	PassagePrefix string  // put before passages
	MaxBytes      int     // a longer text, prefix included, is cut; 0 is 8,192: no byte-level tokenizer makes more tokens of it
	Fuse          float64 // weight of the vector leg in fusion, to 1; 0 is .5

	BatchTexts int // texts in a request at most; 0 is 64
	BatchBytes int // bytes of text in a request at most, but one text at least; 0 is 256 KiB

	Concurrency int // requests for passages under way at once at most; fewer while the endpoint is slow or refuses; 0 is 8

	Timeout time.Duration // for one request; 0 is 30 s
	Retries int           // after a failed request; 0 is 3, which is also the most; below 0 is none
	Backoff time.Duration // before the first retry, doubled for each later one, up to half more or less at random; 0 is 500 ms
	MaxWait time.Duration // the longest wait that the endpoint's Retry-After may ask for; a longer one ends the retries; 0 is 60 s

	OpenFor time.Duration // how long a breaker stays open; 0 is 30 s

	// Transport makes the requests; nil is a transport of its own without a
	// proxy. The client that uses it follows no redirect.
	Transport http.RoundTripper
}

const (
	defaultURL = "https://api.openai.com/v1"
	maxRetries = 3
)

// WithDefaults returns o with every zero field that has a default set to it.
func (o Options) WithDefaults() Options {
	o.BaseURL = cmp.Or(o.BaseURL, defaultURL)
	o.MaxBytes = cmp.Or(o.MaxBytes, 8192)
	o.Fuse = cmp.Or(o.Fuse, .5)
	o.BatchTexts = cmp.Or(o.BatchTexts, 64)
	o.BatchBytes = cmp.Or(o.BatchBytes, 256<<10)
	o.Concurrency = cmp.Or(o.Concurrency, 8)
	o.Timeout = cmp.Or(o.Timeout, 30*time.Second)
	o.Retries = max(0, cmp.Or(o.Retries, maxRetries))
	o.Backoff = cmp.Or(o.Backoff, 500*time.Millisecond)
	o.MaxWait = cmp.Or(o.MaxWait, time.Minute)
	o.OpenFor = cmp.Or(o.OpenFor, 30*time.Second)
	return o
}

func (o Options) validate() error {
	if err := checkURL(o.BaseURL); err != nil {
		return err
	}
	for _, c := range []struct {
		bad  bool
		what string
	}{
		{o.Model == "", "Model is empty: name the model of the endpoint"},
		{o.Azure && o.APIVersion == "", "APIVersion is empty: Azure needs one"},
		{o.Azure && o.BaseURL == defaultURL, "BaseURL is empty: Azure needs the URL of your resource"},
		{o.Dimensions < 0 || o.Dimensions > maxDim, fmt.Sprintf("Dimensions is %d: want 0 to %d", o.Dimensions, maxDim)},
		{o.Native && o.Dimensions == 0, "Native is set and Dimensions is not"},
		{!(o.Fuse >= 0 && o.Fuse <= 1), fmt.Sprintf("Fuse is %v: want 0 to 1", o.Fuse)},
		{o.Retries > maxRetries, fmt.Sprintf("Retries is %d: want at most %d", o.Retries, maxRetries)},
		{o.BatchTexts < 0 || o.BatchBytes < 0, "BatchTexts or BatchBytes is below 0"},
		{o.Concurrency < 0, fmt.Sprintf("Concurrency is %d: want at least 1", o.Concurrency)},
		{o.Timeout < 0 || o.Backoff < 0 || o.MaxWait < 0 || o.OpenFor < 0, "Timeout, Backoff, MaxWait or OpenFor is below 0"},
		{o.MaxBytes <= max(len(o.QueryPrefix), len(o.PassagePrefix)), "MaxBytes leaves no room after the prefix"},
	} {
		if c.bad {
			return fmt.Errorf("%w: %s", ErrOptions, c.what)
		}
	}
	return nil
}

// checkURL accepts absolute HTTP URLs that hold no secret.
func checkURL(base string) error {
	u, err := url.Parse(base)
	switch {
	case err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https":
		return fmt.Errorf("%w: BaseURL is no http or https URL", ErrOptions)
	case u.User != nil:
		return fmt.Errorf("%w: BaseURL holds a user name or password: use Key", ErrOptions)
	case u.RawQuery != "" || u.Fragment != "":
		return fmt.Errorf("%w: BaseURL has a query or fragment", ErrOptions)
	}
	return nil
}

// model returns the identity of the vectors. The endpoint's place, its key and
// how requests are made have no part in it: moving a model to another host
// embeds nothing again.
func (o Options) model(dim int) embed.Model {
	h := sha256.New()
	for _, field := range []string{"ken openai 1", o.Model, fmt.Sprint(dim), o.QueryPrefix, o.PassagePrefix, fmt.Sprint(o.MaxBytes)} {
		h.Write(binary.AppendUvarint(nil, uint64(len(field))))
		h.Write([]byte(field))
	}
	return embed.Model{Name: o.Model, Hash: hex.EncodeToString(h.Sum(nil)[:16]), Dim: dim, Fuse: o.Fuse}
}
