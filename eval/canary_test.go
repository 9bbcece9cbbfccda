package eval

import (
	"context"
	"testing"
	"testing/fstest"

	"github.com/cockroachdb/pebble/v2/vfs"

	"ken/corpora"
	"ken/corpora/acl"
	"ken/corpora/extract"
	"ken/embed/hashed"
	"ken/index/embedded"
	"ken/index/ingest"
	"ken/retrieval"
)

// canaryRun asks with canaries planted; reader is who really asks the index.
func canaryRun(t *testing.T, canaries bool, reader *acl.Principal) Report {
	t.Helper()
	set, err := LoadFS(fstest.MapFS{
		"corpus.jsonl":  {Data: []byte(twoPages)},
		"questions.csv": {Data: []byte("question,answer,document\nHow much leave do parents get?,18 weeks,leave\nWhen is tea?,at four,tea\n")},
	}, "pages")
	if err != nil {
		t.Fatal(err)
	}
	e, err := hashed.New(hashed.Options{})
	if err != nil {
		t.Fatal(err)
	}
	report, err := Run(t.Context(), Options{
		Set: set, Canaries: canaries, Retrieval: retrieval.Options{Embedder: e},
		Build: func(ctx context.Context, _ string, source corpora.Source) (Index, error) {
			store, err := embedded.Open("index", embedded.Options{FS: vfs.NewMem()})
			if err != nil {
				return nil, err
			}
			_, err = ingest.Run(ctx, ingest.Options{Store: store, Embedder: e, Extract: extract.Default()}, source)
			return store, err
		},
		Searcher: func(i Index, o retrieval.Options) (Searcher, error) {
			s, err := retrieval.New(i, o)
			return impostor{s, reader}, err
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	return report
}

// impostor asks as somebody else.
type impostor struct {
	*retrieval.Searcher
	as *acl.Principal
}

func (i impostor) Explain(ctx context.Context, p acl.Principal, r retrieval.Request) (retrieval.Response, []retrieval.Ranked, error) {
	if i.as != nil {
		p = *i.as
	}
	return i.Searcher.Explain(ctx, p, r)
}

// Canaries change nothing for those who may not read them, and are the first
// thing that a leak shows.
func TestCanaries(t *testing.T) {
	without, with := canaryRun(t, false, nil), canaryRun(t, true, nil)
	if with.Leaks != 0 {
		t.Errorf("%d leaks", with.Leaks)
	}
	for i, o := range with.Outcomes {
		if before := without.Outcomes[i]; len(o.Top) != len(before.Top) || o.Top[0] != before.Top[0] || o.Answer.Confidence != before.Answer.Confidence {
			t.Errorf("%s: %+v, without canaries %+v", o.Query, o, before)
		}
	}
	everyone := acl.NewPrincipal(canaryReader)
	if leaky := canaryRun(t, true, &everyone); leaky.Leaks == 0 || leaky.Outcomes[0].Leaks == 0 {
		t.Errorf("a searcher that shows canaries has %d leaks", leaky.Leaks)
	}
}
