package folder

import (
	"fmt"
	"io/fs"
	"syscall"
	"time"
)

// nonBlocking keeps a pipe that took a file's place from holding up its opening.
const nonBlocking = syscall.O_NONBLOCK

func inode(info fs.FileInfo) string {
	if s, ok := info.Sys().(*syscall.Stat_t); ok {
		return fmt.Sprintf("%d %d.%d", s.Ino, s.Ctim.Sec, s.Ctim.Nsec)
	}
	return ""
}

// changed is when the file, its name or its permissions last changed.
func changed(info fs.FileInfo) time.Time {
	if s, ok := info.Sys().(*syscall.Stat_t); ok {
		return time.Unix(s.Ctim.Unix())
	}
	return info.ModTime()
}
