package folder

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// checkModes reports whether the permissions of files can be read here.
func checkModes() error { return nil }

// listedModes is what a listing tells without opening the file: no extended list.
// Setting one changes the inode's time, and so the stamp.
func listedModes(info fs.FileInfo) (modes, error) {
	s, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return modes{}, fmt.Errorf("%w: the file system tells no owner", ErrPermissions)
	}
	return modesOf(info.Mode(), s.Uid, s.Gid), nil
}

// openModes reads the permissions of an open file or folder.
func openModes(f fs.File) (modes, error) {
	info, err := f.Stat()
	if err != nil {
		return modes{}, err
	}
	m, err := listedModes(info)
	if err != nil {
		return modes{}, err
	}
	list, err := extendedList(f)
	if err != nil {
		return modes{}, err
	}
	return m.extended(list)
}

const accessList = "system.posix_acl_access"

// extendedList reads a file's extended list, nil if it has none. Lists of other
// kinds (of NFS 4, of Windows shares) are not understood: they may deny what the
// mode allows.
func extendedList(f fs.File) (list []byte, err error) {
	file, ok := f.(*os.File)
	if !ok {
		return nil, fmt.Errorf("%w: this is no file of a disk", ErrPermissions)
	}
	conn, err := file.SyscallConn()
	if err != nil {
		return nil, err
	}
	cerr := conn.Control(func(fd uintptr) { list, err = extendedListOf(int(fd)) })
	return list, errors.Join(err, cerr)
}

func extendedListOf(fd int) ([]byte, error) {
	names, err := attribute(func(to []byte) (int, error) { return unix.Flistxattr(fd, to) })
	if err != nil {
		return nil, err
	}
	var list []byte
	for name := range bytes.SplitSeq(names, []byte{0}) {
		switch n := string(name); {
		case n == accessList:
			if list, err = attribute(func(to []byte) (int, error) { return unix.Fgetxattr(fd, n, to) }); err != nil {
				return nil, err
			}
		case n == "system.posix_acl_default": // for what will be made in the folder
		case strings.HasPrefix(n, "system."):
			return nil, fmt.Errorf("%w: there is a list of the kind %s", ErrPermissions, n)
		}
	}
	return list, nil
}

// attribute reads what may have grown since its size was asked for. A file system
// that knows no attributes has none.
func attribute(read func(to []byte) (int, error)) ([]byte, error) {
	for {
		n, err := read(nil)
		if errors.Is(err, unix.ENOTSUP) || err == nil && n == 0 {
			return nil, nil
		}
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrPermissions, err)
		}
		out := make([]byte, n)
		n, err = read(out)
		if errors.Is(err, unix.ERANGE) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrPermissions, err)
		}
		return out[:n], nil
	}
}
