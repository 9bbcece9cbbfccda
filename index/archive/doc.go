// Package archive is the form in which a knowledge base leaves ken and comes back:
// documents with their permissions, chunks and vectors, as lines of JSON that any
// program can read.
//
//	{"ken":"export","version":1,"model":{"name":…,"hash":…,"dim":384,"fuse":0.05}}
//	{"erased":"<sha-256 of an id that may not come back>"}
//	{"document":{"id":…,"title":…,"acl":…},"chunks":[{"start":0,"end":812,"text":…,"vector":"<base64>"}]}
//	{"documents":121,"chunks":391,"sha256":"<of every byte before this line>"}
//
// The chunks of a document follow each other without a gap: joined, their texts are
// its text. Vectors are little-endian float32. Erased ids and documents stand in the order
// of their ids and nothing tells the time, so equal knowledge bases have equal archives.
package archive
