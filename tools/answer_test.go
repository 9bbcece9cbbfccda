package tools

import (
	"encoding/json"
	"reflect"
	"testing"

	"github.com/modelcontextprotocol/go-sdk/mcp"
	"pgregory.net/rapid"
)

// However an answer is encoded, clients read what the library's own type would say.
func TestPlainResultSaysTheSame(t *testing.T) {
	text := rapid.OneOf(rapid.String(), rapid.StringOf(rapid.RuneFrom([]rune("<>&\"\\\u2028\n\x00é"))))
	rapid.Check(t, func(t *rapid.T) {
		what := searchAnswer{RetrievedAt: text.Draw(t, "time"), Results: []searchResult{{
			Title: text.Draw(t, "title"), Score: rapid.Float64().Draw(t, "score"), Tags: rapid.SliceOf(text).Draw(t, "tags"),
			Snippet: snippet{Text: text.Draw(t, "snippet"), Highlights: [][2]int{{1, 2}}}, Passages: []passage{{Text: text.Draw(t, "passage")}},
		}}}
		meta := rapid.MapOf(text, text.AsAny()).Draw(t, "meta")
		res := answer(what)
		res.Meta = meta
		req := &mcp.CallToolRequest{Session: &mcp.ServerSession{}}
		got := decoded(t, plain(req, res))
		if got["resultType"] != "complete" {
			t.Fatalf("result type %v", got["resultType"])
		}
		delete(got, "resultType") // of a completed result, which TestWire compares
		res.StructuredContent = json.RawMessage(encode(what))
		if want := decoded(t, res); !reflect.DeepEqual(got, want) {
			t.Fatalf("got  %v\nwant %v", got, want)
		}
	})
}

func decoded(t *rapid.T, v any) (out map[string]any) {
	t.Helper()
	if err := json.Unmarshal(encode(v), &out); err != nil {
		t.Fatal(err)
	}
	return out
}
