// Package importtest holds the architecture: its test fails when a package
// imports what its layer may not know, or a third-party package leaves its room.
package importtest
