// Package folder is the source of documents that are files in a folder.
//
//	folder ─ walk in byte order ─> Put, Put, …, Complete
//	           │ policy file, read once per listing
//	           └ Load: file + sidecar + front matter ─> Document with its ACL
//
// Every regular file is a document, named by its path; names are compared byte
// for byte. Not documents are hidden files and folders (their names begin with
// a dot; .ken is one) and sidecars (NAME.EXT.acl.yaml, which say who may read
// NAME.EXT). Symbolic links are not followed, inside the folder or out of it:
// permission goes by path, and a link would give a file a second path with
// other rules. What a link points at inside the folder is indexed at its own
// place. Files are opened through [os.Root], so that nothing that changes
// during the walk leads outside either.
//
// A hard link is a file of its own, as a copy is, and goes by the rules for its
// path.
//
// A document that cannot be read, or whose front matter or sidecar is not
// understood, is an error of that document; so is one that a rule or a sidecar
// seems to be meant for and misses by case, by characters that look alike or by
// its form, and a folder with a policy of its own. The caller must then take from the
// index what it had of it, or close it: who may read it is not known. A part
// of the folder that cannot be listed, or a policy that is not understood, is
// an error of the source, and the listing does not end with Complete.
package folder
