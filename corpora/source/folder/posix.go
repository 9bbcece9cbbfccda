package folder

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"slices"
	"strconv"
	"sync"

	"ken/corpora/acl"
	"ken/corpora/policy"
)

// ErrPermissions says that who may read a file by the file system's own rules is
// not known.
var ErrPermissions = errors.New("the file system's permissions are not understood")

// right is what a class of people may do with a file: the bits of a mode.
type right uint16

const (
	mayRead  right = 4 // a file
	mayEnter right = 1 // a folder, and so whatever lies below it
)

// modes are the permissions of a file as its file system has them.
type modes struct {
	owner, group, others right
	uid, gid             uint32
	users, groups        []named // of an extended list, its mask applied
}

// named is what an extended list lets somebody do.
type named struct {
	id  uint32
	may right
}

// modesOf reads what a mode says.
func modesOf(mode fs.FileMode, uid, gid uint32) modes {
	p := right(mode.Perm())
	return modes{owner: p >> 6 & 7, group: p >> 3 & 7, others: p & 7, uid: uid, gid: gid}
}

// The entries of an extended list, as Linux keeps them in an attribute of the file.
const (
	tagOwner  = 0x01
	tagUser   = 0x02
	tagGroup  = 0x04
	tagNamed  = 0x08
	tagMask   = 0x10
	tagOthers = 0x20
)

// extended reads an extended list (acl(5)) over what the mode says: a version, 2,
// and entries of 8 bytes. A nil list changes nothing.
func (m modes) extended(list []byte) (modes, error) {
	if list == nil {
		return m, nil
	}
	if len(list) < 4 || len(list)%8 != 4 || binary.LittleEndian.Uint32(list) != 2 {
		return modes{}, fmt.Errorf("%w: an extended list in another form than that of Linux", ErrPermissions)
	}
	mask := right(7)
	for e := list[4:]; len(e) > 0; e = e[8:] {
		tag, may, id := binary.LittleEndian.Uint16(e), right(binary.LittleEndian.Uint16(e[2:])), binary.LittleEndian.Uint32(e[4:])
		switch tag {
		case tagOwner:
			m.owner = may
		case tagUser:
			m.users = append(m.users, named{id, may})
		case tagGroup:
			m.group = may
		case tagNamed:
			m.groups = append(m.groups, named{id, may})
		case tagMask:
			mask = may
		case tagOthers:
			m.others = may
		default:
			return modes{}, fmt.Errorf("%w: an extended list has an entry of the kind %#x", ErrPermissions, tag)
		}
	}
	m.group &= mask
	for _, all := range [][]named{m.users, m.groups} {
		for i := range all {
			all[i].may &= mask
		}
	}
	return m, nil
}

// list is who may do something. The system looks at the first that fits of owner,
// named people, groups and others, so people who are named and may not are denied
// whatever their groups may, and groups where others may. A member of two groups of
// which one may not is denied then, too: no list can say that, and this admits fewer.
func (m modes) list(may right, names *accounts) (acl.List, error) {
	var allow, deny []acl.Subject
	say := func(all []named, person bool, who func(uint32) (acl.Subject, error)) error {
		for _, n := range all {
			s, err := who(n.id)
			switch {
			case err != nil:
				return err
			case n.may&may != 0:
				allow = append(allow, s)
			case person || m.others&may != 0:
				deny = append(deny, s)
			}
		}
		return nil
	}
	err := say(append([]named{{m.uid, m.owner}}, m.users...), true, names.user)
	if err == nil {
		err = say(append([]named{{m.gid, m.group}}, m.groups...), false, names.group)
	}
	if err != nil {
		return acl.List{}, err
	}
	if m.others&may != 0 {
		allow = []acl.Subject{acl.Everyone}
	}
	return acl.NewList(acl.Grants(allow...), acl.Grants(deny...)), nil
}

// accounts names people and groups, each asked for once.
type accounts struct {
	mu            sync.Mutex
	users, groups map[uint32]acl.Subject
}

func newAccounts() *accounts {
	return &accounts{users: map[uint32]acl.Subject{}, groups: map[uint32]acl.Subject{}}
}

func (a *accounts) user(id uint32) (acl.Subject, error) {
	return a.name(a.users, id, "user", func(text string) (string, error) {
		u, err := user.LookupId(text)
		if err != nil {
			return "", err
		}
		return u.Username, nil
	})
}

func (a *accounts) group(id uint32) (acl.Subject, error) {
	return a.name(a.groups, id, "group", func(text string) (string, error) {
		g, err := user.LookupGroupId(text)
		if err != nil {
			return "", err
		}
		return g.Name, nil
	})
}

func (a *accounts) name(known map[uint32]acl.Subject, id uint32, kind string, look func(string) (string, error)) (acl.Subject, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if s, ok := known[id]; ok {
		return s, nil
	}
	name, err := look(strconv.FormatUint(uint64(id), 10))
	if err != nil {
		return "", fmt.Errorf("%w: the %s %d has no name on this machine: %w", ErrPermissions, kind, id, err)
	}
	s, err := acl.ParseSubject(kind + ":" + name)
	if err != nil {
		return "", fmt.Errorf("%w: the %s %d: %w", ErrPermissions, kind, id, err)
	}
	known[id] = s
	return s, nil
}

// entered is who may reach what lies in a folder.
func (w *walk) entered(dir string, above acl.List) (acl.List, error) {
	if !w.source.options.Modes {
		return acl.List{}, nil
	}
	m, err := w.source.folderModes(dir)
	if err != nil {
		return acl.List{}, fmt.Errorf("folder %q: %w", dir, err)
	}
	l, err := m.list(mayEnter, w.names)
	if err != nil {
		return acl.List{}, fmt.Errorf("folder %q: %w", dir, err)
	}
	return acl.Both(above, l), nil
}

// folderModes opens a folder, which no link has replaced, for its permissions.
func (s *Source) folderModes(dir string) (m modes, err error) {
	info, err := s.root.Lstat(dir)
	if err != nil {
		return modes{}, err
	}
	f, err := s.root.Open(dir)
	if err != nil {
		return modes{}, err
	}
	defer f.Close() // opened to read
	if opened, err := f.Stat(); err != nil || !os.SameFile(info, opened) {
		return modes{}, errors.Join(errSwapped, err)
	}
	return openModes(f)
}

// permitted narrows who may read by the file system's own rules: nothing that is
// said elsewhere of a file goes beyond them. Others are whoever is signed in.
func (f file) permitted(seen []modes, says []policy.Statement) (acl.List, error) {
	l := f.within
	for _, m := range seen {
		may, err := m.list(mayRead, f.names)
		if err != nil {
			return acl.List{}, err
		}
		l = acl.Both(l, may)
	}
	said := policy.Combine(says...)
	if slices.ContainsFunc(says, func(s policy.Statement) bool { return s.States }) {
		l = acl.Both(l, said)
	}
	allow := l.Allow()
	for i := range allow {
		if allow[i].Subject == acl.Everyone {
			allow[i].Subject = acl.Authenticated
		}
	}
	return acl.NewList(allow, append(l.Deny(), said.Deny()...)), nil
}
