// Package blob is the source of documents that are objects in a bucket: S3, GCS,
// Azure Blob Storage, a directory, memory; whatever gocloud.dev/blob opens.
//
//	list all keys below the prefix ─> a tree of folders ─> folder's rules
//	                                   └ Load: attributes + bytes
//
// What the objects mean (policy object .ken/acl.yaml, sidecars, front matter,
// hidden names) is as in package folder. Besides, the metadata of an object says
// who may read it:
//
//	ken-acl-allow: group:hr,user:ann      ken-acl-deny: user:mallory
//
// (ken_acl_allow is the same, for services that know no hyphens). A key that only
// looks like these closes the object. Stores tell of changed metadata as of a
// changed object, so a listing asks nothing about objects that did not change.
//
// An object that is not the listed one any more is left for the next listing: the
// rules that were read with the list may not be those that it was written for.
package blob
