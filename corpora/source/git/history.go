package git

import (
	"container/heap"
	"context"
	"errors"
	"path"
	"slices"
	"time"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/filemode"
	"github.com/go-git/go-git/v5/plumbing/object"
)

// history tells when each file of the source's folder last changed: the time of
// the newest commit in which it differs from that of every parent. Folders with
// the same hash are not looked into. Files that did not change within
// MaxHistory commits are not in the map.
func history(ctx context.Context, head *object.Commit, o Options) (map[string]time.Time, error) {
	w := &walk{options: o, missing: map[string]bool{}, out: map[string]time.Time{}}
	root, err := w.folder(head)
	if err != nil {
		return nil, err
	}
	if err := differing(root, nil, "", func(p string) { w.missing[p] = true }); err != nil {
		return nil, err
	}
	queue, seen := &commits{head}, map[plumbing.Hash]bool{head.Hash: true}
	for n := 0; queue.Len() > 0 && len(w.missing) > 0 && n < o.MaxHistory; n++ {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		parents, err := w.commit(heap.Pop(queue).(*object.Commit))
		if err != nil {
			return nil, err
		}
		for _, p := range parents {
			if !seen[p.Hash] {
				seen[p.Hash] = true
				heap.Push(queue, p)
			}
		}
	}
	return w.out, nil
}

// walk is one walk over the past.
type walk struct {
	options Options
	missing map[string]bool // files whose time is not known yet
	out     map[string]time.Time
}

// commit takes the files that changed in a commit, and returns its parents. The
// past may end early, in a repository that has only a part of it.
func (w *walk) commit(c *object.Commit) (parents []*object.Commit, err error) {
	root, err := w.folder(c)
	if err != nil || root == nil {
		return nil, err
	}
	var before []*object.Tree
	for i := range c.ParentHashes {
		p, err := c.Parent(i)
		if errors.Is(err, plumbing.ErrObjectNotFound) {
			return nil, nil // what came in before cannot be told from what came in here
		}
		if err != nil {
			return nil, err
		}
		t, err := w.folder(p)
		if err != nil {
			return nil, err
		}
		parents, before = append(parents, p), append(before, t)
	}
	return parents, differing(root, before, "", func(p string) {
		if w.missing[p] {
			delete(w.missing, p)
			w.out[p] = c.Committer.When.UTC()
		}
	})
}

// folder returns the source's folder in a commit, nil if there is none.
func (w *walk) folder(c *object.Commit) (*object.Tree, error) {
	t, err := c.Tree()
	if err != nil || w.options.Path == "" {
		return t, err
	}
	t, err = t.Tree(w.options.Path)
	if errors.Is(err, object.ErrDirectoryNotFound) || errors.Is(err, object.ErrEntryNotFound) {
		return nil, nil
	}
	return t, err
}

// differing names the files in t that are in none of the others as they are.
func differing(t *object.Tree, others []*object.Tree, dir string, found func(path string)) error {
	for _, e := range t.Entries {
		if slices.ContainsFunc(others, func(o *object.Tree) bool { return o != nil && slices.Contains(o.Entries, e) }) {
			continue
		}
		p := path.Join(dir, e.Name)
		switch e.Mode {
		case filemode.Submodule:
		case filemode.Dir:
			sub, err := t.Tree(e.Name)
			if err != nil {
				return err
			}
			if err := differing(sub, below(others, e.Name), p, found); err != nil {
				return err
			}
		default:
			found(p)
		}
	}
	return nil
}

// below returns the folder of that name in each tree that has it.
func below(trees []*object.Tree, name string) []*object.Tree {
	var out []*object.Tree
	for _, t := range trees {
		if t != nil {
			if sub, err := t.Tree(name); err == nil {
				out = append(out, sub)
			}
		}
	}
	return out
}

// commits is a heap, the newest first.
type commits []*object.Commit

func (c commits) Len() int           { return len(c) }
func (c commits) Less(i, j int) bool { return c[i].Committer.When.After(c[j].Committer.When) }
func (c commits) Swap(i, j int)      { c[i], c[j] = c[j], c[i] }
func (c *commits) Push(x any)        { *c = append(*c, x.(*object.Commit)) }
func (c *commits) Pop() any {
	last := (*c)[len(*c)-1]
	*c = (*c)[:len(*c)-1]
	return last
}
