package tools

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"ken/corpora"
	"ken/corpora/acl"
	"ken/embed/hashed"
)

var (
	timingSamples = flag.Int("timing", 0, "measure how long answers take with this many samples; 0 is not at all")
	timingOut     = flag.String("timing-out", "", "write the figures to this file")
)

// maxT is the usual limit of leakage tests: at 4.5 two equal distributions
// would be told apart by chance once in 100,000 times.
const maxT = 4.5

// TestTiming measures, over loopback HTTP, whether the time of an answer tells what the asker may
// not read from what there is not. For fetch it must not. For search it is measured and
// printed: the text leg looks a word up in a dictionary of all documents.
func TestTiming(t *testing.T) {
	if *timingSamples == 0 {
		t.Skip("SKIPPED: run make timing")
	}
	w := newWorld(t)
	const each = 200
	embedder, err := hashed.New(hashed.Options{})
	must(t, err)
	for n := range each { // those that there are and those that there are not stand between each other
		id := corpora.DocID(fmt.Sprintf("hr/letter-%04d.md", 2*n))
		texts[id] = fmt.Sprintf("# Letter %d\n\nThe quokka bonus of person %d is confidential.\n", n, n)
		w.put(embedder, corpora.Document{ID: id, Title: "Letter", MediaType: "text/markdown", Language: "en", ACL: acl.Allow("group:hr")})
	}
	base := w.serveHTTP(w.server(Options{}), HTTPOptions{})
	key := w.key(bob)
	call := func(tool, arguments string) []byte {
		return []byte(`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{` + modernMeta + `,"name":"` + tool + `","arguments":` + arguments + `}}`)
	}
	var figures []timing
	for _, c := range []struct {
		tool           string
		hidden, absent func() []byte
	}{
		{"fetch", func() []byte { return call("fetch", fmt.Sprintf(`{"id":"hr/letter-%04d.md"}`, 2*rand.IntN(each))) },
			func() []byte { return call("fetch", fmt.Sprintf(`{"id":"hr/letter-%04d.md"}`, 2*rand.IntN(each)+1)) }},
		{"search", func() []byte { return call("search", `{"query":"quokka bonus"}`) },
			func() []byte { return call("search", `{"query":"quoxka bonts"}`) }},
	} {
		f := measure(t, c.tool, *timingSamples, stopwatch(t, base, key, c.tool), c.hidden, c.absent)
		figures = append(figures, f)
		t.Logf("%s", f)
	}
	if f := figures[0]; math.Abs(f.T) >= maxT || math.Abs(f.TrimmedT) >= maxT {
		t.Errorf("fetch: the time tells hidden from absent: |t| is not below %.1f", maxT)
	}
	if *timingOut != "" {
		data, err := json.MarshalIndent(figures, "", "  ")
		must(t, err)
		must(t, os.WriteFile(*timingOut, append(data, '\n'), 0o644))
	}
}

// stopwatch returns what sends one request on a connection that stays open and
// says how long its answer took, in microseconds.
func stopwatch(t *testing.T, base, key, tool string) func([]byte) float64 {
	client := &http.Client{Transport: &http.Transport{MaxIdleConns: 1, MaxConnsPerHost: 1}}
	t.Cleanup(client.CloseIdleConnections)
	var answer bytes.Buffer
	return func(body []byte) float64 {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, base+PathMCP, bytes.NewReader(body))
		must(t, err)
		r.Header = http.Header{"Authorization": {"Bearer " + key}, "Content-Type": {"application/json"}, "Accept": {"application/json, text/event-stream"},
			"Mcp-Protocol-Version": {statelessVersion}, "Mcp-Method": {"tools/call"}, "Mcp-Name": {tool}}
		answer.Reset()
		start := time.Now()
		res, err := client.Do(r)
		must(t, err)
		_, err = io.Copy(&answer, res.Body)
		took := time.Since(start)
		must(t, err)
		res.Body.Close()
		if res.StatusCode != 200 || tool == "fetch" && !strings.Contains(answer.String(), "not_found") {
			t.Fatalf("%d %s", res.StatusCode, answer.String())
		}
		return float64(took.Nanoseconds()) / 1000
	}
}

// timing is how the times of two kinds of requests differ.
type timing struct {
	Tool     string  `json:"tool"`
	Samples  int     `json:"samples"`           // of both kinds together
	Hidden   float64 `json:"hidden_median_us"`  //
	Absent   float64 `json:"absent_median_us"`  //
	T        float64 `json:"welch_t"`           // over all samples
	TrimmedT float64 `json:"welch_t_trimmed"`   // without the slowest 5 %, which are the machine's noise
	AUC      float64 `json:"auc"`               // how often a hidden one is slower than an absent one; .5 is a guess
	Needed   float64 `json:"samples_for_z_4_5"` // of both kinds together, until the difference shows
}

func (f timing) String() string {
	return fmt.Sprintf("%s: %d samples, hidden %.1f µs, absent %.1f µs (medians), Welch t %.2f, %.2f without the slowest 5 %%, AUC %.4f, about %.3g samples to tell them apart",
		f.Tool, f.Samples, f.Hidden, f.Absent, f.T, f.TrimmedT, f.AUC, f.Needed)
}

// measure takes n samples, each of a kind that a coin chooses.
func measure(t *testing.T, tool string, n int, took func([]byte) float64, kinds ...func() []byte) timing {
	t.Helper()
	for range n / 20 { // warm
		took(kinds[rand.IntN(2)]())
	}
	var samples [2][]float64
	for range n {
		kind := rand.IntN(2)
		samples[kind] = append(samples[kind], took(kinds[kind]()))
	}
	all := slices.Sorted(slices.Values(slices.Concat(samples[0], samples[1])))
	limit := all[len(all)*95/100]
	var trimmed [2][]float64
	for i, s := range samples {
		slices.Sort(s)
		cut, _ := slices.BinarySearch(s, limit)
		trimmed[i] = s[:cut]
	}
	f := timing{Tool: tool, Samples: n, Hidden: samples[0][len(samples[0])/2], Absent: samples[1][len(samples[1])/2],
		T: welch(samples[0], samples[1]), TrimmedT: welch(trimmed[0], trimmed[1]), AUC: auc(samples[0], samples[1])}
	f.Needed = math.Pow(maxT/math.Max(math.Abs(f.T), math.Abs(f.TrimmedT)), 2) * float64(n)
	return f
}

// welch is Welch's t of two samples.
func welch(a, b []float64) float64 {
	ma, va := moments(a)
	mb, vb := moments(b)
	return (ma - mb) / math.Sqrt(va/float64(len(a))+vb/float64(len(b)))
}

func moments(s []float64) (mean, variance float64) {
	for _, x := range s {
		mean += x
	}
	mean /= float64(len(s))
	for _, x := range s {
		variance += (x - mean) * (x - mean)
	}
	return mean, variance / float64(len(s)-1)
}

// auc is the share of pairs of two sorted samples in which the first is the greater.
func auc(a, b []float64) float64 {
	var below, equal, sum float64
	j, k := 0, 0
	for _, x := range a {
		for j < len(b) && b[j] < x {
			j++
		}
		for k = max(k, j); k < len(b) && b[k] == x; k++ {
		}
		below, equal = float64(j), float64(k-j)
		sum += below + equal/2
	}
	return sum / float64(len(a)) / float64(len(b))
}

// TestWelch: the figures tell a difference that is there, and none that is not.
func TestWelch(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	var a, b, c []float64
	for range 10_000 {
		a, b, c = append(a, r.NormFloat64()), append(b, r.NormFloat64()), append(c, r.NormFloat64()+0.2)
	}
	for _, s := range [][]float64{a, b, c} {
		slices.Sort(s)
	}
	if same, other := welch(a, b), welch(c, a); math.Abs(same) >= maxT || other < 10 {
		t.Errorf("t of equal samples %.2f, of shifted ones %.2f", same, other)
	}
	if same, other := auc(a, b), auc(c, a); math.Abs(same-.5) > .02 || math.Abs(other-.556) > .02 {
		t.Errorf("AUC of equal samples %.3f, of shifted ones %.3f", same, other)
	}
}
