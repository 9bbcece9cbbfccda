package twin

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strings"

	"ken/corpora"
	"ken/corpora/acl"
)

// request is one line to send.
type request struct {
	modern bool // protocol 2026-07-28: no handshake, each request stands alone
	method string
	line   []byte
}

func newRequest(id int, modern bool, method string, params map[string]any) request {
	if modern {
		params["_meta"] = map[string]any{
			"io.modelcontextprotocol/protocolVersion":    "2026-07-28",
			"io.modelcontextprotocol/clientCapabilities": map[string]any{"elicitation": map[string]any{}},
			"io.modelcontextprotocol/clientInfo":         map[string]any{"name": "twin", "version": "1"},
		}
	}
	line, err := json.Marshal(map[string]any{"jsonrpc": "2.0", "id": id, "method": method, "params": params})
	if err != nil { // strings, numbers and lists only
		panic(err)
	}
	return request{modern, method, line}
}

// requests are one of everything that a client can ask, and more of what has the
// most to tell: searches and fetches.
func (w *world) requests(p acl.Principal, n int) []request {
	var out []request
	for i := range n {
		method, params := w.request(p, i)
		out = append(out, newRequest(i+1, w.chance(4), method, params))
	}
	return out
}

// request draws what to ask. The first few are drawn in turn, so that each kind is asked.
func (w *world) request(p acl.Principal, i int) (string, map[string]any) {
	kinds := []func(acl.Principal) (string, map[string]any){
		w.search, w.fetch, w.list, w.read, w.complete, w.prompt, w.wrong, w.static, w.administer, w.feedback, w.versions, w.compose,
		w.search, w.search, w.search, w.search, w.fetch, w.fetch, w.wrong, w.complete,
	}
	if w.asking {
		kinds = kinds[:8] // those that change nothing
	}
	if i < len(kinds) {
		return kinds[i](p)
	}
	return pick(w, kinds)(p)
}

func call(tool string, arguments map[string]any) (string, map[string]any) {
	return "tools/call", map[string]any{"name": tool, "arguments": arguments}
}

func (w *world) search(acl.Principal) (string, map[string]any) {
	a := map[string]any{"query": w.query()}
	if w.chance(2) {
		a["limit"] = 1 + w.rng.IntN(12)
	}
	if w.chance(2) {
		a["max_tokens"] = 1 + w.rng.IntN(300)
	}
	if w.chance(2) {
		a["mode"] = pick(w, []string{"hybrid", "lexical", "vector"})
	}
	for _, f := range []struct {
		name   string
		values []string
	}{{"source", sources}, {"tags", labels}, {"class", classes[1:]}, {"language", []string{"en", "de", "zh"}}} {
		if w.chance(8) {
			a[f.name] = []string{pick(w, f.values)}
		}
	}
	if w.chance(8) {
		a["include_superseded"] = true
	}
	if w.chance(8) {
		a["after"] = w.now.AddDate(0, 0, -w.rng.IntN(400)).Format("2006-01-02")
	}
	return call("search", a)
}

// query is made of words that all share, words that one document alone has (whoever may
// read it), and beginnings of words.
func (w *world) query() string {
	language := pick(w, []string{"en", "en", "de", "zh"})
	parts := []string{w.phrase(language, 4)}
	if w.chance(3) {
		parts = append(parts, rare(1+w.rng.IntN(w.number+1), 0))
	}
	if w.chance(6) {
		word := pick(w, words["en"])
		parts = append(parts, word[:len(word)-1])
	}
	if w.chance(5) {
		parts = append(parts, `"`+w.quote()+`"`)
	}
	if w.chance(5) {
		parts = append(parts, w.beginning()+"*")
	}
	return strings.Join(parts, " ")
}

// quote is two or three words that stand next to each other in a document, whoever
// may read it, or words that may stand so nowhere.
func (w *world) quote() string {
	if len(w.docs) == 0 || w.chance(4) {
		return w.phrase("en", 2)
	}
	fields := strings.Fields(pick(w, w.docs).text)
	at := w.rng.IntN(len(fields))
	return strings.Join(fields[at:min(at+2+w.rng.IntN(2), len(fields))], " ")
}

// beginning is one of the words that documents have alone, of many or few of them,
// or of a word that they share.
func (w *world) beginning() string {
	if w.chance(2) {
		word := rare(1+w.rng.IntN(w.number+1), 0)
		return word[:2+w.rng.IntN(len(word)-1)]
	}
	word := pick(w, words["en"])
	return word[:2+w.rng.IntN(len(word)-1)]
}

// id is mostly that of a document, whoever may read it; else of one that is gone or never was.
func (w *world) id() string {
	switch n := w.rng.IntN(8); {
	case n == 0 && len(w.gone) > 0:
		return string(pick(w, w.gone))
	case n == 1:
		return fmt.Sprintf("hr/pay/%03d.md", w.rng.IntN(2*w.number+1))
	case n == 2 && len(w.docs) > 0:
		return strings.ToUpper(string(pick(w, w.docs).ID))
	case len(w.docs) > 0:
		return string(pick(w, w.docs).ID)
	}
	return "wiki/none.md"
}

func (w *world) fetch(acl.Principal) (string, map[string]any) {
	id := w.id()
	a := map[string]any{"id": id}
	if w.chance(3) {
		a["version"] = w.versionOf(corpora.DocID(id))
	}
	if w.chance(3) {
		a["offset"] = w.rng.IntN(400)
	}
	if w.chance(3) {
		a["max_tokens"] = 64 + w.rng.IntN(100)
	}
	return call("fetch", a)
}

func (w *world) versions(acl.Principal) (string, map[string]any) {
	return call("list_versions", map[string]any{"id": w.id()})
}

// versionOf is mostly one that the document has or had; else one of another, or none.
func (w *world) versionOf(id corpora.DocID) string {
	if past := w.past[id]; len(past) > 0 && !w.chance(4) {
		return pick(w, past).Version
	}
	switch w.rng.IntN(3) {
	case 0:
		if len(w.docs) > 0 {
			return pick(w, w.docs).Version
		}
	case 1:
		for _, d := range w.docs {
			if d.ID == id {
				return d.Version
			}
		}
	}
	return strings.Repeat("0f", 16)
}

func (w *world) feedback(acl.Principal) (string, map[string]any) {
	a := map[string]any{"query": w.query(), "id": w.id(), "useful": w.chance(2)}
	if w.chance(2) {
		a["start"], a["end"] = w.rng.IntN(100), 100+w.rng.IntN(100)
	}
	return call("feedback", a)
}

func (w *world) list(acl.Principal) (string, map[string]any) {
	if w.chance(4) {
		return "resources/list", map[string]any{"cursor": pick(w, []string{"x", "AAAA", strings.Repeat("A", 64)})}
	}
	return "resources/list", map[string]any{}
}

func (w *world) read(acl.Principal) (string, map[string]any) {
	uri := "ken://doc/" + url.PathEscape(w.id())
	if w.chance(5) {
		uri = pick(w, []string{"ken://doc/", "ken://doc/..%2f..%2fetc", "file:///etc/passwd", "ken://other/x"})
	}
	return "resources/read", map[string]any{"uri": uri}
}

func (w *world) complete(acl.Principal) (string, map[string]any) {
	id := w.id()
	ref := map[string]any{"type": "ref/resource", "uri": "ken://doc/{id}"}
	argument := "id"
	if w.chance(3) {
		ref, argument = map[string]any{"type": "ref/prompt", "name": "answer_with_citations"}, "document"
	}
	return "completion/complete", map[string]any{"ref": ref, "argument": map[string]any{"name": argument, "value": id[:w.rng.IntN(len(id)+1)]}}
}

func (w *world) prompt(acl.Principal) (string, map[string]any) {
	return "prompts/get", map[string]any{"name": "answer_with_citations", "arguments": map[string]any{"question": w.query(), "document": w.id()}}
}

// wrong asks in a way that has an error for an answer.
func (w *world) wrong(acl.Principal) (string, map[string]any) {
	id := w.id()
	switch w.rng.IntN(12) {
	case 0:
		return call("search", map[string]any{"query": ""})
	case 1:
		return call("search", map[string]any{"query": w.query(), "limit": 5000})
	case 2:
		return call("fetch", map[string]any{"id": id, "offset": 1 << 30})
	case 3:
		return call("fetch", map[string]any{"id": []string{id}})
	case 4:
		return call("delete", map[string]any{"id": id})
	case 5:
		return call("search", map[string]any{"query": w.query(), "acl": "all"})
	case 6:
		return "prompts/get", map[string]any{"name": id}
	case 7:
		return "resources/subscribe", map[string]any{"uri": "ken://doc/" + url.PathEscape(id)}
	case 8:
		return "logging/setLevel", map[string]any{"level": "debug"}
	case 9:
		return "documents/all", map[string]any{}
	case 10:
		return "completion/complete", map[string]any{"ref": map[string]any{"type": "ref/prompt", "name": "other"}, "argument": map[string]any{"name": "x", "value": "w"}}
	}
	return call("search", map[string]any{"query": w.query(), "path": []string{id}, "before": "soon"})
}

func (w *world) static(acl.Principal) (string, map[string]any) {
	return pick(w, []string{"tools/list", "prompts/list", "resources/templates/list", "ping", "server/discover"}), map[string]any{}
}
