package importtest

import (
	"fmt"
	"go/ast"
	"go/types"
	"slices"
	"strings"
	"sync"
	"testing"

	"golang.org/x/tools/go/packages"
)

// The way of text out of ken, as the types of the program show it:
//
//	truth store ─ getChunk ─ view.gate ─ View.Chunks ─ snapshot.load ─ retrieval ─ tools.gate ─ MCP
//
// Each rule names who alone may use a function or field; whoever else comes to
// use it has found another way out, and this test fails.
var ways = []struct {
	what    string   // package path, then type and member
	allowed []string // package paths, or functions in them; what is below a path counts
}{
	// The record of a text is decoded in one function …
	{"ken/index/embedded.decodeChunk", []string{"ken/index/embedded.getChunk"}},
	// … which is called for the gate, and by what writes the index and never answers anybody.
	{"ken/index/embedded.getChunk", []string{
		"ken/index/embedded.(state).chunk", "ken/index/embedded.(state).vectorsOf", "ken/index/embedded.(checker).checkChunks",
		"ken/index/embedded.(Store).Reembed", "ken/index/embedded.(change)", // a change keeps the text that it replaces
		"ken/index/embedded.(state).entry", "ken/index/embedded.(state).lacking",
	}},
	// A kept version is decoded for its own gate, which asks the document's list and the version's, and by the check.
	{"ken/index/embedded.decodeVersion", []string{"ken/index/embedded.(view).Version", "ken/index/embedded.(checker).checkVersions"}},
	{"ken/index.(Versioned).Version", []string{"ken/retrieval.(snapshot).earlier"}},
	{"ken/index/embedded.decodeKept", []string{
		"ken/index/embedded.decodeVersion", "ken/index/embedded.scanVersions", "ken/index/embedded.(Store).DropVersions",
	}},
	// An operator's export writes whole entries to a file, and the surface does not reach it.
	{"ken/index/embedded.(state).entry", []string{"ken/index/embedded.(Store).Entries"}},
	{"ken/index/embedded.(Store).Entries", []string{"ken/cmd/ken.writeArchive", "ken/cmd/ken.(deleteOptions).find", "ken/cmd/ken.expiredIn"}},
	// The gate is where a view gives text, or the grams of a text, and a view is where the gate is.
	{"ken/index/embedded.(view).gate", []string{
		"ken/index/embedded.(view).Chunks", "ken/index/embedded.(view).Outlines",
		"ken/index/embedded.(view).fieldsAt", // in what it reads, a phrase or a prefix of that view is looked for
	}},
	// One function outside the stores asks a view for text; textIn finds where answers of an operator's test questions stand.
	{"ken/index.(View).Chunks", []string{"ken/index/", "ken/retrieval.(snapshot).load", "ken/eval.(timedView).Chunks", "ken/tools/twin", "ken/cmd/ken.textIn"}},
	// Outlines hold counts of the text's 4-grams, so one function asks for them, too.
	{"ken/index.(View).Outlines", []string{"ken/index/", "ken/retrieval.(snapshot).outlines", "ken/eval.(timedView).Outlines", "ken/tools/twin"}},
	// A view can be had in one function of retrieval alone.
	{"ken/retrieval.(Store).View", []string{"ken/retrieval.(Searcher).open", "ken/eval.(timedIndex).View", "ken/tools/twin"}},
	// The text of a chunk is read where it is indexed and where it is ranked and packed, and nowhere else;
	// clean asks whether an archive's text may be taken in.
	{"ken/index.Chunk.Text", []string{"ken/index", "ken/retrieval", "ken/eval", "ken/tools/twin", "ken/cmd/ken.textIn", "ken/cmd/ken.clean"}},
	// The surface gets text from its gate, which notes what leaves.
	{"ken/tools.(Searcher).Search", []string{"ken/tools.(gate).Search", "ken/tools.(surface).search", "ken/tools/twin", "ken/cmd/ken.(member).Search"}},
	{"ken/tools.(Searcher).Fetch", []string{
		"ken/tools.(gate).Fetch", "ken/tools.(surface).fetch", "ken/tools.(surface).readResource", "ken/tools/twin", "ken/cmd/ken.(member).Fetch",
	}},
	{"ken/tools.(Searcher).FetchVersion", []string{"ken/tools.(gate).FetchVersion", "ken/tools.(surface).fetch", "ken/cmd/ken.(member).FetchVersion", "ken/tools/twin"}},
	{"ken/tools.(Searcher).Documents", []string{
		"ken/tools.(gate).Documents", "ken/tools.(surface).listResources", "ken/tools.(surface).matchingIDs", "ken/tools/twin", "ken/cmd/ken.(member).Documents",
	}},
	{"ken/retrieval.Passage.Text", []string{"ken/retrieval", "ken/eval", "ken/tools.(surface).showResult", "ken/cmd/ken.printPassage", "ken/cmd/ken.printAnswer", "ken/tools/twin"}},
	{"ken/retrieval.Snippet.Text", []string{
		"ken/retrieval", "ken/tools.showSnippet", "ken/tools.(surface).showResult", "ken/tools.(gate).Search", "ken/cmd/ken.printAnswer", "ken/tools/twin",
	}},
	{"ken/retrieval.Page.Text", []string{"ken/retrieval", "ken/eval", "ken/tools.(surface).page", "ken/tools.(surface).showPage", "ken/cmd/ken.(program).fetchCommand"}},
	// What operators may list and look up has no text, and the surface does not reach it.
	{"ken/index/ingest.(Store).Documents", []string{"ken/index", "ken/cmd/ken"}},
	{"ken/index/embedded.(Store).Lookup", []string{"ken/index", "ken/cmd/ken"}},
	{"ken/index/embedded.(Store).History", []string{"ken/cmd/ken"}},
	{"ken/index/embedded.(Store).AsOf", []string{"ken/cmd/ken"}},
}

func TestTextHasOneWayOut(t *testing.T) {
	uses := usesOf(t)
	for _, way := range ways {
		users := uses[way.what]
		if len(users) == 0 {
			t.Errorf("nobody uses %s: the rule guards nothing", way.what)
		}
		for _, user := range users {
			if !slices.ContainsFunc(way.allowed, func(a string) bool { return covers(a, user) }) {
				t.Errorf("%s uses %s: text has found another way out", user, way.what)
			}
		}
	}
}

// TestTheSurfaceAsksItsGate: what the surface holds is the gate, and not what is behind it.
func TestTheSurfaceAsksItsGate(t *testing.T) {
	for _, p := range load(t) {
		if p.PkgPath != "ken/tools" {
			continue
		}
		field, _, _ := types.LookupFieldOrMethod(p.Types.Scope().Lookup("Server").Type(), true, p.Types, "searcher")
		if field == nil || field.Type().String() != "ken/tools.gate" {
			t.Errorf("Server.searcher is %v, want ken/tools.gate", field)
		}
	}
}

// covers reports whether an allowed entry is the user, its receiver or its package.
func covers(allowed, user string) bool {
	rest, ok := strings.CutPrefix(user, allowed)
	return ok && (rest == "" || strings.HasSuffix(allowed, "/") || rest[0] == '.' || rest[0] == '/')
}

// loaded are the packages of the program with their types.
var loaded = sync.OnceValues(func() ([]*packages.Package, error) {
	return packages.Load(&packages.Config{Mode: packages.LoadSyntax}, "ken/...")
})

func load(t *testing.T) []*packages.Package {
	t.Helper()
	all, err := loaded()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range all {
		for _, e := range p.Errors {
			t.Fatal(e)
		}
	}
	return all
}

// usesOf tells by function or field in which functions it is used.
func usesOf(t *testing.T) map[string][]string {
	out := map[string][]string{}
	for _, p := range load(t) {
		for _, file := range p.Syntax {
			for _, decl := range file.Decls {
				user := p.PkgPath + nameOf(decl)
				ast.Inspect(decl, func(n ast.Node) bool {
					if id, ok := n.(*ast.Ident); ok {
						if what := objectName(p.TypesInfo, id); what != "" && !slices.Contains(out[what], user) {
							out[what] = append(out[what], user)
						}
					}
					return true
				})
				fields(p, decl, func(what string) { out[what] = append(out[what], user) })
			}
		}
	}
	return out
}

// fields calls f for each field that is read by name, with its struct.
func fields(p *packages.Package, decl ast.Decl, f func(string)) {
	ast.Inspect(decl, func(n ast.Node) bool {
		s, ok := n.(*ast.SelectorExpr)
		if !ok {
			return true
		}
		if sel := p.TypesInfo.Selections[s]; sel != nil && sel.Kind() == types.FieldVal {
			at := sel.Recv()
			for _, i := range sel.Index() { // through what is embedded
				if ptr, ok := at.Underlying().(*types.Pointer); ok {
					at = ptr.Elem()
				}
				st, ok := at.Underlying().(*types.Struct)
				if !ok {
					return true
				}
				if named, ok := types.Unalias(at).(*types.Named); ok && i < st.NumFields() {
					f(named.String() + "." + st.Field(i).Name())
				}
				at = st.Field(i).Type()
			}
		}
		return true
	})
}

// nameOf is ".f" or ".(T).m" of a declaration, "" of what is no function.
func nameOf(d ast.Decl) string {
	f, ok := d.(*ast.FuncDecl)
	if !ok {
		return ""
	}
	if f.Recv == nil {
		return "." + f.Name.Name
	}
	at := f.Recv.List[0].Type
	if star, ok := at.(*ast.StarExpr); ok {
		at = star.X
	}
	if generic, ok := at.(*ast.IndexExpr); ok {
		at = generic.X
	}
	return fmt.Sprintf(".(%s).%s", at, f.Name.Name)
}

// objectName is "path.f" or "path.(T).m" of a function that an identifier uses.
func objectName(info *types.Info, id *ast.Ident) string {
	f, ok := info.Uses[id].(*types.Func)
	if !ok || f.Pkg() == nil || !strings.HasPrefix(f.Pkg().Path(), "ken/") {
		return ""
	}
	recv := f.Signature().Recv()
	if recv == nil {
		return f.Pkg().Path() + "." + f.Name()
	}
	at := recv.Type()
	if ptr, ok := at.(*types.Pointer); ok {
		at = ptr.Elem()
	}
	named, ok := types.Unalias(at).(*types.Named)
	if !ok {
		return ""
	}
	return fmt.Sprintf("%s.(%s).%s", f.Pkg().Path(), named.Obj().Name(), f.Name())
}

func TestCovers(t *testing.T) {
	for _, c := range []struct {
		allowed, user string
		want          bool
	}{
		{"ken/tools.(gate).Search", "ken/tools.(gate).Search", true},
		{"ken/tools.(gate).Search", "ken/tools.(gate).SearchAll", false},
		{"ken/tools.(gate)", "ken/tools.(gate).Search", true},
		{"ken/index", "ken/index/embedded.(Store).View", true},
		{"ken/index/", "ken/index.Compare", false},
		{"ken/index", "ken/indexes.F", false},
	} {
		if got := covers(c.allowed, c.user); got != c.want {
			t.Errorf("%s covers %s: %v", c.allowed, c.user, got)
		}
	}
}
