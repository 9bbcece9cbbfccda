// Package embedded is an index in one directory of one process.
//
// Documents, permissions, texts and the list of index files live in one
// transactional store, the truth; index files hold chunk ordinals and no
// authority. Dropping them loses time, never data or a permission.
//
//	DIR/FORMAT           version of this layout
//	DIR/LOCK, OWNER      held while a process uses DIR; which process it is
//	DIR/REVISION         the last commit, told outside the truth's log (see witness)
//	DIR/RESERVE          space for changes of permissions on a full disk
//	DIR/truth/           Pebble: documents, chunk texts, ACL classes, segment list,
//	                     and a checkpoint of what an open needs of all documents
//	DIR/segments/N.lex   postings of a range of ordinals (package lexical)
//	DIR/segments/N.vec   vectors of the same chunks and their codes (package flat)
//
// A write makes new files, syncs them and their directory, and then one synced
// batch in the truth flips revision, segment list, documents and classes; last,
// the witness is told, and an open that finds less is refused: [LostError]. What
// the truth does not name is deleted at the next open, so a crash at any
// instant leaves the state before or after the write. If the sync of the batch
// fails nobody knows which of the two it is, and the store stops: see [ErrFailed].
//
// An open reads the checkpoint and the beginnings of the segment files. Blocks of
// these are checked when they are first used, and in the background all of them,
// and the documents, are read and compared: see package blocks, and verify.
//
// Readers use an immutable state: segments, a snapshot of the truth, and for
// each ACL class (the documents with the same list) a bitmap of its ordinals
// and sums of its lengths.
//
//	principal, instant ──> classes that admit ──> readable set ──┐
//	query terms ──> postings of each segment ────────────────────┴──> BM25F
//
// The readable set is applied before anything is counted: document frequency,
// number of chunks and average lengths are those of readable chunks, so a
// score says nothing about other documents. Ordinals only name chunks; they
// never decide an order.
package embedded
