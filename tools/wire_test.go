package tools

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"
)

// TestWire replays the conversations in testdata/wire and compares every byte
// of the answers. A conversation is a txtar file: its comment tells why it is
// there, "N request" has a line with who asks and the protocol version before
// the body, "N response" has the status before the body. The id of a session
// stands as SESSION and is sent along once it is known.
func TestWire(t *testing.T) {
	files, err := filepath.Glob("testdata/wire/*.txtar")
	must(t, err)
	if len(files) == 0 {
		t.Fatal("no conversations")
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			golden, err := txtar.ParseFile(file)
			must(t, err)
			got := replay(t, golden, filepath.Base(file) == "write.txtar")
			if *update {
				must(t, os.WriteFile(file, txtar.Format(got), 0o644))
				return
			}
			if a, b := txtar.Format(got), txtar.Format(golden); !bytes.Equal(a, b) {
				t.Errorf("the conversation changed; read the diff of go test -update\ngot:\n%s", a)
			}
		})
	}
}

// replay has the conversation anew, with people who write or without.
func replay(t *testing.T, golden *txtar.Archive, writing bool) *txtar.Archive {
	w := newWorld(t)
	var o Options
	if writing {
		o = written(t, w)
	}
	o.Version = "test"
	base := w.serveHTTP(w.server(o), HTTPOptions{})
	keys := map[string]string{"ann": w.key(ann), "bob": w.key(bob), "kim": w.key(kim), "nobody": ""}
	out := &txtar.Archive{Comment: golden.Comment}
	var session string
	for _, f := range golden.Files {
		n, isRequest := strings.CutSuffix(f.Name, " request")
		if !isRequest {
			continue
		}
		head, body, _ := strings.Cut(string(f.Data), "\n")
		who, version, _ := strings.Cut(head, " ")
		headers := wireHeaders(t, version, body)
		if session != "" && version < statelessVersion {
			headers = append(headers, headerSession, session)
		}
		res, answer := post(t, base, keys[who], version, strings.TrimSpace(body), headers...)
		if id := res.Header.Get(headerSession); id != "" {
			session = id
		}
		text := fmt.Sprintf("%d %s\n%s\n", res.StatusCode, res.Header.Get("Content-Type"), pretty(answer))
		if session != "" {
			text = strings.ReplaceAll(text, session, "SESSION")
		}
		out.Files = append(out.Files, f, txtar.File{Name: n + " response", Data: []byte(text)})
	}
	return out
}

// wireHeaders repeats parts of the body, as the protocol without sessions wants.
func wireHeaders(t *testing.T, version, body string) []string {
	t.Helper()
	if version != "none" && version < statelessVersion {
		return nil
	}
	var m struct {
		Method string
		Params struct{ Name, URI string }
	}
	_ = json.Unmarshal([]byte(body), &m) // a body that is no JSON has no headers
	return []string{"Mcp-Method", m.Method, "Mcp-Name", m.Params.Name + m.Params.URI}
}

func pretty(body []byte) string {
	var b bytes.Buffer
	if json.Indent(&b, body, "", " ") != nil {
		return strings.TrimSpace(string(body))
	}
	return b.String()
}
