// Package flat stores vectors as rows and compares a query with every row that
// may be read.
//
// A file is immutable and belongs to one model:
//
//	magic, version                 8 bytes
//	dimension, rows, hash length   3 × uint32
//	CRC-32C of the body            uint32
//	CRC-32C of this header         uint32
//	┌ model hash
//	│ ordinals    rows × uint32, ascending
//	│ (zeros up to a multiple of 64 bytes from the beginning of the file)
//	└ rows        rows × dimension × float32
//
// Integers and floats are little endian. [Open] verifies both checksums.
//
// A search has two steps. [File.Scan] computes dot products in float32, fast,
// and [Slack] bounds how far rounding can have moved them; [Dot] then computes
// those of the candidates in float64, one addition after the other. Products of
// two float32 are exact there, so the score is the same on every machine and
// whatever proposed the candidate.
package flat
