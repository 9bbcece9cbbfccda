package folder

import (
	"encoding/binary"
	"errors"
	"os/user"
	"testing"
	"time"

	"ken/corpora/acl"
)

// accountsFor knows ann and bob, and the groups staff and hr.
func accountsFor() *accounts {
	return &accounts{
		users:  map[uint32]acl.Subject{1: "user:ann", 2: "user:bob"},
		groups: map[uint32]acl.Subject{10: "group:staff", 11: "group:hr"},
	}
}

// person is somebody as the system knows them.
type person struct {
	uid  uint32
	gids []uint32
}

// reads is the algorithm of acl(5): the first class that fits decides, but that of
// several groups one is enough.
func (p person) reads(m modes, may right) bool {
	if p.uid == m.uid {
		return m.owner&may != 0
	}
	for _, u := range m.users {
		if u.id == p.uid {
			return u.may&may != 0
		}
	}
	member, granted := false, false
	for _, g := range append([]named{{m.gid, m.group}}, m.groups...) {
		for _, id := range p.gids {
			if id == g.id {
				member, granted = true, granted || g.may&may != 0
			}
		}
	}
	if member {
		return granted
	}
	return m.others&may != 0
}

func (p person) principal(names *accounts) acl.Principal {
	who := []acl.Subject{names.users[p.uid]}
	for _, id := range p.gids {
		who = append(who, names.groups[id])
	}
	return acl.NewPrincipal(who...)
}

// TestModesAdmitNoMore compares lists with what the system would do, over all
// modes, with and without extended entries, and for people in no, one and two
// groups: a list never admits anybody whom the system refuses, and refuses whom it
// admits only in the cases that are said.
func TestModesAdmitNoMore(t *testing.T) {
	names := accountsFor()
	people := []person{}
	for _, uid := range []uint32{1, 2} {
		for _, gids := range [][]uint32{nil, {10}, {11}, {10, 11}} {
			people = append(people, person{uid, gids})
		}
	}
	checked, fewer := 0, 0
	for mode := range right(512) {
		for extra := range right(64) {
			m := modes{owner: mode >> 6, group: mode >> 3 & 7, others: mode & 7, uid: 1, gid: 10}
			if extra > 0 {
				m.users, m.groups = []named{{2, extra >> 3}}, []named{{11, extra & 7}}
			}
			for _, may := range []right{mayRead, mayEnter} {
				l, err := m.list(may, names)
				if err != nil {
					t.Fatal(err)
				}
				for _, p := range people {
					checked++
					got, want := l.Admits(p.principal(names), time.Time{}), p.reads(m, may)
					if got && !want {
						t.Fatalf("mode %o, extra %o: %v is admitted by %s, and not by the system", mode, extra, p, l.Key())
					}
					if want && !got {
						fewer++
						if m.others&may == 0 {
							t.Fatalf("mode %o, extra %o: %v is refused by %s, and not by the system", mode, extra, p, l.Key())
						}
					}
				}
			}
		}
	}
	t.Logf("%d cases, in %d the list admits fewer", checked, fewer)
	if fewer == 0 || fewer > checked/4 {
		t.Errorf("of %d cases, %d admit fewer: the comment on lists is not right", checked, fewer)
	}
}

func entries(all ...[3]uint32) []byte {
	out := binary.LittleEndian.AppendUint32(nil, 2)
	for _, e := range all {
		out = binary.LittleEndian.AppendUint16(out, uint16(e[0]))
		out = binary.LittleEndian.AppendUint16(out, uint16(e[1]))
		out = binary.LittleEndian.AppendUint32(out, e[2])
	}
	return out
}

func TestExtended(t *testing.T) {
	const none = ^uint32(0)
	plain := modesOf(0o640, 1, 10)
	m, err := plain.extended(entries([3]uint32{tagOwner, 6, none}, [3]uint32{tagUser, 6, 2}, [3]uint32{tagGroup, 7, none},
		[3]uint32{tagNamed, 4, 11}, [3]uint32{tagMask, 2, none}, [3]uint32{tagOthers, 0, none}))
	if err != nil || m.owner != 6 || m.group != 2 || m.users[0] != (named{2, 2}) || m.groups[0] != (named{11, 0}) || m.others != 0 {
		t.Errorf("%+v, %v", m, err)
	}
	l, err := m.list(mayRead, accountsFor())
	if want := acl.NewList(acl.Grants("user:ann"), acl.Grants("user:bob")); err != nil || l.Key() != want.Key() {
		t.Errorf("%s, %v; want %s", l.Key(), err, want.Key())
	}
	for name, bad := range map[string][]byte{
		"empty":            {},
		"another version":  {3, 0, 0, 0},
		"cut off":          entries([3]uint32{tagOwner, 6, none})[:10],
		"an unknown entry": entries([3]uint32{0x40, 6, 1}),
	} {
		if m, err := plain.extended(bad); !errors.Is(err, ErrPermissions) {
			t.Errorf("%s: %+v, %v; want %v", name, m, err, ErrPermissions)
		}
	}
}

// Who has no name here cannot be told apart from others.
func TestUnknownAccounts(t *testing.T) {
	for name, m := range map[string]modes{"user": modesOf(0o644, 4_000_000_001, 10), "group": modesOf(0o600, 1, 4_000_000_001)} {
		l, err := m.list(mayRead, accountsFor())
		if !errors.Is(err, ErrPermissions) || len(l.Allow()) != 0 {
			t.Errorf("%s: %s, %v; want %v", name, l.Key(), err, ErrPermissions)
		}
	}
	me, err := user.Current()
	if err != nil {
		t.Skip("SKIPPED: no account here")
	}
	s, err := newAccounts().name(map[uint32]acl.Subject{}, 0, "user", func(string) (string, error) { return me.Username, nil })
	if err != nil || s != acl.Subject("user:"+me.Username) {
		t.Errorf("%s, %v", s, err)
	}
}
