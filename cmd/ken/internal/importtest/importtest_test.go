package importtest

import (
	"encoding/json"
	"errors"
	"io"
	"maps"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// layers lists, innermost first, the layers of docs/architecture.md. A package
// may import packages of its own layer and of the layers before it.
var layers = [][]string{
	{"ken/corpora/acl", "ken/embed", "ken/internal"},
	{"ken/corpora"},
	{"ken/index"},
	{"ken/retrieval"},
	{"ken/eval"},
	{"ken/tools"},
	{"ken/cmd"},
}

// rooms says which ken packages may import a third-party module. A module that
// is not listed may be imported anywhere.
var rooms = map[string][]string{
	"github.com/blevesearch/":                {"ken/index/analyze", "ken/index/embedded/lexical", "ken/eval/bench"},
	"github.com/philippgille/chromem-go":     {"ken/index/embedded/chromem", "ken/eval/baseline", "ken/eval/bench"},
	"github.com/cockroachdb/pebble":          {"ken/index/embedded", "ken/cmd/ken/internal/wire"},
	"github.com/jackc/pgx":                   {"ken/corpora/source/sql"},
	"github.com/sashabaranov/go-openai":      {"ken/embed/openai", "ken/eval/judge"},
	"github.com/modelcontextprotocol/go-sdk": {"ken/tools", "ken/cmd/ken", "ken/corpora/source/mcp"},
	"github.com/go-git/":                     {"ken/corpora/source/git"},
	"gocloud.dev/blob":                       {"ken/corpora/source/blob", "ken/cmd/ken/internal/wire"},
	"github.com/go-sql-driver/mysql":         {"ken/corpora/source/sql"},
	"modernc.org/sqlite":                     {"ken/corpora/source/sql"},
	"github.com/nats-io/":                    {"ken/corpora/source/nats"},
	"github.com/twmb/franz-go":               {"ken/corpora/source/kafka"},
	"github.com/rabbitmq/":                   {"ken/corpora/source/rabbitmq"},
	"github.com/fsouza/":                     {"ken/cmd/ken/internal/cloudtest"},
	"golang.org/x/crypto/ssh":                {"ken/corpora/source/git"},
	"github.com/temoto/robotstxt":            {"ken/corpora/source/web"},
	"github.com/HdrHistogram/":               {"ken/eval/latency"},
	"github.com/spf13/cobra":                 {"ken/cmd/ken"},
	"github.com/yuin/goldmark":               {"ken/corpora/extract", "ken/index/chunk"},
	"github.com/JohannesKaufmann/":           {"ken/corpora/extract"},
	"codeberg.org/readeck/go-readability":    {"ken/corpora/extract"},
	"github.com/tiktoken-go/tokenizer":       {"ken/index/chunk", "ken/tools", "ken/retrieval"},
	"github.com/abadojack/whatlanggo":        {"ken/index/analyze"},
	"github.com/klippa-app/go-pdfium":        {"ken/corpora/extract/pdf"},
	"github.com/tetratelabs/wazero":          {"ken/corpora/extract/pdf"},
	"github.com/prometheus/":                 {"ken/tools/metrics"},
	"github.com/google/pprof":                {"ken/eval/rate"},
	"gocloud.dev/secrets":                    {"ken/corpora/protect/keeper"},
}

// leaves import nothing of ken but what is listed.
var leaves = map[string][]string{
	"ken/corpora/acl": nil,
	"ken/embed":       nil,
}

// backEnds hold documents.
var backEnds = []string{"ken/index/embedded"}

// measured are programs that measure a back end, or the server over it, and give
// nobody an answer.
var measured = []string{"ken/eval/bench", "ken/eval/race", "ken/eval/rate"}

type pkg struct {
	ImportPath string
	Imports    []string
}

func TestImports(t *testing.T) {
	for _, p := range list(t) {
		for _, imp := range p.Imports {
			for _, problem := range check(p.ImportPath, imp) {
				t.Errorf("%s imports %s: %s", p.ImportPath, imp, problem)
			}
		}
	}
}

// TestRoomsExist: a rule about a package that is not there holds nothing.
func TestRoomsExist(t *testing.T) {
	all := list(t)
	named := slices.Concat(backEnds, measured, slices.Concat(slices.Collect(maps.Values(rooms))...), slices.Concat(layers...), slices.Collect(maps.Keys(leaves)))
	for _, path := range named {
		if !slices.ContainsFunc(all, func(p pkg) bool { return within(p.ImportPath, path) }) {
			t.Errorf("there is no package %s", path)
		}
	}
}

// TestCheck shows that each rule can fail.
func TestCheck(t *testing.T) {
	for _, c := range []struct{ from, to, want string }{
		{"ken/corpora/acl", "ken/corpora", "outer layer"},
		{"ken/corpora/acl", "golang.org/x/text", "standard library"},
		{"ken/index/chunk", "ken/retrieval", "outer layer"},
		{"ken/retrieval", "ken/tools", "outer layer"},
		{"ken/embed/hashed", "ken/index", "leaf"},
		{"ken/retrieval", "github.com/blevesearch/bleve/v2/analysis", "room"},
		{"ken/index/embedded/flat", "github.com/philippgille/chromem-go", "room"},
		{"ken/eval", "ken/index/embedded", "through retrieval"},
		{"ken/tools/console", "ken/index/embedded", "through retrieval"},
	} {
		if got := check(c.from, c.to); !slices.ContainsFunc(got, func(s string) bool { return strings.Contains(s, c.want) }) {
			t.Errorf("%s -> %s: got %q, want a problem about %q", c.from, c.to, got, c.want)
		}
	}
	for _, c := range []struct{ from, to string }{
		{"ken/index/embedded", "ken/index/embedded/lexical"},
		{"ken/index", "ken/embed"},
		{"ken/index/analyze", "github.com/blevesearch/bleve/v2/analysis"},
		{"ken/embed/openai", "github.com/sashabaranov/go-openai"},
		{"ken/cmd/ken", "ken/eval"},
		{"ken/eval/bench", "ken/index/embedded"},
		{"ken/eval/bench", "ken/tools"},
	} {
		if got := check(c.from, c.to); len(got) != 0 {
			t.Errorf("%s -> %s: got %q, want none", c.from, c.to, got)
		}
	}
}

// check returns what is wrong with the import of to by from.
func check(from, to string) []string {
	var problems []string
	if from == "ken/corpora/acl" && strings.Contains(strings.Split(to, "/")[0], ".") {
		problems = append(problems, "acl imports the standard library only")
	}
	for leaf, allowed := range leaves {
		if within(from, leaf) && isKen(to) && !within(to, leaf) && !slices.Contains(allowed, to) {
			problems = append(problems, leaf+" is a leaf and imports nothing else of ken")
		}
	}
	if isKen(to) && layer(to) > layer(from) && !in(from, measured) {
		problems = append(problems, "it belongs to an outer layer")
	}
	if (within(from, "ken/eval") || within(from, "ken/tools")) && in(to, backEnds) && !in(from, measured) {
		problems = append(problems, "documents are reached through retrieval only")
	}
	for module, room := range rooms {
		if strings.HasPrefix(to, module) && !in(from, room) {
			problems = append(problems, "its room is "+strings.Join(room, ", "))
		}
	}
	return problems
}

func isKen(path string) bool { return within(path, "ken") }

// within reports whether path is root or below it.
func within(path, root string) bool {
	return path == root || strings.HasPrefix(path, root+"/")
}

func in(path string, roots []string) bool {
	return slices.ContainsFunc(roots, func(r string) bool { return within(path, r) })
}

// layer returns the index of the innermost layer whose path is the longest
// match, or the last layer for a package that has none.
func layer(path string) int {
	best, length := len(layers)-1, -1
	for i, roots := range layers {
		for _, root := range roots {
			if within(path, root) && len(root) > length {
				best, length = i, len(root)
			}
		}
	}
	return best
}

func list(t *testing.T) []pkg {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "go", "list", "-json=ImportPath,Imports", "ken/...").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	dec := json.NewDecoder(strings.NewReader(string(out)))
	var all []pkg
	for {
		var p pkg
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			return all
		} else if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
}
