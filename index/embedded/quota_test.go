package embedded_test

import (
	"sync"
	"syscall"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// quota is a disk of limited size: what does not fit fails as on a full disk.
// Space that a file took stays its own until it is removed or made anew.
type quota struct {
	*vfs.MemFS
	mu     sync.Mutex
	limit  int64
	sizes  map[string]int64
	silent bool // it does not tell what is free
}

func newQuota(limit int64) *quota {
	return &quota{MemFS: vfs.NewMem(), limit: limit, sizes: map[string]int64{}}
}

func (q *quota) used() (n int64) {
	for _, size := range q.sizes {
		n += size
	}
	return n
}

func (q *quota) setLimit(limit int64) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.limit = limit
}

// fill leaves n bytes free.
func (q *quota) fill(n int64) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.limit = q.used() + n
}

// grow makes the file at least size bytes long, if there is room.
func (q *quota) grow(name string, size int64) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	more := size - q.sizes[name]
	if more <= 0 {
		return nil
	}
	if q.used()+more > q.limit {
		return syscall.ENOSPC
	}
	q.sizes[name] = size
	return nil
}

func (q *quota) move(from, to string) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if size, ok := q.sizes[from]; ok && to != "" {
		q.sizes[to] = size
	}
	delete(q.sizes, from)
}

func (q *quota) Create(name string, c vfs.DiskWriteCategory) (vfs.File, error) {
	q.move(name, "")
	if err := q.grow(name, 1); err != nil { // its entry in the directory
		return nil, err
	}
	f, err := q.MemFS.Create(name, c)
	return &quotaFile{File: f, disk: q, name: name}, err
}

func (q *quota) OpenReadWrite(name string, c vfs.DiskWriteCategory, o ...vfs.OpenOption) (vfs.File, error) {
	f, err := q.MemFS.OpenReadWrite(name, c, o...)
	return &quotaFile{File: f, disk: q, name: name}, err
}

func (q *quota) ReuseForWrite(from, to string, c vfs.DiskWriteCategory) (vfs.File, error) {
	f, err := q.MemFS.ReuseForWrite(from, to, c)
	q.move(from, to)
	return &quotaFile{File: f, disk: q, name: to}, err
}

func (q *quota) Remove(name string) error {
	err := q.MemFS.Remove(name)
	if err == nil {
		q.move(name, "")
	}
	return err
}

func (q *quota) Rename(from, to string) error {
	err := q.MemFS.Rename(from, to)
	if err == nil {
		q.move(from, to)
	}
	return err
}

func (q *quota) GetDiskUsage(path string) (vfs.DiskUsage, error) {
	if q.silent {
		return q.MemFS.GetDiskUsage(path)
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	return vfs.DiskUsage{AvailBytes: uint64(max(0, q.limit-q.used())), TotalBytes: uint64(q.limit), UsedBytes: uint64(q.used())}, nil
}

// quotaFile writes within the quota of its disk.
type quotaFile struct {
	vfs.File
	disk *quota
	name string
	at   int64
}

func (f *quotaFile) Write(p []byte) (int, error) {
	if err := f.disk.grow(f.name, f.at+int64(len(p))); err != nil {
		return 0, err
	}
	f.at += int64(len(p))
	return f.File.Write(p)
}

func (f *quotaFile) WriteAt(p []byte, at int64) (int, error) {
	if err := f.disk.grow(f.name, at+int64(len(p))); err != nil {
		return 0, err
	}
	return f.File.WriteAt(p, at)
}
