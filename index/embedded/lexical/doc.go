// Package lexical is the file format of an inverted index over chunks, and
// nothing else: analysed terms go in, bytes come out, postings are read back.
// It knows neither documents nor permissions and takes terms as they are.
//
// A segment is immutable. Its chunks are numbered 0 to n-1, in ascending order
// of their ordinals; a posting names this local number.
//
//	magic, version                 8 bytes
//	chunks, first, last ordinal    3 × uint32
//	CRC-32C of the ordinals        uint32
//	length of each section         7 × uint64
//	┌ languages   names, each after its length
//	│ ordinals    n × uint32, ascending; nothing if none between first and last is missing
//	│ columns     n × (language uint16; title, body length uint32; key 16 bytes;
//	│                  modified seconds int64, nanoseconds uint32)
//	│ terms       FST: language, NUL, stem  ->  offset in postings
//	│ postings    count, then (delta, body frequency·2 + has title[, title frequency])
//	│ keywords    FST: exact term  ->  offset in matches
//	└ matches     count, then deltas
//
// Integers in tables are little endian, those in lists are varints. All of it is
// the body of a sealed file (package blocks): [Open] reads the beginning, and the
// rest is checked when it is first used, so that a damaged file is an error and not
// a wrong answer.
package lexical
