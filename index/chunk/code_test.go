package chunk_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"ken/index"
	"ken/index/chunk"
)

// A definition that fits a chunk is not cut, in any of the usual languages, and
// the chunk stands under its first line.
func TestDefinitionsStayWhole(t *testing.T) {
	for name, form := range map[string]string{
		"go":         "// F%d does it.\nfunc (s *Store) F%d(n int) error {\n%s}\n",
		"python":     "# note\n@cached\ndef f%d(self, n=%d):\n%s",
		"javascript": "/** doc */\nexport async function f%d(n%d) {\n%s}\n",
		"arrow":      "export const f%d = (n%d) => {\n%s};\n",
		"typescript": "export interface F%d extends G%d {\n%s}\n",
		"java":       "class F%d extends G%d {\n%s}\n",
		"csharp":     "public sealed class F%d : G%d {\n%s}\n",
		"rust":       "/// Doc.\npub(crate) fn f%d(n%d: usize) -> usize {\n%s}\n",
		"c":          "static int f%d(int n%d)\n{\n%s}\n",
		"ruby":       "def f%d(n%d)\n%send\n",
		"php":        "function f%d($n%d) {\n%s}\n",
		"sql":        "CREATE TABLE f%d_%d (\n%s);\n",
	} {
		t.Run(name, func(t *testing.T) {
			body := strings.Repeat("    step one of the work, and then another\n", 8)
			var parts []string
			for i := range 12 {
				parts = append(parts, fmt.Sprintf(form, i, i, body)+"\n")
			}
			text := strings.Join(parts, "")
			o := chunk.Options{Max: 200, Target: 130, Min: 16}
			chunks := chunk.Split(text, "text/x-source", o)
			check(t, text, o, chunks)
			for i, p := range parts {
				k := slices.IndexFunc(chunks, func(c index.Chunk) bool { return strings.Contains(c.Text, strings.TrimSpace(p)) })
				if k < 0 {
					t.Fatalf("definition %d was cut:\n%s", i, p)
				}
				if len(chunks[k].Heading) == 0 && !strings.Contains(chunks[k].Text, parts[max(0, i-1)][:8]) {
					t.Errorf("definition %d stands under nothing", i)
				}
			}
			if len(chunks) < 6 {
				t.Errorf("%d chunks of %d definitions", len(chunks), len(parts))
			}
		})
	}
}

// What is too large is cut, and every part stands under the first line of its
// definition and of that around it.
func TestPartsOfALargeDefinition(t *testing.T) {
	text := "package a\n\nclass Store:\n\n    def open(self):\n" + strings.Repeat("        self.step = self.step + 1\n", 200)
	chunks := chunk.Split(text, "text/x-source", chunk.Options{})
	check(t, text, chunk.Options{}, chunks)
	if len(chunks) < 3 {
		t.Fatalf("%d chunks", len(chunks))
	}
	for _, c := range chunks[1:] {
		if want := []string{"class Store", "def open(self)"}; !slices.Equal(c.Heading, want) {
			t.Errorf("stands under %q, want %q", c.Heading, want)
		}
	}
}
