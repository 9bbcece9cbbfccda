package folder

import (
	"context"
	"errors"
	"io/fs"
	"slices"
	"time"

	"ken/corpora/policy"
)

// Place is a file system that knows more of its files than their bytes: a Git
// commit, a bucket. Its FileInfos may carry an [About] in Sys.
type Place interface {
	fs.FS
	// OpenContext is Open for as long as the context lasts. The Stat of the file
	// that it returns tells all that there is to tell in About.
	OpenContext(ctx context.Context, name string) (fs.File, error)
	// Owners says who owns a path. That goes before the policy's default and
	// after its rules.
	Owners(name string) policy.Statement
}

// About is what a [Place] knows of a file. The zero About: nothing.
type About struct {
	Mark     string           // changes whenever the file does; "": size and time do
	Says     policy.Statement // who may read it, said nearer than in the document itself
	Modified time.Time        // zero: ModTime
	URL      string           // where a person opens it
}

func openPlace(ctx context.Context, p Place, name string) (fs.File, fs.FileInfo, error) {
	f, err := p.OpenContext(ctx, name)
	if err != nil {
		return nil, nil, err
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = ErrNotRegular
	}
	if err != nil {
		return nil, nil, errors.Join(err, f.Close())
	}
	return f, info, nil
}

// statements returns what policy and place say of the file by its path, nearest
// first.
func (f file) statements() []policy.Statement {
	says := f.policy.Statements(f.path)
	if f.source.place == nil || len(says) == 0 {
		return says
	}
	return slices.Insert(says, len(says)-1, f.source.place.Owners(f.path))
}
