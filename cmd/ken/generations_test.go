package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"ken/cmd/ken/internal/config"
	"ken/cmd/ken/internal/wire"
	"ken/corpora/acl"
	"ken/corpora/source/folder"
	"ken/embed"
	"ken/embed/hashed"
	"ken/index/embedded"
	"ken/retrieval"
)

// fakeEmbedder is an OpenAI-compatible server whose vectors depend on the text
// alone. Those of a useless one have nothing to do with what the text says.
func fakeEmbedder(t *testing.T, useless bool) string {
	t.Helper()
	e, err := hashed.New(hashed.Options{Dim: 96})
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var q struct{ Input []string }
		if err := json.NewDecoder(r.Body).Decode(&q); err != nil {
			http.Error(w, "bad request", http.StatusBadRequest)
			return
		}
		vectors, err := e.Embed(r.Context(), embed.Passage, q.Input)
		if err != nil {
			http.Error(w, "no vectors", http.StatusInternalServerError)
			return
		}
		type item struct {
			Index     int          `json:"index"`
			Embedding embed.Vector `json:"embedding"`
		}
		items := make([]item, len(vectors))
		for i, v := range vectors {
			if useless {
				sum := sha256.Sum256([]byte(q.Input[i]))
				random := rand.New(rand.NewChaCha8(sum))
				for j := range v {
					v[j] = float32(random.NormFloat64())
				}
			}
			items[i] = item{i, v}
		}
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(map[string]any{"object": "list", "data": items, "model": "m"})
	}))
	t.Cleanup(s.Close)
	return s.URL + "/v1"
}

// served is the bundled handbook, open as a server has it.
type served struct {
	t    *testing.T
	base *wire.Base
	dir  string
}

func serveHandbook(t *testing.T) *served {
	t.Helper()
	dir := t.TempDir()
	settings := config.Settings{Embedder: config.Embedder{Kind: "hashed", Dim: 256}}
	if err := config.Save(dir, settings); err != nil {
		t.Fatal(err)
	}
	base, err := wire.Open(t.Context(), wire.Options{Dir: dir, Getenv: func(string) string { return "" }, Settings: settings})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = base.Close() })
	source, err := folder.New(os.DirFS("../../corpora/sample/corpus"), folder.Options{Name: "corpus"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := wire.Ingest(t.Context(), base.Store, base.Embedder, wire.IngestOptions{}, source); err != nil {
		t.Fatal(err)
	}
	return &served{t, base, dir}
}

// command runs a command line as the server would that holds the index.
func (s *served) command(args ...string) (code int, out string) {
	s.t.Helper()
	var b bytes.Buffer
	p := &program{
		stdin: strings.NewReader(""), stdout: &b, stderr: &b, getenv: func(string) string { return "" }, now: time.Now,
		host: &host{dir: s.dir, base: s.base}, dir: ".",
	}
	code = p.run(s.t.Context(), append([]string{"--data", s.dir}, args...))
	return code, b.String()
}

func (s *served) must(args ...string) string {
	s.t.Helper()
	code, out := s.command(args...)
	if code != exitOK {
		s.t.Fatalf("ken %s: exit code %d\n%s", strings.Join(args, " "), code, out)
	}
	return out
}

// people ask questions, under load.
var people = []acl.Principal{
	acl.NewPrincipal("user:ines", "group:staff", "group:engineering", "group:leipzig"),
	acl.NewPrincipal("user:tomasz", "group:staff", "group:hr"),
	acl.NewPrincipal("user:priya", "group:staff", "group:finance"),
}

var questions = []string{
	"how many weeks of parental leave do I get", "what is the travel budget", "rotate the on-call", "salary bands level four", "who signs a contract above the limit",
}

// answers collects what was answered under load.
type answers struct {
	mu     sync.Mutex
	seen   map[string]map[string]int // by asker and question, then by answer
	failed []string
}

func (a *answers) add(key string, r retrieval.Response, err error) {
	text, _ := json.Marshal(r)
	a.mu.Lock()
	defer a.mu.Unlock()
	if err != nil || len(r.Degraded) > 0 {
		a.failed = append(a.failed, fmt.Sprintf("%s: %v %q", key, err, r.Degraded))
		return
	}
	if a.seen[key] == nil {
		a.seen[key] = map[string]int{}
	}
	a.seen[key][string(text)]++
}

func (a *answers) count() (n int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, all := range a.seen {
		for _, k := range all {
			n += k
		}
	}
	return n + len(a.failed)
}

// under runs f while others search, and returns what they got.
func (s *served) under(f func(wait func())) *answers {
	got := &answers{seen: map[string]map[string]int{}}
	done := make(chan struct{})
	var load sync.WaitGroup
	for n := range 2 {
		load.Go(func() {
			for i := n; ; i++ {
				select {
				case <-done:
					return
				default:
				}
				who, q := i%len(people), (i/len(people))%len(questions)
				r, err := s.base.Search(s.t.Context(), people[who], retrieval.Request{Query: questions[q]})
				got.add(fmt.Sprint(who, " ", q), r, err)
			}
		})
	}
	f(func() { // until everybody has asked anew
		for n := got.count() + 2*len(people)*len(questions); got.count() < n; {
			time.Sleep(time.Millisecond)
		}
	})
	close(done)
	load.Wait()
	return got
}

// expected returns the answers of one generation.
func (s *served) expected(id uint32) map[string]string {
	s.t.Helper()
	g, _, err := s.base.Generation(id)
	if err != nil {
		s.t.Fatal(err)
	}
	searcher, err := retrieval.New(embedded.InGeneration{Store: s.base.Store, ID: id}, retrieval.Options{Embedder: s.base.EmbedderOf(g.Model)})
	if err != nil {
		s.t.Fatal(err)
	}
	out := map[string]string{}
	for who := range people {
		for q := range questions {
			r, err := searcher.Search(s.t.Context(), people[who], retrieval.Request{Query: questions[q]})
			if err != nil || len(r.Degraded) > 0 {
				s.t.Fatalf("generation %d: %v %q", id, err, r.Degraded)
			}
			text, _ := json.Marshal(r)
			out[fmt.Sprint(who, " ", q)] = string(text)
		}
	}
	return out
}

// TestGenerationsUnderLoad builds, tries out, promotes and rolls back generations
// while people search: no search fails, none lacks a leg, and every answer is to the
// byte that of one generation.
func TestGenerationsUnderLoad(t *testing.T) {
	s := serveHandbook(t)
	gate := []string{"index", "promote", "--set", someQuestions(t)}
	url := fakeEmbedder(t, false)
	got := s.under(func(wait func()) {
		s.must("index", "build", "--embedder", "hashed", "--embed-dim", "512")
		s.must(append(gate, "--percent", "50", "1")...)
		s.must(append(gate, "1")...)
		s.must("index", "build", "--embedder", "openai", "--embed-url", url, "--embed-model", "fake", "--embed-weight", "0.1", "--chunk-max", "300")
		s.must(append(gate, "2")...)
		wait()
		for d, err := range s.base.Store.Documents(t.Context(), "") { // a write of permissions in between
			if err == nil {
				err = s.base.Store.SetACL(t.Context(), d.ID, acl.NewList(append(d.ACL.Allow(), acl.Grants("user:nobody")...), d.ACL.Deny()))
			}
			if err != nil {
				t.Error(err)
			}
			break
		}
		s.must("index", "rollback")
		wait()
		s.must("index", "generations")
	})
	if len(got.failed) > 0 {
		t.Errorf("%d searches failed, first: %s", len(got.failed), got.failed[0])
	}
	possible, total, mixed, differ := []map[string]string{s.expected(0), s.expected(1), s.expected(2)}, 0, 0, 0
	by := [3]int{}
	for key, all := range got.seen {
		if possible[0][key] != possible[2][key] {
			differ++
		}
		for answer, n := range all {
			total += n
			known := false
			for id, p := range possible {
				if answer == p[key] {
					known = true
					by[id] += n
				}
			}
			if !known {
				mixed += n
			}
		}
	}
	t.Logf("%d searches: %d failed, %d mixed; answers that are those of generation 0, 1, 2: %v (%d of %d questions tell 0 and 2 apart)",
		total, len(got.failed), mixed, by, differ, len(got.seen))
	if mixed > 0 {
		t.Errorf("%d answers are those of no generation", mixed)
	}
	if differ == 0 || by[2] == 0 {
		t.Errorf("the generations could not be told apart, or not all of them answered: %v", by)
	}
	if out := s.must("index", "generations"); !strings.Contains(out, "active, ") && !strings.Contains(out, "1           active") {
		t.Errorf("after the rollback:\n%s", out)
	}
	if r, err := s.base.Store.Check(t.Context()); err != nil || len(r.Problems) > 0 {
		t.Errorf("check: %q, %v", r.Problems, err)
	}
}

// TestGateKeepsAGenerationOut: what is worse is not promoted, and the report names
// the metric and the questions.
func TestGateKeepsAGenerationOut(t *testing.T) {
	s := serveHandbook(t)
	file := filepath.Join(t.TempDir(), "suite.yaml")
	text := fmt.Sprintf("version: 1\nname: strict\nsets:\n- path: %s\n  name: some\nthresholds:\n- metric: ndcg@10\n  min: 0.7\n", someQuestions(t))
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	s.must("index", "build", "--embedder", "openai", "--embed-url", fakeEmbedder(t, true), "--embed-model", "useless", "--embed-weight", "0.98")
	code, out := s.command("index", "promote", "--suite", file, "1")
	for _, want := range []string{"FAILED threshold some, hybrid: ndcg@10", "FAILED regression some, hybrid: ndcg@10", " -> ", "generation 1 is not promoted"} {
		if code != exitFailed || !strings.Contains(out, want) {
			t.Errorf("exit code %d, no %q in\n%s", code, want, out)
		}
	}
	if all, err := s.base.Store.Generations(); err != nil || !all[0].Active || all[0].ID != 0 {
		t.Errorf("active: %+v, %v", all, err)
	}
	if out := s.must("index", "generations"); !strings.Contains(out, "failed gates: 2") {
		t.Errorf("generations:\n%s", out)
	}
	t.Log(out)
}

// someQuestions writes a set of twenty questions to the bundled handbook, as one
// person.
func someQuestions(t *testing.T) (dir string) {
	t.Helper()
	dir = t.TempDir()
	from := "../../corpora/sample"
	if err := os.CopyFS(filepath.Join(dir, "corpus"), os.DirFS(filepath.Join(from, "corpus"))); err != nil {
		t.Fatal(err)
	}
	for name, lines := range map[string]int{"queries.jsonl": 20, "qrels.tsv": -1, "users.jsonl": 1} {
		data, err := os.ReadFile(filepath.Join(from, name))
		if err != nil {
			t.Fatal(err)
		}
		if lines > 0 {
			data = bytes.Join(bytes.SplitAfterN(data, []byte("\n"), lines+1)[:lines], nil)
		}
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}
