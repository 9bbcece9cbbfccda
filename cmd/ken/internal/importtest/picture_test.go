package importtest

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write docs/imports.md anew")

const picture = "../../../../docs/imports.md"

// TestPicture keeps docs/imports.md true: it is drawn from the code.
func TestPicture(t *testing.T) {
	got := draw(list(t))
	if *update {
		if err := os.WriteFile(picture, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(picture)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("docs/imports.md is not what the code imports; run `make golden` and read the diff\n%s", got)
	}
}

// draw returns the page with the graph of imports between ken's packages, one
// box per layer. An arrow that a longer path implies is left out.
func draw(pkgs []pkg) string {
	imports := map[string][]string{}
	for _, p := range pkgs {
		for _, imp := range p.Imports {
			if isKen(imp) {
				imports[p.ImportPath] = append(imports[p.ImportPath], imp)
			}
		}
		if _, ok := imports[p.ImportPath]; !ok {
			imports[p.ImportPath] = nil
		}
	}
	var b strings.Builder
	b.WriteString("# Who imports whom\n\nDrawn from the code by `make golden`; arrows point at what is imported, and one that a longer path implies is left out.\nThird-party packages have rooms of their own: see the table in `cmd/ken/internal/importtest`.\n\n```mermaid\nflowchart BT\n")
	names := slices.Sorted(maps.Keys(imports))
	for i, roots := range layers {
		fmt.Fprintf(&b, "  subgraph layer%d[%q]\n", i, strings.ReplaceAll(strings.Join(roots, ", "), "ken/", ""))
		for _, name := range names {
			if layer(name) == i {
				fmt.Fprintf(&b, "    %s[%q]\n", node(name), strings.TrimPrefix(name, "ken/"))
			}
		}
		b.WriteString("  end\n")
	}
	for _, from := range names {
		for _, to := range slices.Sorted(slices.Values(imports[from])) {
			if !implied(imports, from, to) {
				fmt.Fprintf(&b, "  %s --> %s\n", node(from), node(to))
			}
		}
	}
	b.WriteString("```\n")
	return b.String()
}

func node(path string) string { return strings.NewReplacer("/", "_", "-", "_").Replace(path) }

// implied reports whether from reaches to over another import.
func implied(imports map[string][]string, from, to string) bool {
	for _, mid := range imports[from] {
		if mid != to && reaches(imports, mid, to) {
			return true
		}
	}
	return false
}

func reaches(imports map[string][]string, from, to string) bool {
	return from == to || slices.ContainsFunc(imports[from], func(mid string) bool { return reaches(imports, mid, to) })
}
