package folder_test

import (
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"ken/corpora"
	"ken/corpora/acl"
	"ken/corpora/extract"
	"ken/corpora/frontmatter"
	"ken/corpora/source/folder"
)

// result is a listing with everything loaded.
type result struct {
	order    []string // paths of the documents
	docs     map[string]corpora.Document
	errs     map[string]error // by path, from the listing or from Load
	err      error
	complete bool
}

func read(t *testing.T, s *folder.Source) result {
	t.Helper()
	r := result{docs: make(map[string]corpora.Document), errs: make(map[string]error)}
	for c, err := range s.Changes(t.Context(), "") {
		p := strings.TrimPrefix(string(c.ID), s.Name()+"/")
		switch {
		case err != nil && p != "":
			r.errs[p] = err
		case err != nil:
			r.err = err
		case c.Op == corpora.Complete:
			r.complete = true
		default:
			r.order = append(r.order, p)
			if r.docs[p], _, err = c.Load(t.Context()); err != nil {
				r.errs[p] = err
			}
		}
	}
	return r
}

func files(pairs ...string) fstest.MapFS {
	fsys := fstest.MapFS{}
	for i := 0; i < len(pairs); i += 2 {
		fsys[pairs[i]] = &fstest.MapFile{Data: []byte(pairs[i+1]), ModTime: time.Unix(1e9, 0)}
	}
	return fsys
}

func newSource(t *testing.T, fsys fs.FS, o folder.Options) *folder.Source {
	t.Helper()
	if o.Name == "" {
		o.Name = "handbook"
	}
	s, err := folder.New(fsys, o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestWhatIsADocument(t *testing.T) {
	s := newSource(t, files(
		"b.md", "", "a.md", "", "a/z.md", "", "a-b.md", "", "A.md", "", "a/b/c.txt", "", "README", "read me", "é.md", "", "a b.md", "",
		".hidden.md", "", ".git/config", "", ".ken/notes.md", "", "a/.obsidian/x.md", "",
		"a.md.acl.yaml", "[user:ann]",
	), folder.Options{})
	r := read(t, s)
	want := []string{"A.md", "README", "a b.md", "a-b.md", "a.md", "a/b/c.txt", "a/z.md", "b.md", "é.md"}
	if !slices.Equal(r.order, want) || !slices.IsSorted(r.order) {
		t.Errorf("documents %q, want %q", r.order, want)
	}
	if len(r.errs) > 0 || r.err != nil || !r.complete {
		t.Errorf("errors %v, %v, complete %v", r.errs, r.err, r.complete)
	}
}

func TestDocument(t *testing.T) {
	s := newSource(t, files("people/bands.md", "---\ntitle: Bands\ntags: [pay]\nlang: en\nstatus: draft\nsuperseded_by: ./new.md\nclass: restricted\nurl: https://example.com/\nacl: [group:hr]\n---\n# Body\n", "people/page.html", "<p>x"), folder.Options{})
	r := read(t, s)
	d := r.docs["people/bands.md"]
	if d.ID != "handbook/people/bands.md" || d.Source != "handbook" || d.Path != "people/bands.md" || d.Title != "Bands" || !slices.Equal(d.Tags, []string{"pay"}) ||
		d.Language != "en" || d.Status != corpora.Draft || d.SupersededBy != "handbook/people/new.md" || d.Class != "restricted" || d.URL != "https://example.com/" ||
		d.MediaType != extract.Markdown || !d.Modified.Equal(time.Unix(1e9, 0)) || d.ACL.Key() != acl.Allow("group:hr").Key() {
		t.Errorf("%+v", d)
	}
	if d := r.docs["people/page.html"]; d.MediaType != extract.HTML || d.URL != "" || d.Title != "" {
		t.Errorf("%+v", d)
	}
}

func TestFrontMatterDateWins(t *testing.T) {
	r := read(t, newSource(t, files("a.md", "---\ndate: 2026-01-31\n---\n"), folder.Options{}))
	if got := r.docs["a.md"].Modified; !got.Equal(time.Date(2026, 1, 31, 0, 0, 0, 0, time.UTC)) {
		t.Errorf("modified %v", got)
	}
}

// Sidecar, front matter, rule, default: the nearest allow, and every deny.
func TestWhoMayRead(t *testing.T) {
	const rules = "version: 1\ndefault: {allow: [everyone], deny: [user:d]}\nrules:\n  - {path: 'r/**', allow: [group:rule], deny: [user:r]}\n"
	const own = "---\nacl: {allow: [group:own], deny: [user:o]}\n---\n"
	const beside = "{allow: [group:beside], deny: [user:b]}"
	s := newSource(t, files(
		".ken/acl.yaml", rules,
		"default.md", "", "r/rule.md", "", "r/own.md", own, "r/beside.md", own, "r/beside.md.acl.yaml", beside,
		"page.html", "", "page.html.acl.yaml", "[]", "denied.txt", "", "denied.txt.acl.yaml", "deny: [group:x]",
	), folder.Options{Owner: "user:me"})
	want := map[string]acl.List{
		"default.md":  acl.NewList(acl.Grants("everyone"), acl.Grants("user:d")),
		"r/rule.md":   acl.NewList(acl.Grants("group:rule"), acl.Grants("user:d", "user:r")),
		"r/own.md":    acl.NewList(acl.Grants("group:own"), acl.Grants("user:d", "user:r", "user:o")),
		"r/beside.md": acl.NewList(acl.Grants("group:beside"), acl.Grants("user:d", "user:r", "user:o", "user:b")),
		"page.html":   acl.NewList(nil, acl.Grants("user:d")),
		"denied.txt":  acl.NewList(acl.Grants("everyone"), acl.Grants("user:d", "group:x")),
	}
	r := read(t, s)
	for _, p := range slices.Sorted(maps.Keys(want)) {
		if got := r.docs[p].ACL.Key(); got != want[p].Key() {
			t.Errorf("%s: %s, want %s", p, got, want[p].Key())
		}
	}
}

func TestWithoutPolicyTheOwnerMayRead(t *testing.T) {
	s := newSource(t, files("a.md", "", "b.md", "---\nacl: [group:hr]\n---\n"), folder.Options{Owner: "user:me"})
	r := read(t, s)
	if got := r.docs["a.md"].ACL.Key(); got != acl.Allow("user:me").Key() {
		t.Errorf("a.md: %s", got)
	}
	if got := r.docs["b.md"].ACL.Key(); got != acl.Allow("group:hr").Key() {
		t.Errorf("b.md: %s", got)
	}
	o, err := s.Policy(t.Context())
	if err != nil || o != (folder.Origin{Owner: "user:me"}) || !strings.Contains(o.String(), "only user:me may read") || !strings.Contains(o.String(), ".ken/acl.yaml") {
		t.Errorf("%+v %v: %s", o, err, o)
	}
}

func TestPolicyOrigin(t *testing.T) {
	o, err := newSource(t, files(".ken/acl.yaml", "version: 1\nrules: [{path: a, allow: []}]\n"), folder.Options{Owner: "user:me"}).Policy(t.Context())
	if err != nil || o != (folder.Origin{File: ".ken/acl.yaml", Rules: 1}) {
		t.Errorf("%+v, %v", o, err)
	}
}

// A policy that is not understood opens nothing: no document comes at all.
func TestBadPolicyStopsTheListing(t *testing.T) {
	tests := []struct {
		name string
		fsys fstest.MapFS
		want string
	}{
		{"typo", files(".ken/acl.yaml", "version: 1\ndefualt: deny\n"), `.ken/acl.yaml: line 2, column 1: unknown key "defualt": did you mean "default"?`},
		{"empty", files(".ken/acl.yaml", ""), ".ken/acl.yaml: line 1, column 1: the policy is empty"},
		{"a folder", files(".ken/acl.yaml/x", ""), "read policy"},
		{"another extension", files(".ken/acl.yml", "version: 1"), ".ken/acl.yml is not read: rename it to .ken/acl.yaml"},
		{"capitals", files(".ken/ACL.yaml", "version: 1"), ".ken/ACL.yaml is not read: rename it"},
		{"too large", files(".ken/acl.yaml", "version: 1\n#"+strings.Repeat("x", 2<<20)), "are more than the limit of 1048576"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.fsys["a.md"] = &fstest.MapFile{Data: []byte("text")}
			s := newSource(t, tt.fsys, folder.Options{Owner: "user:me"})
			r := read(t, s)
			if r.err == nil || !strings.Contains(r.err.Error(), tt.want) || len(r.order) > 0 || r.complete {
				t.Errorf("error %v, documents %v, complete %v; want %q and nothing else", r.err, r.order, r.complete, tt.want)
			}
			if _, err := s.Policy(t.Context()); err == nil {
				t.Error("Policy has no error")
			}
		})
	}
}

// A document whose own words about its readers are not understood is closed; it
// never falls back to the wider policy.
func TestBadDocumentsAreTheirOwnErrors(t *testing.T) {
	fine := []string{".ken/acl.yaml", "version: 1\ndefault: {allow: [everyone]}\n", "fine.md", "text"}
	tests := []struct {
		name, path string
		files      []string
		want       error
		says       string
	}{
		{"malformed acl", "a.md", []string{"a.md", "---\nacl: [hr]\n---\n"}, frontmatter.ErrMalformed, "line 2, column 7"},
		{"malformed front matter", "a.md", []string{"a.md", "---\na: b: c\n---\n"}, frontmatter.ErrMalformed, "line 2, column 4"},
		{"acl in the front matter of HTML", "a.html", []string{"a.html", "---\nacl: [group:hr]\n---\n<p>"}, frontmatter.ErrMalformed, "use a sidecar"},
		{"malformed sidecar", "a.md", []string{"a.md", "x", "a.md.acl.yaml", "[hr]"}, folder.ErrSidecar, "a.md.acl.yaml: line 1, column 2"},
		{"empty sidecar", "a.txt", []string{"a.txt", "x", "a.txt.acl.yaml", ""}, folder.ErrSidecar, "nothing is said"},
		{"sidecar is a folder", "a.md", []string{"a.md", "x", "a.md.acl.yaml/x", ""}, folder.ErrSidecar, "not a regular file"},
		{"sidecar in capitals", "a.md", []string{"a.md", "x", "a.md.ACL.yaml", "[user:a]"}, folder.ErrSidecar, "rename it to a.md.acl.yaml"},
		{"sidecar with another extension", "a.md", []string{"a.md", "x", "a.md.acl.yml", "[user:a]"}, folder.ErrSidecar, "rename it to a.md.acl.yaml"},
		{"sidecar of nothing", "b.acl.yaml", []string{"a.md", "x", "b.acl.yaml", "[user:a]"}, folder.ErrSidecar, "belongs to no file"},
		{"binary by name", "a.png", []string{"a.png", "x"}, extract.ErrUnsupported, "a.png"},
		{"binary by content", "a.md", []string{"a.md", "x\x00"}, extract.ErrUnsupported, "a.md"},
		{"too large", "a.md", []string{"a.md", strings.Repeat("x", 201)}, folder.ErrTooLarge, "has 201 bytes, the limit is 200; split it or raise MaxBytes"},
		{"control character in the name", `"a\nb.md"`, []string{"a\nb.md", "x"}, folder.ErrName, `"a\nb.md": rename it`},
		{"invalid UTF-8 in the name", `"d/a\xff.md"`, []string{"d/a\xff.md", "x"}, folder.ErrName, `"d/a\xff.md": rename it`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if strings.Contains(tt.name, "UTF-8") {
				testInvalidName(t, tt.says)
				return
			}
			r := read(t, newSource(t, files(append(tt.files, fine...)...), folder.Options{MaxBytes: 200}))
			err := r.errs[tt.path]
			if !errors.Is(err, tt.want) || !strings.Contains(err.Error(), tt.says) || !strings.Contains(err.Error(), "document handbook/") {
				t.Errorf("error %v; want %v that says %q", err, tt.want, tt.says)
			}
			if d := r.docs[tt.path]; d.ID != "" {
				t.Errorf("an error came with %+v", d)
			}
			if len(r.errs) != 1 || r.docs["fine.md"].ID == "" || !r.complete {
				t.Errorf("the others: errors %v, documents %v, complete %v", r.errs, r.order, r.complete)
			}
		})
	}
}

// testInvalidName needs a directory: an fs.FS has no such names.
func testInvalidName(t *testing.T, says string) {
	if runtime.GOOS != "linux" {
		t.Skip("this system's file names are Unicode")
	}
	dir := t.TempDir()
	write(t, dir, "d/a\xff.md", "x")
	r := read(t, open(t, dir, folder.Options{Name: "handbook"}))
	if err := r.errs[`"d/a\xff.md"`]; !errors.Is(err, folder.ErrName) || !strings.Contains(err.Error(), says) || !r.complete {
		t.Errorf("errors %v, complete %v", r.errs, r.complete)
	}
}

func TestHugeFileIsNotRead(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "huge.md", "")
	if err := os.Truncate(filepath.Join(dir, "huge.md"), 200<<20); err != nil {
		t.Fatal(err)
	}
	r := read(t, open(t, dir, folder.Options{}))
	err := r.errs["huge.md"]
	if !errors.Is(err, folder.ErrTooLarge) || !strings.Contains(err.Error(), "has 209715200 bytes, the limit is 67108864") || !r.complete {
		t.Errorf("error %v, complete %v", err, r.complete)
	}
}

// broken fails to open what it is told to.
type broken struct {
	fs.FS
	path string
}

func (b broken) Open(name string) (fs.File, error) {
	if name == b.path {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrPermission}
	}
	return b.FS.Open(name)
}

func TestUnreadableFile(t *testing.T) {
	r := read(t, newSource(t, broken{files("a.md", "x", "b.md", "x"), "a.md"}, folder.Options{}))
	if err := r.errs["a.md"]; !errors.Is(err, fs.ErrPermission) || r.docs["b.md"].ID == "" || !r.complete {
		t.Errorf("error %v, documents %v, complete %v", err, r.order, r.complete)
	}
}

// Half a list must never look like deletions.
func TestUnreadableFolderIsNotComplete(t *testing.T) {
	r := read(t, newSource(t, broken{files("a.md", "x", "b/c.md", "x", "d.md", "x"), "b"}, folder.Options{}))
	if !errors.Is(r.err, fs.ErrPermission) || !strings.Contains(r.err.Error(), `list "b"`) || r.complete {
		t.Errorf("error %v, complete %v", r.err, r.complete)
	}
	if want := []string{"a.md", "d.md"}; !slices.Equal(r.order, want) {
		t.Errorf("documents %v, want %v", r.order, want)
	}
}

func TestUnreadableSidecarClosesItsDocument(t *testing.T) {
	fsys := files(".ken/acl.yaml", "version: 1\ndefault: {allow: [everyone]}\n", "a.md", "x", "a.md.acl.yaml", "[user:ann]")
	r := read(t, newSource(t, broken{fsys, "a.md.acl.yaml"}, folder.Options{}))
	if err := r.errs["a.md"]; !errors.Is(err, folder.ErrSidecar) || r.docs["a.md"].ID != "" {
		t.Errorf("error %v, document %+v", err, r.docs["a.md"])
	}
}

// A policy in a sub-folder would be passed over, so the sub-folder is.
func TestPolicyBelowTheTop(t *testing.T) {
	r := read(t, newSource(t, files("a.md", "x", "sub/b.md", "x", "sub/.ken/acl.yaml", "version: 1\n"), folder.Options{Owner: "user:me"}))
	if err := r.errs["sub"]; err == nil || !strings.Contains(err.Error(), `"sub/.ken/acl.yaml" is a policy below the top`) || !r.complete || !slices.Equal(r.order, []string{"a.md"}) {
		t.Errorf("error %v, complete %v, documents %v", err, r.complete, r.order)
	}
}

func TestSidecarThatVanishesClosesItsDocument(t *testing.T) {
	fsys := files(".ken/acl.yaml", "version: 1\ndefault: {allow: [everyone]}\n", "a.md", "x", "a.md.acl.yaml", "[user:ann]")
	s := newSource(t, fsys, folder.Options{})
	for c, err := range s.Changes(t.Context(), "") {
		if err != nil || c.Op != corpora.Put {
			break
		}
		delete(fsys, "a.md.acl.yaml")
		if d, _, err := c.Load(t.Context()); !errors.Is(err, folder.ErrSidecar) || errors.Is(err, corpora.ErrGone) {
			t.Errorf("%+v, %v", d, err)
		}
	}
}

// A new rule touches the documents that it changes, and no others.
func TestStampFollowsThePolicy(t *testing.T) {
	fsys := files(".ken/acl.yaml", "version: 1\ndefault: {allow: [everyone]}\n", "a.md", "x", "b/c.md", "x")
	s := newSource(t, fsys, folder.Options{})
	before := read(t, s)
	fsys[".ken/acl.yaml"] = files("x", "version: 1\ndefault: {allow: [everyone]}\nrules: [{path: 'b/**', allow: [group:hr]}]\n")["x"]
	after := read(t, s)
	if before.docs["a.md"].Stamp != after.docs["a.md"].Stamp {
		t.Error("a.md has another stamp though nothing changed for it")
	}
	if before.docs["b/c.md"].Stamp == after.docs["b/c.md"].Stamp {
		t.Error("b/c.md has the same stamp though others may read it now")
	}
}

func TestStampFollowsTheTime(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, folder.Options{})
	write(t, dir, "a.md", "one")
	touch(t, dir, "a.md", time.Unix(1e9, 1))
	before := read(t, s).docs["a.md"].Stamp
	write(t, dir, "a.md", "two")
	touch(t, dir, "a.md", time.Unix(1e9, 2))
	if read(t, s).docs["a.md"].Stamp == before {
		t.Error("same size, another time, same stamp")
	}
}
