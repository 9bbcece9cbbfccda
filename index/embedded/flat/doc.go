// Package flat stores vectors as rows and compares a query with every row that
// may be read.
//
// A file is immutable and belongs to one model:
//
//	magic, version                 8 bytes
//	dimension, rows, hash length   3 × uint32
//	CRC-32C of the ordinals        uint32
//	┌ model hash
//	│ scales      rows × float32
//	│ errors      rows × float32
//	│ high        rows × half a byte per dimension, see Code
//	│ low         as many again
//	└ rows        rows × dimension × float32
//
// Integers and floats are little endian. All of it is the body of a sealed file
// (package blocks): [Open] reads the header, and the methods that begin with Check
// look at the rest before it is first used. Which chunk a row is of, the lexical
// segment beside it says; the two have the same checksum of ordinals.
//
// From the scales on, each part begins at a multiple of 64 bytes; zeros fill the gaps.
//
// A search narrows down. [File.Coarse] reads four bits per dimension,
// [File.Estimate] eight and says how far it can be off, [Dot] computes the score in
// float64, one addition after the other. The first two count in whole numbers and the
// products of the third are exact, so the result is the same on every machine; amd64
// and arm64 have assembly for it. A code is made from its vector alone: what else is
// in a file, and in which file a vector stands, changes nothing.
package flat
