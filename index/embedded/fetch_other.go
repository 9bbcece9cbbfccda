//go:build !linux

package embedded

func willNeed([]byte, int, int) {}
