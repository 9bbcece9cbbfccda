package judge_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"ken/corpora"
	"ken/eval"
	"ken/eval/judge"
	"ken/retrieval"
)

// model is an OpenAI-compatible endpoint. It answers with the first passage's
// last word, and judges that right if a gold answer holds it; judgement number 2
// always says no. fault may spoil an attempt at a request, counted from 0.
type model struct {
	*httptest.Server
	fault func(w http.ResponseWriter, user string, attempt int) bool

	mu       sync.Mutex
	attempts map[string]int
	requests int
}

type chat struct {
	Model    string `json:"model"`
	Seed     int    `json:"seed"`
	Messages []struct{ Role, Content string }
	Format   struct {
		Type   string `json:"type"`
		Schema struct {
			Name   string `json:"name"`
			Strict bool   `json:"strict"`
			Schema struct{ Required []string }
		} `json:"json_schema"`
	} `json:"response_format"`
}

func serve(t *testing.T, fault func(w http.ResponseWriter, user string, attempt int) bool) *model {
	m := &model{fault: fault, attempts: make(map[string]int)}
	m.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { m.chat(t, w, r) }))
	t.Cleanup(m.Close)
	return m
}

func (m *model) chat(t *testing.T, w http.ResponseWriter, r *http.Request) {
	var q chat
	if err := json.NewDecoder(r.Body).Decode(&q); err != nil || r.URL.Path != "/v1/chat/completions" || r.Header.Get("Authorization") != "Bearer secret" {
		t.Errorf("request to %s with %q: %v", r.URL.Path, r.Header.Get("Authorization"), err)
	}
	if q.Format.Type != "json_schema" || !q.Format.Schema.Strict || len(q.Format.Schema.Schema.Required) != 3 {
		t.Errorf("response format %+v", q.Format)
	}
	user := q.Messages[1].Content
	m.mu.Lock()
	id := fmt.Sprint(q.Seed, user)
	attempt := m.attempts[id]
	m.attempts[id]++
	m.requests++
	m.mu.Unlock()
	if m.fault != nil && m.fault(w, user, attempt) {
		return
	}
	reply := answerOf(user)
	if q.Format.Schema.Name == "verdict" {
		reply = verdictOf(user, q.Seed)
	}
	say(w, reply)
}

func say(w http.ResponseWriter, reply string) {
	json.NewEncoder(w).Encode(map[string]any{
		"choices": []any{map[string]any{"message": map[string]any{"role": "assistant", "content": reply}}},
		"usage":   map[string]any{"prompt_tokens": 100, "completion_tokens": 10},
	})
}

func answerOf(user string) string {
	_, rest, ok := strings.Cut(user, "status=\"\">\n")
	if !ok {
		return `{"answerable":false,"answer":"","passages":[]}`
	}
	text, _, _ := strings.Cut(rest, "\n</passage>")
	words := strings.Fields(text)
	return fmt.Sprintf(`{"answerable":true,"answer":%q,"passages":[1]}`, words[len(words)-1])
}

func verdictOf(user string, try int) string {
	_, rest, _ := strings.Cut(user, "Answer: ")
	answer, _, _ := strings.Cut(rest, "\n")
	gold, _, _ := strings.Cut(user, "\nAnswer: ")
	right := strings.Contains(gold, "- "+answer+"\n") && try != 2
	return fmt.Sprintf(`{"reason":"compared","correct":%v,"faithful":true}`, right)
}

// cases are n questions: of four, two are answered rightly, one wrongly, and one
// has nothing to be answered from.
func cases(n int) []eval.Case {
	var out []eval.Case
	for i := range n {
		c := eval.Case{Query: fmt.Sprint("q", i), Persona: "user:ann", Text: fmt.Sprintf("What is the number of part %d?", i), Answerable: true, Answers: []string{fmt.Sprint(i)}}
		said := fmt.Sprint(i)
		switch i % 4 {
		case 2:
			said = "unknown"
		case 3:
			c.Answerable, c.Answers = false, nil
		}
		if c.Answerable {
			c.Response.Results = []retrieval.Result{{Document: corpora.Document{ID: "doc"}, Passages: []retrieval.Passage{{Text: fmt.Sprintf("The number of part %d is %s", i, said)}}}}
		}
		out = append(out, c)
	}
	return out
}

func options(t *testing.T, m *model) judge.Options {
	return judge.Options{
		URL: m.URL + "/v1", Key: "secret", Model: "small", Backoff: time.Millisecond, Timeout: 200 * time.Millisecond, Retries: 6,
		Recordings: judge.Recordings{Dir: filepath.Join(t.TempDir(), "recordings")}, PromptPrice: 1, CompletionPrice: 10,
	}
}

func run(t *testing.T, n int, o judge.Options) judge.Report {
	t.Helper()
	r, err := judge.Run(t.Context(), cases(n), o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestRun(t *testing.T) {
	m := serve(t, nil)
	o := options(t, m)
	r := run(t, 40, o)
	if r.Asked != 40 || r.Failed != 0 || r.Correct.Mean != .75 || r.Answered.Mean != 20./30 || r.Abstained.Mean != 1 || r.Faithful.Mean != 1 {
		t.Errorf("report %+v", r)
	}
	if r.Correct.Questions != 40 || !(r.Correct.Interval.Low < .75 && r.Correct.Interval.High > .75) {
		t.Errorf("rate %+v", r.Correct)
	}
	if want := (20*2./3 + 10) / 30; r.Agreement < want-1e-9 || r.Agreement > want+1e-9 || r.Unanimous != 10./30 {
		t.Errorf("agreement %v, unanimous %v; one judgement of three dissents on 20 of 30 answers", r.Agreement, r.Unanimous)
	}
	// 40 answers, and 30 that are judged 3 times
	if want := (judge.Usage{Requests: 130, PromptTokens: 13_000, CompletionTokens: 1_300, Cost: .026}); r.Usage != want || m.requests != 130 {
		t.Errorf("usage %+v, want %+v; %d requests", r.Usage, want, m.requests)
	}
	again := run(t, 40, o)
	if again.Usage != (judge.Usage{Recorded: 130}) || m.requests != 130 || !reflect.DeepEqual(again.Outcomes, r.Outcomes) {
		t.Errorf("a rerun cost %+v, outcomes equal: %v", again.Usage, reflect.DeepEqual(again.Outcomes, r.Outcomes))
	}
	m.Close()
	o.URL, o.Replay = "", true
	if replayed := run(t, 40, o); !reflect.DeepEqual(replayed.Outcomes, r.Outcomes) {
		t.Errorf("replayed %+v", replayed)
	}
	if longer := run(t, 44, o); longer.Failed != 4 || !strings.Contains(longer.Outcomes[41].Failed, "not recorded") {
		t.Errorf("a replay of 44 questions of which 40 are recorded: %d failed, %+v", longer.Failed, longer.Outcomes[41])
	}
}

// spoil breaks the first four attempts at every request, each in another way.
func spoil(w http.ResponseWriter, _ string, attempt int) bool {
	switch attempt {
	case 0:
		w.WriteHeader(http.StatusInternalServerError)
	case 1:
		w.Header().Set("Retry-After", "0")
		w.WriteHeader(http.StatusTooManyRequests)
	case 2:
		say(w, `{"answerable":true,"answer":""`)
	case 3:
		fmt.Fprint(w, "<html>")
	default:
		return false
	}
	return true
}

// An endpoint that fails, turns away and babbles loses no question and changes
// no count.
func TestFaultsLoseNothing(t *testing.T) {
	r := run(t, 12, options(t, serve(t, spoil)))
	if r.Failed != 0 || r.Correct.Mean != .75 || r.Usage.Retries != 4*(12+9*3) || r.Usage.Requests != 5*(12+9*3) {
		t.Errorf("report %+v", r)
	}
}

func TestSlowAnswersAreAskedAgain(t *testing.T) {
	done := make(chan struct{})
	m := serve(t, func(w http.ResponseWriter, user string, attempt int) bool {
		if attempt == 0 && strings.HasSuffix(user, "part 1?") {
			<-done
			return true
		}
		return false
	})
	defer close(done)
	if r := run(t, 4, options(t, m)); r.Failed != 0 || r.Usage.Retries != 1 || r.Correct.Mean != .75 {
		t.Errorf("report %+v", r)
	}
}

// What fails for good is counted and told, and the next run asks nothing else.
func TestResume(t *testing.T) {
	down := true
	m := serve(t, func(w http.ResponseWriter, user string, _ int) bool {
		if down && strings.Contains(user, "part 5") {
			w.WriteHeader(http.StatusServiceUnavailable)
			return true
		}
		return false
	})
	o := options(t, m)
	o.Retries = 1
	first := run(t, 12, o)
	if first.Asked != 12 || first.Failed != 1 || first.Correct.Questions != 11 || first.Outcomes[5].Failed != "model endpoint: server error (status 503)" {
		t.Errorf("report %+v", first)
	}
	down = false
	second := run(t, 12, o)
	if second.Failed != 0 || second.Usage.Requests != 4 || second.Correct.Mean != .75 {
		t.Errorf("the second run: %+v", second.Usage)
	}
}

// A wrong key is not tried again and again, and what is told of it holds no secret.
func TestRefusal(t *testing.T) {
	m := serve(t, func(w http.ResponseWriter, _ string, _ int) bool {
		w.WriteHeader(http.StatusUnauthorized)
		fmt.Fprint(w, `{"error":{"message":"bad key secret"}}`)
		return true
	})
	r := run(t, 4, options(t, m))
	if r.Failed != 4 || r.Usage.Requests != 4 || r.Outcomes[0].Failed != "model endpoint: refused (status 401)" {
		t.Errorf("report %+v", r)
	}
}

func TestMalformedForGood(t *testing.T) {
	for reply, want := range map[string]string{
		`{"answerable":true,"answer":"5"}`:                `no field "passages"`,
		`{"answerable":1,"answer":"5","passages":[]}`:     "wrong type",
		`{"answerable":true,"answer":" ","passages":[]}`:  "empty answer",
		`{"answerable":null,"answer":"5","passages":[1]}`: `no field "answerable"`,
		`the answer is 5`: "no JSON object",
	} {
		m := serve(t, func(w http.ResponseWriter, _ string, _ int) bool { say(w, reply); return true })
		o := options(t, m)
		o.Retries = -1
		if r := run(t, 1, o); r.Failed != 1 || !strings.Contains(r.Outcomes[0].Failed, want) || r.Usage.PromptTokens != 100 {
			t.Errorf("%s: %+v", reply, r.Outcomes)
		}
	}
}

// A recording that a crash left half is made anew, and holds no passage.
func TestRecordings(t *testing.T) {
	m := serve(t, nil)
	o := options(t, m)
	run(t, 1, o)
	files, err := filepath.Glob(filepath.Join(o.Recordings.Dir, "*", "*.json"))
	if err != nil || len(files) != 4 {
		t.Fatalf("recordings %q, %v", files, err)
	}
	for _, f := range files {
		data, err := os.ReadFile(f)
		if err != nil || strings.Contains(string(data), "number of part") {
			t.Errorf("%s: %s, %v", f, data, err)
		}
		if err := os.WriteFile(f, data[:len(data)/2], 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if r := run(t, 1, o); r.Failed != 0 || r.Usage.Requests != 4 {
		t.Errorf("report %+v", r)
	}
}

func TestCancel(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	m := serve(t, func(http.ResponseWriter, string, int) bool { cancel(); return false })
	if _, err := judge.Run(ctx, cases(50), options(t, m)); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
}

func TestOptions(t *testing.T) {
	for name, o := range map[string]judge.Options{
		"no model":      {URL: "http://x"},
		"no URL":        {Model: "m"},
		"a file":        {Model: "m", URL: "file:///etc/passwd"},
		"a password":    {Model: "m", URL: "http://a:b@x"},
		"a bare replay": {Model: "m", Replay: true},
		"negative":      {Model: "m", URL: "http://x", Times: -1},
	} {
		if _, err := judge.Run(t.Context(), nil, o); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
