package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"ken/corpora/source/spool"
	"ken/corpora/source/webhook"
)

const pushSecret = "an example secret of thirty bytes"

// startWebhook runs ken watch --webhook and returns the URL that takes pushes,
// and its output. The caller ends it.
func startWebhook(t *testing.T, data string) (cmd *exec.Cmd, url string, out *bufio.Reader) {
	t.Helper()
	cmd = ken(t, data, "watch", "--every", "1h", "--webhook", "127.0.0.1:0")
	cmd.Env = append(cmd.Env, "KEN_SECRET_CRM="+pushSecret)
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	stderr, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewReader(stderr)
	line, err := lines.ReadString('\n')
	at, ok := strings.CutPrefix(strings.TrimSpace(line), "taking pushes on ")
	if !ok || err != nil {
		t.Fatalf("the watcher says %q, %v", line, err)
	}
	go io.Copy(os.Stderr, lines)
	return cmd, strings.TrimSuffix(at, "NAME"), bufio.NewReader(stdout)
}

// push sends a message as the application crm would.
func push(t *testing.T, base, message string) (status int) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, base+"crm", strings.NewReader(message))
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set(webhook.TimestampHeader, fmt.Sprint(now.Unix()))
	r.Header.Set(webhook.SignatureHeader, webhook.Sign([]byte(pushSecret), "crm", now, []byte(message)))
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode
}

// pushable is a data directory with a source that is pushed to, and its configuration.
func pushable(t *testing.T) (data, file string) {
	t.Helper()
	dir := t.TempDir()
	data, file = filepath.Join(dir, "data"), filepath.Join(dir, "ken.yaml")
	put(t, file, "version: 1\nsources:\n  - {name: crm, url: 'webhook://', owner: user:me}\n")
	mustRun(t, ken(t, data, "ingest", "crm", "--config", file))
	return data, file
}

// TestWebhook shows that a served knowledge base answers from what was pushed,
// with its readers, and no more from what was deleted by its application.
func TestWebhook(t *testing.T) {
	data, _ := pushable(t)
	key := mustRun(t, ken(t, data, "keys", "create", "--as", "user:ann"))
	url := startServer(t, data)
	watcher, base, lines := startWebhook(t, data)
	t.Cleanup(func() {
		_ = watcher.Process.Signal(os.Interrupt)
		if err := watcher.Wait(); err != nil {
			t.Errorf("the watcher ended with %v after an interrupt", err)
		}
	})
	for _, step := range []struct {
		message string
		status  int
		found   int
	}{
		{`{"id": "a.md", "version": 2, "text": "Parental leave is sixteen weeks.", "acl": {"allow": ["user:ann"]}}`, 200, 1},
		{`{"id": "a.md", "version": 1, "text": "Parental leave is unknown.", "acl": {"allow": ["everyone"]}}`, 409, 1},
		{`{"id": "b.md", "version": 1, "text": "Parental leave of others.", "acl": {"allow": ["user:bob"]}}`, 200, 1},
		{`{"id": "c.md", "version": 1, "text": "Parental leave, of which nothing is said."}`, 200, 1},
		{`{"id": "d.md", "version": 1, "text": "Parental leave", "acl": {"allow": ["ann"]}}`, 400, 1},
		{`{"id": "b.md", "version": 2, "text": "Parental leave of all.", "acl": {"allow": ["authenticated"]}}`, 200, 2},
		{`{"op": "delete", "id": "a.md", "version": 3}`, 200, 1},
	} {
		if status := push(t, base, step.message); status != step.status {
			t.Fatalf("%s: status %d, want %d", step.message, status, step.status)
		}
		if step.status == http.StatusOK {
			if line, err := lines.ReadString('\n'); err != nil || !strings.Contains(line, "crm: 1 changed") {
				t.Fatalf("the watcher says %q, %v", line, err)
			}
		}
		answer, err := callSearch(t.Context(), url, key, "parental leave")
		if err != nil || len(answer.Results) != step.found {
			t.Fatalf("after %s ann gets %d results, %v; want %d", step.message, len(answer.Results), err, step.found)
		}
	}
	// What an operator erases is gone from what was pushed, too, and kept out.
	mustRun(t, ken(t, data, "delete", "--source", "crm", "--id", "crm/c.md", "--reason", "a test", "--receipt", filepath.Join(t.TempDir(), "r.json")))
	if where := holding(t, data, "of which nothing is said"); len(where) > 0 {
		t.Errorf("what was erased is in %v", where)
	}
	if status := push(t, base, `{"id": "c.md", "version": 2, "text": "back"}`); status != http.StatusGone {
		t.Errorf("what was erased can be pushed: %d", status)
	}
}

// holding are the files below a directory that have the text in them as it is.
func holding(t *testing.T, dir, text string) (out []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, e os.DirEntry, err error) error {
		if err != nil || !e.Type().IsRegular() {
			return err
		}
		data, err := os.ReadFile(path)
		if strings.Contains(string(data), text) {
			out = append(out, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// TestAcknowledgedPushesSurvive kills the watcher at once after its last answer,
// while the index is held by nobody or in the middle of a run.
func TestAcknowledgedPushesSurvive(t *testing.T) {
	data, file := pushable(t)
	acknowledged := 0
	for round := range 3 {
		watcher, base, _ := startWebhook(t, data)
		for range 4 + round {
			if push(t, base, fmt.Sprintf(`{"id": "%d.md", "version": 1, "text": "number %d"}`, acknowledged, acknowledged)) == http.StatusOK {
				acknowledged++
			}
		}
		if err := watcher.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = watcher.Wait() // it was killed
	}
	mustRun(t, ken(t, data, "ingest", "crm", "--config", file))
	if got := exported(t, data, "crm"); acknowledged != 15 || len(got) != acknowledged {
		t.Errorf("%d acknowledged of 15, %d there: %v", acknowledged, len(got), slices.Sorted(maps.Keys(got)))
	}
}

// TestReplayedPushesExportTheSame: three replays in three orders, and one export.
func TestReplayedPushesExportTheSame(t *testing.T) {
	var messages []string
	for id := range 6 {
		for v := 1; v <= 4; v++ {
			m := map[string]any{"id": fmt.Sprintf("d%d.md", id), "version": v}
			if (id+v)%4 == 0 {
				m["op"] = "delete"
			} else {
				m["text"], m["acl"] = fmt.Sprintf("# Page %d\n\nState %d.\n", id, v), map[string]any{"allow": []string{fmt.Sprintf("user:u%d", v)}}
			}
			text, err := json.Marshal(m)
			if err != nil {
				t.Fatal(err)
			}
			messages = append(messages, string(text))
		}
	}
	var want string
	for replay := range 3 {
		data, file := pushable(t)
		s, err := spool.Open(mkdir(t, data, "spool", "crm"))
		if err != nil {
			t.Fatal(err)
		}
		all := slices.Concat(messages, messages, messages)
		rand.New(rand.NewPCG(uint64(replay), 1)).Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
		for i, m := range all {
			if _, err := s.Take([]byte(m), "test"); err != nil {
				t.Fatal(err)
			}
			if i%30 == 29 { // in the middle of the replay, too
				mustRun(t, ken(t, data, "ingest", "crm", "--config", file))
			}
		}
		mustRun(t, ken(t, data, "ingest", "crm", "--config", file))
		got := mustRun(t, ken(t, data, "export", "-"))
		_, got, _ = strings.Cut(got, "\n") // the first line has the time
		if want == "" {
			want = got
		}
		if got != want || strings.Count(got, `"id":"crm/d`) != 4 {
			t.Errorf("replay %d exports\n%s\nwant\n%s", replay, got, want)
		}
	}
}

// The pause after a failure grows, and has an end.
func TestPause(t *testing.T) {
	for failed, want := range []time.Duration{time.Second, 2 * time.Second, 4 * time.Second, 8 * time.Second, 16 * time.Second, 32 * time.Second, time.Minute, time.Minute} {
		if got := pause(failed); got > want || got < want*3/4 {
			t.Errorf("after %d failures: %s, want up to %s", failed, got, want)
		}
	}
	if got := pause(1 << 40); got > time.Minute || got < 45*time.Second {
		t.Errorf("after very many failures: %s", got)
	}
}
