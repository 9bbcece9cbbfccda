package tools

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"

	"github.com/google/jsonschema-go/jsonschema"
	"github.com/tiktoken-go/tokenizer"
)

// What is advertised is complete, small and the same for everyone.
func TestDefinitions(t *testing.T) {
	w := newWorld(t)
	c := dialPipe(t, w.server(Options{}), bob, "")
	tools, err := c.ListTools(t.Context(), nil)
	must(t, err)
	if tools.CacheScope != "private" || tools.TTLMs != 0 || len(tools.Tools) != 3 {
		t.Errorf("%d tools with cache hint %+v", len(tools.Tools), tools.Cacheable)
	}
	codec, err := tokenizer.Get(tokenizer.O200kBase)
	must(t, err)
	n, err := codec.Count(string(encode(tools.Tools)))
	must(t, err)
	t.Logf("definitions have %d tokens", n)
	if n > 2000 {
		t.Errorf("definitions have %d tokens, more than 2,000", n)
	}
	for _, tool := range tools.Tools {
		a := tool.Annotations
		if tool.Title == "" || a == nil || !a.ReadOnlyHint || *a.DestructiveHint || *a.OpenWorldHint || !a.IdempotentHint || tool.Meta["anthropic/maxResultSizeChars"] == nil {
			t.Errorf("%s lacks a title or hints: %+v", tool.Name, tool)
		}
		if !regexp.MustCompile(`^[A-Za-z0-9_.-]{1,64}$`).MatchString(tool.Name) {
			t.Errorf("bad name %q", tool.Name)
		}
		for _, schema := range []any{tool.InputSchema, tool.OutputSchema} {
			if text := string(encode(schema)); strings.Contains(text, "null") || !strings.Contains(text, `"additionalProperties":false`) {
				t.Errorf("%s has schema %s", tool.Name, text)
			}
		}
	}
	if len(instructions) >= 2048 || !strings.HasPrefix(instructions, "Search this knowledge base before you answer") {
		t.Errorf("instructions have %d characters", len(instructions))
	}
	caps := c.InitializeResult().Capabilities
	if strings.Contains(string(encode(caps)), "logging") || caps.Tools.ListChanged || caps.Prompts.ListChanged || caps.Resources.ListChanged || caps.Resources.Subscribe {
		t.Errorf("capabilities promise what is not served: %s", encode(caps))
	}
}

// Answers match the schemas that promise their shape, and so do the arguments
// that are accepted.
func TestAnswersMatchTheirSchemas(t *testing.T) {
	w := newWorld(t)
	c := dialPipe(t, w.server(Options{}), ann, "")
	for _, ask := range []struct {
		tool, input, output string
		args                map[string]any
	}{
		{"search", searchInput, searchOutput, map[string]any{"query": "parental leave plants", "include_superseded": true}},
		{"search", searchInput, searchOutput, map[string]any{"query": "weir", "max_tokens": 1, "limit": 50, "mode": "lexical", "source": []any{"handbook"}, "before": "2030-01-01"}},
		{"search", searchInput, searchOutput, map[string]any{"query": "zzzzqqq", "mode": "lexical"}},
		{"search", searchInput, searchOutput, map[string]any{"query": `"parental leave" plan*`}},
		{"fetch", fetchInput, fetchOutput, map[string]any{"id": "wiki/evil.md"}},
		{"list_versions", versionsInput, versionsOutput, map[string]any{"id": "wiki/evil.md"}},
		{"fetch", fetchInput, fetchOutput, map[string]any{"id": "handbook/long.md", "max_tokens": 64}},
	} {
		must(t, resolved(t, ask.input).Validate(ask.args))
		if err := resolved(t, ask.output).Validate(call(t, c, ask.tool, ask.args).StructuredContent); err != nil {
			t.Errorf("%s %v: %v", ask.tool, ask.args, err)
		}
	}
	// The schema must be able to fail.
	if resolved(t, searchOutput).Validate(map[string]any{"results": []any{map[string]any{"id": "x"}}, "result_count": 1, "retrieved_at": ""}) == nil {
		t.Error("the schema takes anything")
	}
}

func resolved(t *testing.T, text string) *jsonschema.Resolved {
	t.Helper()
	var s jsonschema.Schema
	must(t, json.Unmarshal([]byte(text), &s))
	r, err := s.Resolve(nil)
	must(t, err)
	return r
}
