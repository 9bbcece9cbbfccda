// Package cloudtest gives tests buckets in emulators of clouds, and sets the
// environment by which the clouds' libraries find them. No program imports it.
package cloudtest
