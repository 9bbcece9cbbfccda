// Package chromem proposes nearest vectors with chromem-go.
//
// chromem-go can filter by equal metadata only, not by "any of the reader's
// groups", so there is one [Collection] per ACL class and a search asks those
// that the reader may read. It is used in memory only: its files are named by
// four bytes of a hash and overwrite each other. Its scores are float32 and its
// ties fall at random, so a collection only proposes candidates, enough of them
// that the best k are among them, and the caller computes the scores.
package chromem
