package embedtest

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"sync"
	"testing"

	"ken/embed"
)

// Options say what an embedder promises beyond the interface. The zero value is
// the strictest.
type Options struct {
	// Tolerance is how far a component may be from one call to the next: some
	// servers add in another order when texts share a batch. 0 means equal to
	// the bit.
	Tolerance float64
	// Huge is the length in bytes of the huge text; 0 is one megabyte.
	Huge int
}

// Run tests the embedders that open returns, one per subtest.
func Run(t *testing.T, open func(*testing.T) embed.Embedder, o Options) {
	t.Helper()
	if o.Huge == 0 {
		o.Huge = 1 << 20
	}
	for _, test := range []struct {
		name string
		run  func(*testing.T, embed.Embedder, Options)
	}{
		{"the model is named and complete", modelIsComplete},
		{"no text gives no vector", emptyInput},
		{"every text gives a unit vector", unitVectors},
		{"the same text gives the same vector", deterministic},
		{"vectors come in the order of the texts", orderKept},
		{"a text has the same vector alone and in a batch", batchIndependent},
		{"the texts are left as they were", inputUntouched},
		{"vectors belong to the caller", ownedVectors},
		{"many goroutines get the same vectors", concurrent},
		{"a cancelled context gives an error and no vector", cancelled},
	} {
		t.Run(test.name, func(t *testing.T) { test.run(t, open(t), o) })
	}
}

// awkward are texts that an index can hold and a model may stumble over.
func awkward(o Options) map[string]string {
	return map[string]string{
		"empty":           "",
		"spaces":          " \t\n",
		"punctuation":     "?!… — ***",
		"one letter":      "a",
		"NUL":             "a\x00b",
		"invalid UTF-8":   "caf\xe9 \xff\xfe \xf0\x9f",
		"only invalid":    "\xff\xff\xff",
		"emoji":           "👩‍👩‍👧‍👦 🏳️‍🌈",
		"Chinese":         "员工可以休多少天产假",
		"Thai":            "ลาคลอดได้กี่วัน",
		"right to left":   "كم عدد أيام إجازة الأمومة",
		"combining marks": "e" + strings.Repeat("\u0301", 1000),
		"no space":        strings.Repeat("x", o.Huge/4),
		"huge":            strings.Repeat("parental leave lasts twelve weeks. ", o.Huge/35),
	}
}

// plain are texts with different meanings and words.
var plain = []string{
	"Parental leave lasts twelve weeks.",
	"The fire alarm is tested on the first Monday of the month.",
	"Reset the router before you call the help desk.",
	"Invoices are paid within thirty days.",
	"Der Betriebsrat tagt jeden zweiten Donnerstag.",
}

func modelIsComplete(t *testing.T, e embed.Embedder, _ Options) {
	m := e.Model()
	if m.Name == "" || m.Hash == "" {
		t.Errorf("model %+v: want a name and a hash", m)
	}
	if m.Dim <= 0 {
		t.Errorf("dimension %d: want more than 0", m.Dim)
	}
	if !(m.Fuse >= 0 && m.Fuse <= 1) {
		t.Errorf("fusion weight %v: want 0 to 1", m.Fuse)
	}
	mustEmbed(t, e, embed.Passage, plain)
	if after := e.Model(); after != m {
		t.Errorf("model changed from %+v to %+v", m, after)
	}
}

func emptyInput(t *testing.T, e embed.Embedder, _ Options) {
	for _, texts := range [][]string{nil, {}} {
		vs, err := e.Embed(t.Context(), embed.Passage, texts)
		if err != nil || len(vs) != 0 {
			t.Errorf("%d vectors, error %v for no text", len(vs), err)
		}
	}
}

func unitVectors(t *testing.T, e embed.Embedder, o Options) {
	for name, text := range awkward(o) {
		for _, kind := range []embed.Kind{embed.Passage, embed.Query} {
			v := mustEmbed(t, e, kind, []string{text})[0]
			if length := norm(v); math.Abs(length-1) > 1e-5 {
				t.Errorf("%s, kind %d: length %v, want 1", name, kind, length)
			}
		}
	}
}

func deterministic(t *testing.T, e embed.Embedder, o Options) {
	for _, kind := range []embed.Kind{embed.Passage, embed.Query} {
		first, second := mustEmbed(t, e, kind, plain), mustEmbed(t, e, kind, plain)
		for i := range plain {
			same(t, fmt.Sprintf("text %d", i), first[i], second[i], o)
		}
	}
}

func orderKept(t *testing.T, e embed.Embedder, o Options) {
	forward := mustEmbed(t, e, embed.Passage, plain)
	n := len(plain)
	reversed := make([]string, n)
	for i, text := range plain {
		reversed[n-1-i] = text
	}
	backward := mustEmbed(t, e, embed.Passage, reversed)
	for i := range plain {
		same(t, fmt.Sprintf("text %d", i), forward[i], backward[n-1-i], o)
	}
	if distance(forward[0], forward[1]) < 1e-3 {
		t.Error("two texts without a word in common have the same vector")
	}
}

func batchIndependent(t *testing.T, e embed.Embedder, o Options) {
	var texts []string
	for i := range 150 { // more than one request of most servers
		texts = append(texts, fmt.Sprintf("%s Paragraph %d.", plain[i%len(plain)], i))
	}
	texts[70] = ""
	batch := mustEmbed(t, e, embed.Passage, texts)
	for _, i := range []int{0, 1, 69, 70, 71, 149} {
		alone := mustEmbed(t, e, embed.Passage, texts[i:i+1])
		same(t, fmt.Sprintf("text %d", i), alone[0], batch[i], o)
	}
}

func inputUntouched(t *testing.T, e embed.Embedder, _ Options) {
	texts := append([]string{"", "\xff"}, plain...)
	before := append([]string(nil), texts...)
	mustEmbed(t, e, embed.Query, texts)
	for i := range texts {
		if texts[i] != before[i] {
			t.Errorf("text %d was changed to %q", i, texts[i])
		}
	}
}

func ownedVectors(t *testing.T, e embed.Embedder, _ Options) {
	texts := []string{plain[0], "", ""}
	first := mustEmbed(t, e, embed.Passage, texts)
	clear(first[1])
	if norm(first[2]) == 0 {
		t.Error("two vectors of one call share memory")
	}
	for i, v := range mustEmbed(t, e, embed.Passage, texts) {
		if norm(v) == 0 {
			t.Errorf("vector %d shares memory with one handed out before", i)
		}
	}
}

func concurrent(t *testing.T, e embed.Embedder, o Options) {
	want := mustEmbed(t, e, embed.Passage, plain)
	var group sync.WaitGroup
	for g := range 8 {
		group.Go(func() {
			i := g % len(plain)
			vs, err := e.Embed(t.Context(), embed.Passage, plain[i:])
			if err != nil {
				t.Errorf("goroutine %d: %v", g, err)
				return
			}
			for j, v := range vs {
				same(t, fmt.Sprintf("goroutine %d, text %d", g, i+j), v, want[i+j], o)
			}
		})
	}
	group.Wait()
}

func cancelled(t *testing.T, e embed.Embedder, _ Options) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	vs, err := e.Embed(ctx, embed.Passage, plain)
	if !errors.Is(err, context.Canceled) || vs != nil {
		t.Errorf("%d vectors, error %v; want none and context.Canceled", len(vs), err)
	}
	mustEmbed(t, e, embed.Passage, plain) // and the next call works
}

func mustEmbed(t *testing.T, e embed.Embedder, kind embed.Kind, texts []string) []embed.Vector {
	t.Helper()
	vs, err := e.Embed(t.Context(), kind, texts)
	if err != nil {
		t.Fatalf("embed %d texts: %v", len(texts), err)
	}
	if err := embed.Check(vs, len(texts), e.Model().Dim); err != nil {
		t.Fatal(err)
	}
	return vs
}

func same(t *testing.T, what string, a, b embed.Vector, o Options) {
	t.Helper()
	if d := distance(a, b); d > o.Tolerance {
		t.Errorf("%s: a component differs by %g, at most %g is allowed", what, d, o.Tolerance)
	}
}

// distance returns the largest difference of a component.
func distance(a, b embed.Vector) float64 {
	if len(a) != len(b) {
		return math.Inf(1)
	}
	var most float64
	for i := range a {
		most = max(most, math.Abs(float64(a[i])-float64(b[i])))
	}
	return most
}

func norm(v embed.Vector) float64 {
	var sum float64
	for _, x := range v {
		sum += float64(x) * float64(x)
	}
	return math.Sqrt(sum)
}
