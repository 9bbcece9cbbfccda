package tools

import (
	"bytes"
	"net/http"
	"strings"
	"testing"
)

// call is a tools/call with raw arguments in the protocol without sessions.
func callOf(tool, arguments string) string {
	return `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"` + tool + `","arguments":` + arguments + `}}`
}

// TestHostileBodies: whatever two readers could see differently is refused or read in one way, and
// nothing makes the server do more than say so.
func TestHostileBodies(t *testing.T) {
	w := newWorld(t)
	base := w.serveHTTP(w.server(Options{}), HTTPOptions{})
	key := w.key(bob)
	const secret, open = `"hr/severance.md"`, `"handbook/leave.md"`
	for name, c := range map[string]struct{ body, has string }{ // has: in the answer; "" is any refusal
		"argument twice":                 {callOf("fetch", `{"id":`+open+`,"id":`+secret+`}`), ""},
		"argument twice, another case":   {callOf("fetch", `{"id":`+open+`,"ID":`+secret+`}`), ""},
		"argument in another case":       {callOf("fetch", `{"Id":`+open+`}`), ""},
		"argument with a dotless i":      {callOf("fetch", `{"ıd":`+open+`}`), ""},
		"argument with a Kelvin sign":    {callOf("search", `{"query":"leave","max_to\u212Aens":500}`), ""},
		"tool name twice":                {strings.Replace(callOf("fetch", `{"id":`+open+`}`), `"name":"fetch"`, `"name":"fetch","name":"search"`, 1), ""},
		"arguments twice":                {strings.Replace(callOf("fetch", `{"id":`+open+`}`), `"arguments"`, `"arguments":{"id":`+secret+`},"arguments"`, 1), ""},
		"method twice":                   {strings.Replace(callOf("fetch", `{"id":`+open+`}`), `"method"`, `"method":"tools/list","method"`, 1), ""},
		"NUL in the query":               {callOf("search", `{"query":"lea\u0000ve"}`), "{"},
		"NUL in an id":                   {callOf("fetch", `{"id":"handbook/leave.md\u0000"}`), ""},
		"lone surrogate":                 {callOf("search", `{"query":"\ud800"}`), "{"},
		"bad UTF-8":                      {callOf("search", "{\"query\":\"\xff\xfe\"}"), "{"},
		"a number beyond all":            {callOf("search", `{"query":"x","limit":1e400}`), ""},
		"a number of 10,000 digits":      {callOf("search", `{"query":"x","limit":`+strings.Repeat("9", 10_000)+`}`), ""},
		"a fraction":                     {callOf("search", `{"query":"x","limit":1.5}`), ""},
		"a whole number in disguise":     {callOf("search", `{"query":"leave","limit":1e0}`), "{"},
		"minus nought":                   {callOf("fetch", `{"id":`+open+`,"offset":-0}`), "{"},
		"an id that is no text":          {callOf("fetch", `{"id":{"id":`+open+`}}`), ""},
		"arguments that are a list":      {callOf("fetch", `[`+open+`]`), ""},
		"arguments that are null":        {callOf("fetch", `null`), ""},
		"a request id that is an object": {strings.Replace(callOf("fetch", `{"id":`+open+`}`), `"id":1`, `"id":{}`, 1), ""},
		"a request id of 64 bits":        {strings.Replace(callOf("fetch", `{"id":`+open+`}`), `"id":1`, `"id":9223372036854775808`, 1), "{"},
		"deep arguments":                 {callOf("fetch", `{"id":`+strings.Repeat("[", 9_000)+strings.Repeat("]", 9_000)+`}`), ""},
		"deeper than the reader goes":    {callOf("fetch", `{"id":`+strings.Repeat("[", 500_000)+strings.Repeat("]", 500_000)+`}`), ""},
		"many names":                     {callOf("fetch", `{`+strings.Repeat(`"x":1,`, 100_000)+`"id":`+open+`}`), ""},
		"a batch":                        {"[" + callOf("fetch", `{"id":`+open+`}`) + "," + callOf("fetch", `{"id":`+secret+`}`) + "]", ""},
		"something after the end":        {callOf("fetch", `{"id":`+open+`}`) + "{}", ""},
		"a comment":                      {"/* */" + callOf("fetch", `{"id":`+open+`}`), ""},
		"a byte order mark":              {"\ufeff" + callOf("fetch", `{"id":`+open+`}`), ""},
	} {
		t.Run(name, func(t *testing.T) {
			for _, version := range []string{"", "2025-11-25"} {
				headers := []string{}
				if version != "" {
					headers = []string{headerSession, begin(t, base, key)}
				}
				res, body := post(t, base, key, version, c.body, headers...)
				if res.StatusCode >= 500 || bytes.Contains(body, []byte("goroutine")) || bytes.Contains(body, []byte("/tools/")) {
					t.Errorf("version %q: %d %.300s", version, res.StatusCode, body)
				}
				if bytes.Contains(body, []byte("two months of salary")) {
					t.Fatalf("version %q: the hidden document is told: %s", version, body)
				}
				refused := res.StatusCode >= 400 || bytes.Contains(body, []byte(`"isError":true`)) || bytes.Contains(body, []byte(`"error":{`))
				if c.has == "" && !refused || !bytes.Contains(body, []byte(c.has)) {
					t.Errorf("version %q: %d %.300s", version, res.StatusCode, body)
				}
			}
			if _, body := post(t, base, key, "", search); !bytes.Contains(body, []byte("handbook/leave.md")) {
				t.Errorf("the server is not well: %.200s", body)
			}
		})
	}
}

// TestHostAndOrigin is the whole matrix on a loopback listener: a request passes if both its Host
// and its Origin are this machine's or allowed.
func TestHostAndOrigin(t *testing.T) {
	w := newWorld(t)
	base := w.serveHTTP(w.server(Options{}), HTTPOptions{PublicURL: "https://kb.example.com/mcp", Origins: []string{"https://chat.example.com"}})
	key := w.key(bob)
	hosts := map[string]bool{
		"localhost:7337": true, "127.0.0.1": true, "127.9.9.9:80": true, "[::1]:7337": true, "LOCALHOST": true, "kb.example.com": true, "KB.example.com:443": true,
		"evil.example": false, "localhost.evil.example": false, "127.0.0.1.evil.example": false, "kb.example.com.evil.example": false, "0.0.0.0": false, "169.254.169.254": false, "evil.example:7337": false, "[::ffff:10.0.0.1]": false,
	}
	origins := map[string]bool{
		"": true, "https://chat.example.com": true, "http://localhost:6274": true, "http://127.0.0.1": true, "http://[::1]:5173": true,
		"null": false, "https://evil.example": false, "http://chat.example.com": false, "https://chat.example.com:444": false, "https://chat.example.com.evil.example": false,
		"https://evil.example#localhost": false, "file://localhost": false, "http://localhost.evil.example": false, "https://CHAT.example.com": false, "chrome-extension://localhost": false,
	}
	for host, hostGood := range hosts {
		for origin, originGood := range origins {
			res, body := post(t, base, key, "", search, "Host", host, "Origin", origin)
			if want := hostGood && originGood; (res.StatusCode == 200) != want || !want && (res.StatusCode != 403 || string(body) != "forbidden\n") {
				t.Errorf("host %q, origin %q: %d %s", host, origin, res.StatusCode, body)
			}
		}
	}
}

// TestContentTypes: a body is JSON that says so, or it is not read.
func TestContentTypes(t *testing.T) {
	w := newWorld(t)
	base := w.serveHTTP(w.server(Options{}), HTTPOptions{})
	key := w.key(bob)
	for kind, good := range map[string]bool{
		"application/json": true, "application/json; charset=utf-8": true, "APPLICATION/JSON": true,
		"": false, "text/plain": false, "text/json": false, "application/x-www-form-urlencoded": false, "multipart/form-data; boundary=x": false, "application/json, text/plain": false,
		"application/jsonp": false, "application/json-patch+json": false, "application": false, "*/*": false,
	} {
		for _, version := range []string{"", "2025-11-25"} {
			if res, _ := post(t, base, key, version, search, "Content-Type", kind); (res.StatusCode == 415) == good {
				t.Errorf("%q, version %q: %d", kind, version, res.StatusCode)
			}
		}
	}
}

// TestResourceTraversal: a URI names the document whose id it holds, byte for byte once decoded,
// or nothing; all that is nothing is answered alike.
func TestResourceTraversal(t *testing.T) {
	w := newWorld(t)
	base := w.serveHTTP(w.server(Options{}), HTTPOptions{})
	key := w.key(bob)
	read := func(uri string) (int, string) {
		body := `{"jsonrpc":"2.0","id":1,"method":"resources/read","params":{"uri":"` + uri + `"}}`
		res, answer := post(t, base, key, "2025-11-25", body, headerSession, begin(t, base, key))
		return res.StatusCode, string(answer)
	}
	if _, answer := read("ken://doc/handbook%2Fleave.md"); !strings.Contains(answer, "26 weeks") {
		t.Fatalf("a good URI: %s", answer)
	}
	_, missing := read("ken://doc/handbook%2Fnothing.md")
	for _, uri := range []string{
		"ken://doc/hr%2Fseverance.md", "ken://doc/handbook%2F..%2Fhr%2Fseverance.md", "ken://doc/../hr/severance.md", "ken://doc/%2e%2e%2fhr%2fseverance.md", "ken://doc/handbook%252Fleave.md",
		"ken://doc/handbook%2Fleave.md%00", "ken://doc//handbook%2Fleave.md", "ken://doc/handbook%2Fleave.md/", "ken://doc/./handbook%2Fleave.md", "ken://doc/handbook%5Cleave.md", "ken://doc/HANDBOOK%2Fleave.md",
		"ken://doc/..%2f..%2f..%2fetc%2fpasswd", "file:///etc/passwd", "ken://other/handbook%2Fleave.md", "ken://user@doc/handbook%2Fleave.md", "ken://doc:1/handbook%2Fleave.md", "ken://doc/", "ken://", "http://localhost/", "ken://doc/%zz", "ken://doc/%",
		"ken://doc/" + strings.Repeat("a", 100_000),
	} {
		if status, answer := read(uri); answer != missing || status >= 500 {
			t.Errorf("%.80s: %d %.300s\nwant %s", uri, status, answer, missing)
		}
	}
}

// TestForgedSessions: an id that this server did not give is no session, whatever it looks like.
func TestForgedSessions(t *testing.T) {
	w := newWorld(t)
	base := w.serveHTTP(w.server(Options{}), HTTPOptions{})
	key := w.key(ann)
	id := begin(t, base, key)
	for _, forged := range []string{strings.ToLower(id), id + "A", id[:len(id)-1], "../" + id, id + "," + id, "0", "null", "*", strings.Repeat("A", 10_000), "%00"} {
		for _, method := range []string{http.MethodPost, http.MethodGet, http.MethodDelete} {
			r, err := http.NewRequestWithContext(t.Context(), method, base+PathMCP, strings.NewReader(search))
			must(t, err)
			r.Header = http.Header{"Authorization": {"Bearer " + key}, "Content-Type": {"application/json"}, "Accept": {"application/json, text/event-stream"}, headerSession: {forged}}
			if res, body := do(t, r); res.StatusCode != 404 || string(body) != "session not found\n" {
				t.Errorf("%s %.40q: %d %s", method, forged, res.StatusCode, body)
			}
		}
	}
	if res, _ := post(t, base, key, "2025-11-25", search, headerSession, id); res.StatusCode != 200 {
		t.Errorf("the true session: %d", res.StatusCode)
	}
}

// TestHeadersAgreeWithTheBody: a proxy that decides by the headers sees what the handler sees.
func TestHeadersAgreeWithTheBody(t *testing.T) {
	w := newWorld(t)
	base := w.serveHTTP(w.server(Options{}), HTTPOptions{})
	key := w.key(bob)
	for name, headers := range map[string][]string{
		"another tool":             {"Mcp-Name", "fetch"},
		"another method":           {"Mcp-Method", "tools/list"},
		"no tool":                  {"Mcp-Name", ""},
		"no method":                {"Mcp-Method", ""},
		"the tool in another case": {"Mcp-Name", "Search"},
		"an older version":         {"Mcp-Protocol-Version", "2025-11-25"},
		"a version of the future":  {"Mcp-Protocol-Version", "2999-01-01"},
		"a version that is none":   {"Mcp-Protocol-Version", "zzz"},
	} {
		res, body := post(t, base, key, "", search, headers...)
		if res.StatusCode < 400 || res.StatusCode >= 500 || bytes.Contains(body, []byte("handbook/leave.md")) {
			t.Errorf("%s: %d %.300s", name, res.StatusCode, body)
		}
	}
}
