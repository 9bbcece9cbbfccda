//go:build !linux

package control

import (
	"net"
	"path/filepath"
)

// sameUser trusts the modes of the socket and its directory.
func sameUser(net.Conn) bool { return true }

// short returns the socket's name.
func short(dir string) (path string, done func(), err error) {
	return filepath.Join(dir, socketName), func() {}, nil
}
