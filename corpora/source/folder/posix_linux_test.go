package folder_test

import (
	"encoding/binary"
	"errors"
	"maps"
	"os"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"testing"

	"golang.org/x/sys/unix"

	"ken/corpora"
	"ken/corpora/acl"
	"ken/corpora/source/folder"
)

// owned is a folder whose files have modes and owners.
type owned struct {
	t   *testing.T
	dir string
}

func (o owned) file(name string, mode os.FileMode, ids ...int) {
	o.t.Helper()
	write(o.t, o.dir, name, "text of "+name)
	o.mode(name, mode, ids...)
}

func (o owned) mode(name string, mode os.FileMode, ids ...int) {
	o.t.Helper()
	full := filepath.Join(o.dir, name)
	var err error
	if len(ids) > 0 {
		err = os.Chown(full, ids[0], ids[1])
	}
	if err := errors.Join(err, os.Chmod(full, mode)); err != nil {
		o.t.Fatal(err)
	}
}

// extended sets an extended list: the mode's, and a person who may read.
func (o owned) extended(name string, uid uint32, mask uint16) {
	o.t.Helper()
	list := binary.LittleEndian.AppendUint32(nil, 2)
	for _, e := range [][3]uint32{{1, 7, ^uint32(0)}, {2, 4, uid}, {4, 0, ^uint32(0)}, {0x10, uint32(mask), ^uint32(0)}, {0x20, 0, ^uint32(0)}} {
		list = binary.LittleEndian.AppendUint16(list, uint16(e[0]))
		list = binary.LittleEndian.AppendUint16(list, uint16(e[1]))
		list = binary.LittleEndian.AppendUint32(list, e[2])
	}
	err := unix.Setxattr(filepath.Join(o.dir, name), "system.posix_acl_access", list, 0)
	if errors.Is(err, unix.ENOTSUP) {
		o.t.Skip("SKIPPED: this file system has no extended lists")
	}
	if err != nil {
		o.t.Fatal(err)
	}
}

func (o owned) read() (map[string]acl.List, map[string]string, map[string]error) {
	o.t.Helper()
	lists, stamps, refused := map[string]acl.List{}, map[string]string{}, map[string]error{}
	s := open(o.t, o.dir, folder.Options{Name: "docs", Owner: "user:me", Modes: true})
	for c, err := range s.Changes(o.t.Context(), "") {
		var d corpora.Document
		if err == nil && c.Op == corpora.Put {
			stamps[string(c.ID)[5:]] = c.Stamp
			d, _, err = c.Load(o.t.Context())
		}
		switch {
		case err != nil:
			refused[string(c.ID)] = err
		case c.Op == corpora.Put:
			lists[d.Path] = d.ACL
		}
	}
	return lists, stamps, refused
}

// newOwned is a folder that everybody may enter, and the names of who owns it.
func newOwned(t *testing.T) (o owned, me, mine acl.Subject) {
	t.Helper()
	u, err := user.LookupId(strconv.Itoa(os.Getuid()))
	if err != nil {
		t.Skip("SKIPPED: whoever runs this has no name")
	}
	g, err := user.LookupGroupId(strconv.Itoa(os.Getgid()))
	if err != nil {
		t.Skip("SKIPPED: the group of whoever runs this has no name")
	}
	o = owned{t, t.TempDir()}
	o.mode(".", 0o755)
	return o, acl.Subject("user:" + u.Username), acl.Subject("group:" + g.Name)
}

func TestModes(t *testing.T) {
	o, me, mine := newOwned(t)
	o.file("others.md", 0o644)
	o.file("group.md", 0o640)
	o.file("owner.md", 0o600)
	o.file("nobody.md", 0o000)
	o.file("not the group.md", 0o604)
	o.file("closed/others.md", 0o644)
	o.file("closed/deep/others.md", 0o644)
	o.mode("closed", 0o700)
	o.file("of the group/others.md", 0o644)
	o.file("of the group/owner.md", 0o600)
	o.mode("of the group", 0o750)
	o.file("narrowed.md", 0o644)
	write(t, o.dir, "narrowed.md.acl.yaml", "[group:hr]")
	o.file("not widened.md", 0o600)
	write(t, o.dir, "not widened.md.acl.yaml", "[everyone]")
	o.file("denied.md", 0o644)
	write(t, o.dir, "denied.md.acl.yaml", "{deny: [user:sam]}")
	want := map[string]acl.List{
		"others.md":              acl.Allow(acl.Authenticated),
		"group.md":               acl.Allow(me, mine),
		"owner.md":               acl.Allow(me),
		"nobody.md":              acl.NewList(nil, acl.Grants(me)),
		"not the group.md":       acl.NewList(acl.Grants(acl.Authenticated), acl.Grants(mine)),
		"closed/others.md":       acl.Allow(me),
		"closed/deep/others.md":  acl.Allow(me),
		"of the group/others.md": acl.Allow(me, mine),
		"of the group/owner.md":  acl.Allow(me),
		"narrowed.md":            acl.Allow("group:hr"),
		"not widened.md":         acl.Allow(me),
		"denied.md":              acl.NewList(acl.Grants(acl.Authenticated), acl.Grants("user:sam")),
	}
	lists, _, refused := o.read()
	if os.Getuid() != 0 { // nobody else can open it
		delete(want, "nobody.md")
		delete(refused, "docs/nobody.md")
	}
	if len(refused) > 0 || len(lists) != len(want) {
		t.Errorf("documents %v, refused %v", slices.Sorted(maps.Keys(lists)), refused)
	}
	for p, l := range want {
		if lists[p].Key() != l.Key() {
			t.Errorf("%s: %s, want %s", p, lists[p].Key(), l.Key())
		}
	}
}

// The policy of a folder narrows what its modes allow.
func TestModesAndPolicy(t *testing.T) {
	o, me, _ := newOwned(t)
	write(t, o.dir, ".ken/acl.yaml", "version: 1\ndefault: {deny: [user:sam]}\nrules: [{path: 'hr/**', allow: [group:hr, everyone]}, {path: 'pay/**', allow: [group:hr]}]\n")
	o.file("a.md", 0o644)
	o.file("hr/a.md", 0o600)
	o.file("pay/a.md", 0o644)
	o.mode("hr", 0o755)
	o.mode("pay", 0o755)
	lists, _, refused := o.read()
	for p, want := range map[string]acl.List{
		"a.md":     acl.NewList(acl.Grants(acl.Authenticated), acl.Grants("user:sam")),
		"hr/a.md":  acl.NewList(acl.Grants(me), acl.Grants("user:sam")),
		"pay/a.md": acl.NewList(acl.Grants("group:hr"), acl.Grants("user:sam")),
	} {
		if lists[p].Key() != want.Key() || len(refused) > 0 {
			t.Errorf("%s: %s, want %s; refused %v", p, lists[p].Key(), want.Key(), refused)
		}
	}
}

// A stamp tells that a mode, a folder's mode or an extended list changed.
func TestModesChangeStamps(t *testing.T) {
	o, _, _ := newOwned(t)
	o.file("dir/a.md", 0o644)
	o.mode("dir", 0o755)
	_, stamps, _ := o.read()
	seen := []string{stamps["dir/a.md"]}
	for i, change := range []func(){
		func() { o.mode("dir", 0o750) },
		func() { o.mode("dir/a.md", 0o600) },
		func() { o.extended("dir/a.md", 1, 7) },
		func() { o.mode("dir/a.md", 0o604) },
		func() { o.extended("dir", 1, 7) },
	} {
		change()
		_, stamps, refused := o.read()
		if s := stamps["dir/a.md"]; slices.Contains(seen, s) || len(refused) > 0 {
			t.Errorf("change %d: stamp %q among %q, refused %v", i, s, seen, refused)
		}
		seen = append(seen, stamps["dir/a.md"])
	}
}

func TestExtendedLists(t *testing.T) {
	o, me, mine := newOwned(t)
	daemon, err := user.LookupId("1")
	if err != nil {
		t.Skip("SKIPPED: nobody has the number 1")
	}
	other := acl.Subject("user:" + daemon.Username)
	o.file("a.md", 0o640)
	o.extended("a.md", 1, 7)
	o.file("masked.md", 0o640)
	o.extended("masked.md", 1, 0)
	o.file("stranger.md", 0o640)
	o.extended("stranger.md", 3_999_999_999, 7)
	lists, _, refused := o.read()
	if want := acl.Allow(me, other); lists["a.md"].Key() != want.Key() {
		t.Errorf("%s, want %s (the group, %s, may not)", lists["a.md"].Key(), want.Key(), mine)
	}
	if want := acl.NewList(acl.Grants(me), acl.Grants(other)); lists["masked.md"].Key() != want.Key() {
		t.Errorf("%s, want %s", lists["masked.md"].Key(), want.Key())
	}
	if err := refused["docs/stranger.md"]; !errors.Is(err, folder.ErrPermissions) || len(refused) != 1 {
		t.Errorf("refused %v, want the file of a stranger", refused)
	}
}

// Owners that are other people, and one whom this machine does not know.
func TestOwners(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("SKIPPED: only root gives files away")
	}
	o, _, _ := newOwned(t)
	u, err := user.LookupId("1")
	if err != nil {
		t.Skip("SKIPPED: nobody has the number 1")
	}
	g, err := user.LookupGroupId("2")
	if err != nil {
		t.Skip("SKIPPED: no group has the number 2")
	}
	o.file("a.md", 0o640, 1, 2)
	o.file("of a stranger.md", 0o644, 3_999_999_999, 2)
	o.file("of strangers.md", 0o600, 1, 3_999_999_999)
	o.file("theirs/a.md", 0o644)
	o.mode("theirs", 0o755, 3_999_999_999, 2)
	lists, _, refused := o.read()
	if want := acl.Allow(acl.Subject("user:"+u.Username), acl.Subject("group:"+g.Name)); lists["a.md"].Key() != want.Key() || len(lists) != 1 {
		t.Errorf("%v, want a.md with %s", lists, want.Key())
	}
	for _, id := range []string{"docs/of a stranger.md", "docs/of strangers.md", "docs/theirs"} {
		if !errors.Is(refused[id], folder.ErrPermissions) {
			t.Errorf("%s: %v, want %v", id, refused[id], folder.ErrPermissions)
		}
	}
}
