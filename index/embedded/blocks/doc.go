// Package blocks finds damage in a file when the damaged bytes are first used,
// so that opening a file does not mean reading it.
//
//	┌ body
//	│ table       CRC-32C of each 4 KiB of the body, uint32 each
//	└ footer      length of the body uint64; CRC-32C of table and length uint32;
//	              magic, version 8 bytes
//
// Integers are little endian. A block is as large as a page of memory on most
// machines: what a check reads was going to be read anyway. [Open] reads footer
// and table, a thousandth of the body; [File.Check] looks at blocks that were not
// looked at before; [File.CheckAll] at all of them, after which every check is
// one load.
package blocks
