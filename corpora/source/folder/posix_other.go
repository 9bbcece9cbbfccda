//go:build !linux

package folder

import (
	"errors"
	"fmt"
	"io/fs"
)

// errModes: elsewhere files have lists that this program does not read, and that
// may deny what the mode allows.
var errModes = fmt.Errorf("%w: files say who may read them on Linux only: %w", ErrPermissions, errors.ErrUnsupported)

func checkModes() error                      { return errModes }
func listedModes(fs.FileInfo) (modes, error) { return modes{}, errModes }
func openModes(fs.File) (modes, error)       { return modes{}, errModes }
