package judge

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"ken/internal/atomicfile"
)

// Recordings keeps good replies by the content of what was asked: the model, the
// version of the prompts, the messages, the schema and the number of the try. A
// file holds the reply and its tokens, and a hash of the question; not the
// passages. The zero Recordings keep nothing.
type Recordings struct {
	Dir string // "" keeps nothing
}

// recording is one reply.
type recording struct {
	Reply      string `json:"reply"`
	Prompt     int    `json:"prompt_tokens"`
	Completion int    `json:"completion_tokens"`
}

// key names what is asked. Two endpoints that serve a model of the same name
// share recordings, so that what one machine recorded another can replay.
func key(q request) string {
	data, err := json.Marshal(q)
	if err != nil { // strings and numbers
		panic("judge: " + err.Error())
	}
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:16])
}

func (r Recordings) path(key string) string { return filepath.Join(r.Dir, key[:2], key+".json") }

// load returns false if there is no recording. A broken one, which a crash can
// leave behind, counts as none: it is asked again and written anew.
func (r Recordings) load(key string) (recording, bool, error) {
	var out recording
	if r.Dir == "" {
		return out, false, nil
	}
	data, err := os.ReadFile(r.path(key))
	if errors.Is(err, fs.ErrNotExist) {
		return out, false, nil
	}
	if err != nil {
		return out, false, fmt.Errorf("read recording: %w", err)
	}
	return out, json.Unmarshal(data, &out) == nil && out.Reply != "", nil
}

// save writes beside the place and renames, so that a recording is whole or not there.
func (r Recordings) save(key string, rec recording) error {
	if r.Dir == "" {
		return nil
	}
	data, err := json.Marshal(rec)
	if err != nil {
		return err
	}
	path := r.path(key)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return fmt.Errorf("write recording: %w", err)
	}
	if err := atomicfile.Write(path, append(data, '\n')); err != nil {
		return fmt.Errorf("write recording: %w", err)
	}
	return nil
}
