package folder

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"

	"ken/corpora"
	"ken/corpora/acl"
	"ken/corpora/policy"
	"ken/corpora/protect"
)

// maxPolicy is one byte more than a policy may have, so that reading that much
// shows that it has too much.
const maxPolicy = 1<<20 + 1

// Origin tells where a folder's permissions come from.
type Origin struct {
	File  string      // the policy file, relative to the folder; "" if there is none
	Rules int         // number of rules in it
	Modes bool        // nobody may read who may not read the files where they lie
	Owner acl.Subject // without a file: who may read what says nothing else; "" is nobody
}

// String tells a person what was found, and how to share.
func (o Origin) String() string {
	switch {
	case o.Modes && o.File == "":
		return "permissions are those of the file system"
	case o.Modes:
		return fmt.Sprintf("permissions are those of the file system, narrowed by %s (%d rules)", o.File, o.Rules)
	case o.File != "":
		return fmt.Sprintf("permissions come from %s (%d rules)", o.File, o.Rules)
	case o.Owner == "":
		return fmt.Sprintf("there is no %s, so nobody may read; write one to share", policy.File)
	}
	return fmt.Sprintf("there is no %s, so only %s may read; to share, write one, for example: version: 1, default: {allow: [%s, group:NAME]}", policy.File, o.Owner, o.Owner)
}

// Policy reads the policy file and tells what the next listing will go by. An
// error names the file, line and column.
func (s *Source) Policy(ctx context.Context) (Origin, error) {
	_, o, err := s.policy(ctx)
	return o, err
}

// Protection returns the rules for values in documents that the policy holds.
func (s *Source) Protection(ctx context.Context) (protect.Rules, error) {
	p, _, err := s.policy(ctx)
	return p.Protect(), err
}

func (s *Source) policy(ctx context.Context) (*policy.Policy, Origin, error) {
	data, _, err := s.readLimited(ctx, policy.File, maxPolicy)
	if errors.Is(err, fs.ErrNotExist) {
		if err := s.misnamed(); err != nil {
			return nil, Origin{}, err
		}
		return s.withoutFile()
	}
	if err != nil {
		if errors.Is(err, fs.ErrPermission) || errors.Is(err, ErrNotRegular) {
			err = fmt.Errorf("%w: %w", corpora.ErrPermissions, err)
		}
		return nil, Origin{}, fmt.Errorf("folder %s: read policy: %w", s.Name(), err)
	}
	p, err := policy.Parse(data)
	if err != nil {
		return nil, Origin{}, fmt.Errorf("folder %s: %w: %s: %w", s.Name(), corpora.ErrPermissions, policy.File, err)
	}
	return p, Origin{File: policy.File, Rules: p.Rules(), Modes: s.options.Modes}, nil
}

func (s *Source) withoutFile() (*policy.Policy, Origin, error) {
	if s.options.Modes {
		return new(policy.Policy), Origin{Modes: true}, nil
	}
	if s.options.Owner == "" {
		return new(policy.Policy), Origin{}, nil
	}
	return policy.Grant(s.options.Owner), Origin{Owner: s.options.Owner}, nil
}

// misnamed finds acl.yml and ACL.yaml, which somebody takes for the policy.
func (s *Source) misnamed() error {
	dir := path.Dir(policy.File)
	entries, err := fs.ReadDir(s.fsys, dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("folder %s: look for a policy: %w", s.Name(), err)
	}
	for _, e := range entries {
		if strings.HasPrefix(strings.ToLower(e.Name()), "acl.y") {
			return fmt.Errorf("folder %s: %w: %s/%s is not read: rename it to %s", s.Name(), corpora.ErrPermissions, dir, e.Name(), policy.File)
		}
	}
	return nil
}
