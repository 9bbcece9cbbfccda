package strictyaml_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"ken/corpora/internal/strictyaml"
)

// Places are those that an editor shows: lines and columns from 1, columns in
// characters.
func TestErrorsTellThePlace(t *testing.T) {
	tests := []struct{ name, text, want string }{
		{"syntax", "a: b: c\n", "line 1, column 4: not valid YAML: mapping value is not allowed in this context"},
		{"unclosed list", "a: 1\nb: [x\n", "line 2, column 4: not valid YAML: sequence end token ']' not found"},
		{"duplicate key", "a: 1\nb: 2\na: 3\n", `line 3, column 1: not valid YAML: mapping key "a" already defined at [1:1]`},
		{"tab", "a:\n\tb: 1\n", "line 2, column"},
		{"after CRLF", "a: 1\r\nb: [x\r\n", "line 2, column 4"},
		{"columns are characters", "é: [x\n", "line 1, column 4"},
		{"invalid UTF-8", "a: 1\nb: \xff\n", "line 2, column 4: byte 0xff is not valid UTF-8: save the file as UTF-8"},
		{"NUL", "a: \x00\n", "line 1, column 4: control character 0x00: remove it"},
		{"two documents", "a: 1\n---\nb: 2\n", "line 3, column 1: a second YAML document: keep one"},
		{"too large", "a: " + strings.Repeat("x", 1<<20), "line 1, column 1: 1048579 bytes are more than the limit of 1048576"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := strictyaml.Parse([]byte(tt.text), strictyaml.Options{})
			wantError(t, err, tt.want)
		})
	}
}

func TestFirstLineCounts(t *testing.T) {
	_, err := strictyaml.Parse([]byte("a: 1\nb: [\n"), strictyaml.Options{FirstLine: 10})
	wantError(t, err, "line 11, column 4")
}

func wantError(t *testing.T, err error, want string) {
	t.Helper()
	if err == nil || !strings.HasPrefix(err.Error(), want) {
		t.Errorf("error %v, want %q", err, want)
	}
	if _, ok := errors.AsType[*strictyaml.Error](err); !ok {
		t.Errorf("error is a %T, want *Error", err)
	}
}

// Each of these costs the parser time or memory that grows with the square of
// the input, or its stack; here each is refused before it begins.
func TestBombsAreRefused(t *testing.T) {
	keys := new(strings.Builder)
	for i := range 30_000 {
		fmt.Fprintf(keys, "k%d: 1\n", i)
	}
	bombs := map[string]string{
		"nested lists":       strings.Repeat("[", 100_000),
		"nested mappings":    strings.Repeat("{a: ", 100_000),
		"closed in strings":  strings.Repeat(`["]", `, 50_000),
		"list marks":         strings.Repeat("- ", 100_000),
		"keys on one line":   strings.Repeat("a: ", 100_000),
		"question marks":     strings.Repeat("? ", 100_000),
		"anchors":            strings.Repeat("&a ", 100_000),
		"tags":               strings.Repeat("!!a ", 100_000),
		"tags on many lines": strings.Repeat("!!a\n", 100_000),
		"keys":               keys.String(),
	}
	for name, text := range bombs {
		t.Run(name, func(t *testing.T) {
			if _, err := strictyaml.Parse([]byte(text), strictyaml.Options{}); err == nil {
				t.Error("no error")
			}
		})
	}
}

// Anchors and aliases are never expanded: the value they stand for is refused
// where it is read, and costs nothing where it is not.
func TestAliasBombIsNotExpanded(t *testing.T) {
	text := "a: &a [x, x, x, x, x, x, x, x, x]\n"
	for i := range 20 {
		prev, next := string(rune('a'+i)), string(rune('b'+i))
		text += fmt.Sprintf("%s: &%s [*%s, *%s, *%s, *%s, *%s, *%s, *%s, *%s]\n", next, next, prev, prev, prev, prev, prev, prev, prev, prev)
	}
	root, err := strictyaml.Parse([]byte(text), strictyaml.Options{})
	if err != nil {
		t.Fatal(err)
	}
	pairs, err := root.Mapping()
	if err != nil || len(pairs) != 21 {
		t.Fatalf("%d pairs, %v", len(pairs), err)
	}
	_, err = pairs[20].Value.Items()
	wantError(t, err, "line 21, column 4: anchors, aliases and merge keys are not read: write the value out")
}

func TestOnlySuggests(t *testing.T) {
	tests := []struct{ key, want string }{
		{"alow", `unknown key "alow": did you mean "allow"?`},
		{"Allow", `unknown key "Allow": did you mean "allow"?`},
		{"dney", `unknown key "dney": did you mean "deny"?`},
		{"readers", `unknown key "readers": want allow, deny`},
	}
	for _, tt := range tests {
		root, err := strictyaml.Parse([]byte("# rules\n"+tt.key+": [x]\n"), strictyaml.Options{})
		if err != nil {
			t.Fatal(err)
		}
		_, err = root.Only("allow", "deny")
		wantError(t, err, "line 2, column 1: "+tt.want)
	}
}

func TestTextIsAsWritten(t *testing.T) {
	for text, want := range map[string]string{
		"010": "010", "1_000": "1_000", "1.50": "1.50", "yes": "yes", "true": "true",
		"2026-01-01": "2026-01-01", "'a: b'": "a: b", `"\u00e9"`: "é", "|\n  x\n  y": "x\ny\n", "0x1F": "0x1F",
	} {
		root, err := strictyaml.Parse([]byte("k: "+text+"\n"), strictyaml.Options{})
		if err != nil {
			t.Fatal(err)
		}
		pairs, err := root.Mapping()
		if err != nil {
			t.Fatal(err)
		}
		if got, err := pairs[0].Value.Text(); err != nil || got != want {
			t.Errorf("%s is %q, %v; want %q", text, got, err, want)
		}
	}
}

// A colon without a space after it does not end a key, in braces neither.
func TestColonsInScalars(t *testing.T) {
	for _, text := range []string{
		"k: [user:ann, b]", "k: {a: [user:ann, b]}", "{k: {a: [user:ann, b]}}", "{k: [ user:ann , b]}", "{a: 1, k: [user:ann,b]}",
		"k: {a: {b: user:ann}}", "{k: user:ann}", "k: [{subject: user:ann}]", "{k: [\n  user:ann,\n  b]}", "{k: ['user:ann', b]}", "{\"k\": [user:ann]}",
	} {
		root, err := strictyaml.Parse([]byte(text), strictyaml.Options{})
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if got := scalars(root); !slices.Contains(got, "user:ann") || slices.Contains(got, "ann") {
			t.Errorf("%s has the texts %q, want user:ann among them", text, got)
		}
	}
}

func scalars(n strictyaml.Node) (out []string) {
	if text, err := n.Text(); err == nil {
		return []string{text}
	}
	pairs, _ := n.Mapping()
	for _, p := range pairs {
		out = append(append(out, p.Name), scalars(p.Value)...)
	}
	items, _ := n.Items()
	for _, i := range items {
		out = append(out, scalars(i)...)
	}
	return out
}

func TestNothing(t *testing.T) {
	for _, text := range []string{"", "\n", "# only a comment\n", "\ufeff", "---\n"} {
		root, err := strictyaml.Parse([]byte(text), strictyaml.Options{})
		if err != nil || !root.IsNull() {
			t.Errorf("%q: null %v, %v", text, root.IsNull(), err)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{"a: [b, {c: d}]\n", "- &a x\n- *a\n", "a: |\n  x\n", "? x\n: y\n", "<<: {a: 1}\n", "a: !!str 1\n", "\"a\\x41\": 'b'\n"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		root, err := strictyaml.Parse(data, strictyaml.Options{MaxBytes: 1 << 16})
		if err != nil {
			if _, ok := errors.AsType[*strictyaml.Error](err); !ok {
				t.Fatalf("error is a %T: %v", err, err)
			}
			return
		}
		visit(root)
	})
}

func visit(n strictyaml.Node) {
	_ = n.Errorf("place")
	if _, err := n.Text(); err == nil {
		return
	}
	pairs, err := n.Mapping()
	if err == nil {
		for _, p := range pairs {
			visit(p.Value)
		}
	}
	items, _ := n.Items()
	for _, i := range items {
		visit(i)
	}
}
