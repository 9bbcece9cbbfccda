// Package lexical is the file format of an inverted index over chunks, and
// nothing else: analysed terms go in, bytes come out, postings are read back.
// It knows neither documents nor permissions and takes terms as they are.
//
// A segment is immutable. Its chunks are numbered 0 to n-1, in ascending order
// of their ordinals; a posting names this local number.
//
//	magic, version                 8 bytes
//	chunks                         uint32
//	checksum of this header        uint32
//	section table                  8 × (offset, length uint64; CRC-32C uint32)
//	┌ languages   names, each after its length
//	│ ordinals    n × uint32, ascending
//	│ columns     n × (language uint16; title, body length uint32; key 16 bytes;
//	│                  modified seconds int64, nanoseconds uint32)
//	│ terms       FST: language, NUL, stem  ->  offset in postings
//	│ postings    count, then (delta, body frequency·2 + has title[, title frequency])
//	│ keywords    FST: exact term  ->  offset in matches
//	└ matches     count, then deltas
//
// Integers in tables are little endian, those in lists are varints. Every
// section carries a checksum that [Open] verifies, so that a damaged file is an
// error when it is opened and not a wrong answer later.
package lexical
