//go:build !linux

package folder

import (
	"io/fs"
	"time"
)

const nonBlocking = 0

func inode(fs.FileInfo) string { return "" }

func changed(info fs.FileInfo) time.Time { return info.ModTime() }
