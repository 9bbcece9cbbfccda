package embedded

import (
	"fmt"

	"ken/index/embedded/flat"
	"ken/index/embedded/lexical"
)

// olderVersion is the FORMAT of the directories that an open changes into those of
// this version. Their truth is that of this one but for the checkpoint, which is
// made when it is missing; their segment files are written anew, one by one, each
// under another name first. FORMAT is last: an upgrade that a crash ends goes on
// with the next open.
const olderVersion = "ken index 3"

// upgrade writes the files of the segments in the format of this version.
func (d directory) upgrade(m metaRecord) error {
	for _, g := range m.all() {
		for _, r := range g.Segments {
			if err := d.upgradeFile(lexName(r.Lexical), lexical.IsOld, lexical.Upgrade); err != nil {
				return err
			}
			if r.Vector == 0 {
				continue
			}
			if err := d.upgradeFile(vecName(r.Vector), flat.IsOld, flat.Upgrade); err != nil {
				return err
			}
		}
	}
	if err := d.sync(d.segments()); err != nil {
		return err
	}
	return d.writeFormat()
}

func (d directory) upgradeFile(name string, isOld func([]byte) bool, upgrade func([]byte) ([]byte, error)) error {
	old, err := d.open(name)
	if err != nil {
		return fmt.Errorf("upgrade: %w", err)
	}
	if !isOld(old.data) {
		return old.free()
	}
	data, err := upgrade(old.data)
	if freed := old.free(); err == nil {
		err = freed
	}
	path := d.fs.PathJoin(d.segments(), name)
	if err == nil {
		err = d.write(path+".new", data)
	}
	if err == nil {
		err = d.fs.Rename(path+".new", path)
	}
	if err != nil {
		return fmt.Errorf("upgrade %s: %w", name, err)
	}
	return nil
}
