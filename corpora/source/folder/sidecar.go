package folder

import (
	"fmt"
	"io/fs"
	"path"
	"strings"

	"ken/corpora/internal/twin"
)

const sidecarSuffix = ".acl.yaml"

// sidecarOf returns the name of the file that a sidecar belongs to. Spellings
// of the suffix that are not read count too, so that they can be refused.
func sidecarOf(name string) (string, bool) {
	for _, s := range []string{name, twin.Key(name)} {
		for _, suffix := range []string{sidecarSuffix, ".acl.yml", ".acl.json", ".acl"} {
			if cut := len(s) - len(suffix); cut > 0 && strings.EqualFold(s[cut:], suffix) {
				return s[:cut], true
			}
		}
	}
	return "", false
}

// sidecars are those of one folder.
type sidecars struct {
	byOwner map[string][]sidecar // by the key of the name that they are for
	files   map[string]bool      // names of everything in the folder but folders
}

type sidecar struct {
	fs.DirEntry
	owner string
}

func sidecarsOf(entries []fs.DirEntry) sidecars {
	s := sidecars{map[string][]sidecar{}, map[string]bool{}}
	for _, e := range entries {
		if !e.IsDir() {
			s.files[e.Name()] = true
		}
		if owner, ok := sidecarOf(e.Name()); ok {
			s.byOwner[twin.Key(owner)] = append(s.byOwner[twin.Key(owner)], sidecar{e, owner})
		}
	}
	return s
}

// of returns the sidecar of a file, nil if it has none. Whatever else may have
// been written to protect the file is an error: a name that would not be read,
// one that is this file's but for case or without its extension, and what a
// change of would not be seen.
func (s sidecars) of(name string) (fs.FileInfo, error) {
	var own *sidecar
	for _, c := range s.byOwner[twin.Key(name)] {
		switch {
		case c.Name() == name+sidecarSuffix:
			own = &c
		case c.owner == name || !s.files[c.owner]:
			return nil, c.misnamed(name)
		}
	}
	stem := strings.TrimSuffix(name, path.Ext(name))
	for _, c := range s.byOwner[twin.Key(stem)] {
		if !s.files[c.owner] {
			return nil, c.misnamed(name)
		}
	}
	if own == nil {
		return nil, nil
	}
	info, err := own.Info()
	switch {
	case err != nil:
		return nil, fmt.Errorf("%w of %q: %w", ErrSidecar, name, err)
	case !info.Mode().IsRegular():
		return nil, fmt.Errorf("%w %q: %w: put the file itself there", ErrSidecar, own.Name(), ErrNotRegular)
	}
	return info, nil
}

// ofFolder refuses a folder that somebody believes to have a sidecar.
func (s sidecars) ofFolder(name string) error {
	for _, c := range s.byOwner[twin.Key(name)] {
		if !s.files[c.owner] {
			return fmt.Errorf("%w %q is not read: a folder has none; write a rule in the policy file", ErrSidecar, c.Name())
		}
	}
	return nil
}

func (c sidecar) misnamed(owner string) error {
	return fmt.Errorf("%w %q is not read: rename it to %s", ErrSidecar, c.Name(), owner+sidecarSuffix)
}
