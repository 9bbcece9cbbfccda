package policy

import (
	"errors"
	"io/fs"
	"os"
)

// Missing reports whether err, of opening the file, says that there is none. A link
// that leads nowhere, perhaps because what it leads to comes later, is a file that
// cannot be read: what it would restrict must not be open meanwhile.
func Missing(path string, err error) bool {
	if !errors.Is(err, fs.ErrNotExist) {
		return false
	}
	_, err = os.Lstat(path)
	return errors.Is(err, fs.ErrNotExist)
}
