package openai_test

import (
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"ken/embed/openai"
)

func TestDimensionIsDiscovered(t *testing.T) {
	server := serve(t, status(500))
	e := open(t, server, func(o *openai.Options) { o.Dimensions, o.Native = 0, false })
	if got := e.Model().Dim; got != dim {
		t.Errorf("dimension %d, want %d", got, dim)
	}
	configured := open(t, server, nil)
	if configured.Model() != e.Model() {
		t.Errorf("model %+v with the dimension configured, %+v discovered", configured.Model(), e.Model())
	}
}

func TestDiscoveryFails(t *testing.T) {
	server := serve(t, status(401))
	_, err := openai.New(t.Context(), openai.Options{BaseURL: server.URL, Key: secretKey, Model: "m"})
	if failure, ok := errors.AsType[*openai.Error](err); !ok || failure.Kind != openai.Unauthorized {
		t.Errorf("error %v, want unauthorized", err)
	}
	noSecrets(t, server, err)
}

func TestHashIsTheIdentityOfTheVectors(t *testing.T) {
	server := serve(t)
	base := open(t, server, nil).Model()
	for _, test := range []struct {
		name   string
		same   bool
		change func(*openai.Options)
	}{
		{"another host", true, func(o *openai.Options) { o.BaseURL = "http://127.0.0.1:1/other" }},
		{"another key", true, func(o *openai.Options) { o.Key = "other" }},
		{"other batches", true, func(o *openai.Options) { o.BatchTexts, o.Retries, o.Timeout = 1, 1, time.Second }},
		{"another weight", true, func(o *openai.Options) { o.Fuse = .2 }},
		{"another model", false, func(o *openai.Options) { o.Model = "other" }},
		{"another dimension", false, func(o *openai.Options) { o.Dimensions = 4 }},
		{"a query prefix", false, func(o *openai.Options) { o.QueryPrefix = "p" }},
		{"a passage prefix", false, func(o *openai.Options) { o.PassagePrefix = "p" }},
		{"another cut", false, func(o *openai.Options) { o.MaxBytes = 100 }},
	} {
		if got := open(t, server, test.change).Model(); (got.Hash == base.Hash) != test.same {
			t.Errorf("%s: hash %s, before %s", test.name, got.Hash, base.Hash)
		}
	}
	query := open(t, server, func(o *openai.Options) { o.QueryPrefix = "p" }).Model()
	passage := open(t, server, func(o *openai.Options) { o.PassagePrefix = "p" }).Model()
	if query.Hash == passage.Hash {
		t.Error("the two prefixes are not told apart")
	}
}

func TestOptions(t *testing.T) {
	for _, test := range []struct {
		name   string
		change func(*openai.Options)
	}{
		{"no model", func(o *openai.Options) { o.Model = "" }},
		{"no URL", func(o *openai.Options) { o.BaseURL = "not a url" }},
		{"another scheme", func(o *openai.Options) { o.BaseURL = "file:///etc/" + secretKey }},
		{"unparsable", func(o *openai.Options) { o.BaseURL = "http://" + secretKey + ":x\x7f" }},
		{"password", func(o *openai.Options) { o.BaseURL = "https://ann:" + secretKey + "@host/v1" }},
		{"key in the query", func(o *openai.Options) { o.BaseURL = "https://host/v1?key=" + secretKey }},
		{"Azure without version", func(o *openai.Options) { o.Azure = true }},
		{"Azure without URL", func(o *openai.Options) { o.Azure, o.APIVersion, o.BaseURL = true, "1", "" }},
		{"negative dimension", func(o *openai.Options) { o.Dimensions = -1 }},
		{"huge dimension", func(o *openai.Options) { o.Dimensions = math.MaxInt }},
		{"Native alone", func(o *openai.Options) { o.Native = true }},
		{"NaN weight", func(o *openai.Options) { o.Fuse = math.NaN() }},
		{"weight above 1", func(o *openai.Options) { o.Fuse = 1.1 }},
		{"four retries", func(o *openai.Options) { o.Retries = 4 }},
		{"negative batch", func(o *openai.Options) { o.BatchTexts = -1 }},
		{"negative timeout", func(o *openai.Options) { o.Timeout = -1 }},
		{"prefix longer than the text may be", func(o *openai.Options) { o.MaxBytes, o.QueryPrefix = 2, "query: " }},
	} {
		o := openai.Options{BaseURL: "http://127.0.0.1:1", Model: "m", Key: secretKey}
		test.change(&o)
		_, err := openai.New(t.Context(), o)
		if !errors.Is(err, openai.ErrOptions) || strings.Contains(err.Error(), secretKey) {
			t.Errorf("%s: error %v, want ErrOptions without the key", test.name, err)
		}
	}
}
