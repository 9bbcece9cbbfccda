// Package block reads the block structure of Markdown within bounds.
//
// The parser underneath builds a tree that takes hundreds of bytes for a block,
// and remembers every blank line once per open container. So [Each] gives it a
// window of the text at a time, begins the next window where the last block of
// this one began, and refuses what would break the bound. Inline marks are not
// read: their parsers are quadratic.
package block
