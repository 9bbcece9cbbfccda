package embedded

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"iter"
	"slices"

	"github.com/cockroachdb/pebble/v2"

	"ken/corpora"
	"ken/index"
)

// erasedKey is that of an id which may not come back. The id itself may be what
// had to go, so only its hash is kept.
func erasedKey(hash []byte) []byte { return append([]byte{erasedPrefix}, hash...) }

// ErasedHash is how an erased id is named: the SHA-256 of it, in hex.
func ErasedHash(id corpora.DocID) string {
	sum := sha256.Sum256([]byte(id))
	return hex.EncodeToString(sum[:])
}

// Erase removes the documents for good: their ids are refused from now on, by
// [Store.Replace] with [index.ErrErased]. Ids that are not there are refused too.
// Their bytes leave the disk with [Store.Compact].
func (s *Store) Erase(ctx context.Context, ids ...corpora.DocID) error {
	return s.write(&request{ctx: ctx, alone: true, apply: func(c *change) error {
		for _, id := range slices.Compact(slices.Sorted(slices.Values(ids))) {
			if err := c.erase(id); err != nil {
				return fmt.Errorf("%q: %w", id, err)
			}
			sum := sha256.Sum256([]byte(id))
			if err := c.batch.Set(erasedKey(sum[:]), nil, nil); err != nil {
				return err
			}
		}
		return nil
	}}, "erase")
}

// erase removes a document and the past of its lists, where its id stands too.
func (c *change) erase(id corpora.DocID) error {
	if err := c.delete(id); err != nil {
		return err
	}
	delete(c.lists.before, id)
	past := historyPrefixOf(id)
	return c.batch.DeleteRange(past, after(past), nil)
}

// EraseHashes refuses ids by their hashes (see [ErasedHash]), as an archive names
// them, and removes the documents that have them.
func (s *Store) EraseHashes(ctx context.Context, hashes ...string) error {
	listed := map[string]bool{}
	for _, h := range hashes {
		if sum, err := hex.DecodeString(h); err != nil || len(sum) != sha256.Size {
			return fmt.Errorf("erase: %q is no hash of an id", h)
		}
		listed[h] = true
	}
	// First the ids are refused: what is listed then can only become less.
	err := s.write(&request{ctx: ctx, alone: true, apply: func(c *change) error {
		for h := range listed {
			sum, _ := hex.DecodeString(h) // checked above
			if err := c.batch.Set(erasedKey(sum), nil, nil); err != nil {
				return err
			}
		}
		return nil
	}}, "erase")
	if err != nil {
		return err
	}
	var ids []corpora.DocID
	for d, err := range s.Documents(ctx, "") {
		if err != nil {
			return err
		}
		if listed[ErasedHash(d.ID)] {
			ids = append(ids, d.ID)
		}
	}
	return s.Erase(ctx, ids...)
}

// Readmit lets the ids come back. It brings back nothing.
func (s *Store) Readmit(ctx context.Context, ids ...corpora.DocID) error {
	return s.write(&request{ctx: ctx, alone: true, apply: func(c *change) error {
		for _, id := range ids {
			sum := sha256.Sum256([]byte(id))
			if err := c.batch.Delete(erasedKey(sum[:]), nil); err != nil {
				return err
			}
		}
		return nil
	}}, "readmit")
}

// Erased tells the hashes of the ids that may not come back, in order.
func (s *Store) Erased(ctx context.Context) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		st, err := s.current()
		if err != nil {
			yield("", err)
			return
		}
		defer st.release()
		lower, stopped := []byte{erasedPrefix}, false
		err = scan(ctx, st.snapshot, lower, after(lower), func(key, _ []byte) (bool, error) {
			stopped = !yield(hex.EncodeToString(key[1:]), nil)
			return !stopped, nil
		})
		if err != nil && !stopped {
			yield("", fmt.Errorf("erased: %w", err))
		}
	}
}

// anyErased reports whether any id was.
func anyErased(ctx context.Context, r pebble.Reader) (found bool, err error) {
	lower := []byte{erasedPrefix}
	err = scan(ctx, r, lower, after(lower), func(_, _ []byte) (bool, error) {
		found = true
		return false, nil
	})
	return found, err
}

// checkErased refuses an id that was erased.
func checkErased(r pebble.Reader, id corpora.DocID) error {
	sum := sha256.Sum256([]byte(id))
	_, closer, err := r.Get(erasedKey(sum[:]))
	switch {
	case errors.Is(err, pebble.ErrNotFound):
		return nil
	case err != nil:
		return fmt.Errorf("read truth store: %w", err)
	}
	return joinClose(index.ErrErased, closer)
}
