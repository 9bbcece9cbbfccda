package config

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"runtime"
	"strings"

	"ken/corpora/acl"
	"ken/internal/atomicfile"
)

// Environment variables that ken reads.
const (
	// DataVar names the data directory, like the flag --data.
	DataVar = "KEN_DATA"
	// EmbedKeyVar holds the key of the embedding endpoint.
	EmbedKeyVar = "KEN_EMBED_KEY"
	// RerankKeyVar holds the key of the rerank endpoint.
	RerankKeyVar = "KEN_RERANK_KEY"
	// EvalDataVar names the folder of data sets that are not part of ken; paths
	// in a suite may begin with it.
	EvalDataVar = "KEN_EVAL_DATA"
	// JudgeKeyVar holds the key of the endpoint of ken eval judge.
	JudgeKeyVar = "KEN_JUDGE_KEY"
	// ProtectKeyVar holds the URL of the key that protects values in documents.
	ProtectKeyVar = "KEN_PROTECT_KEY"
)

// Getenv looks up an environment variable; os.Getenv is one.
type Getenv func(string) string

// DataDir returns the directory that holds the user's index: $KEN_DATA, or the
// platform's place for application data.
func DataDir(getenv Getenv) (string, error) {
	if dir := getenv(DataVar); dir != "" {
		return dir, nil
	}
	if dir := getenv("XDG_DATA_HOME"); dir != "" && runtime.GOOS != "windows" {
		return filepath.Join(dir, "ken"), nil
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return "", fmt.Errorf("no home directory (%w): name a data directory with --data DIR or $%s", err, DataVar)
	}
	switch runtime.GOOS {
	case "windows":
		if dir := getenv("LOCALAPPDATA"); dir != "" {
			return filepath.Join(dir, "ken"), nil
		}
		return filepath.Join(home, "AppData", "Local", "ken"), nil
	case "darwin":
		return filepath.Join(home, "Library", "Application Support", "ken"), nil
	}
	return filepath.Join(home, ".local", "share", "ken"), nil
}

// Login returns the subject of whoever runs the process: "user:" and the login
// name. It is the principal of stdio and of ken search, and the reader of a
// folder that has no policy.
func Login() (acl.Subject, error) {
	u, err := user.Current()
	if err != nil {
		return "", fmt.Errorf("the login name cannot be found (%w): say who asks with --as user:NAME", err)
	}
	name := u.Username
	if i := strings.LastIndexByte(name, '\\'); i >= 0 { // DOMAIN\name on Windows
		name = name[i+1:]
	}
	s, err := acl.ParseSubject("user:" + name)
	if err != nil {
		return "", fmt.Errorf("the login name is no subject (%w): say who asks with --as user:NAME", err)
	}
	return s, nil
}

// Embedder says which model makes the vectors. Its key is never part of it.
type Embedder struct {
	Kind          string  `json:"kind"`                     // "hashed" or "openai"
	Dim           int     `json:"dim,omitempty"`            // 0: the kind's default, or what the endpoint says
	URL           string  `json:"url,omitempty"`            // openai: base URL
	Model         string  `json:"model,omitempty"`          // openai: model name
	Azure         bool    `json:"azure,omitempty"`          // openai: the endpoint is Azure's
	APIVersion    string  `json:"api_version,omitempty"`    // openai: Azure's API version
	QueryPrefix   string  `json:"query_prefix,omitempty"`   // openai: put before a query
	PassagePrefix string  `json:"passage_prefix,omitempty"` // openai: put before a passage
	Fuse          float64 `json:"fuse,omitempty"`           // weight of the vector leg; 0: the kind's default
}

// Reranker says which endpoint reorders the best passages; without a URL none does.
type Reranker struct {
	URL   string // the endpoint's full URL
	Model string // model name at the endpoint; may be empty
	Shape string // "documents" (Cohere, Jina, vLLM; also "") or "texts" (TEI)
}

// Settings are kept in the data directory, so that searches use what the
// ingest used.
type Settings struct {
	Embedder Embedder          `json:"embedder"`
	Folders  map[string]string `json:"folders,omitempty"` // source name to the folder that it was last read from
	// KeepVersions is how many earlier versions of a document are kept.
	KeepVersions int `json:"keep_versions,omitempty"`
}

const settingsFile = "settings.json"

// Load reads the settings of a data directory. A directory without any has the
// defaults: hashed vectors.
func Load(dir string) (Settings, error) {
	s := Settings{Embedder: Embedder{Kind: "hashed"}}
	data, err := os.ReadFile(filepath.Join(dir, settingsFile))
	if errors.Is(err, fs.ErrNotExist) {
		return s, nil
	}
	if err != nil {
		return s, fmt.Errorf("read settings: %w", err)
	}
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	err = dec.Decode(&s)
	if err == nil && len(bytes.TrimSpace(data[dec.InputOffset():])) > 0 {
		err = errors.New("something follows the settings")
	}
	if err != nil {
		return s, fmt.Errorf("%s is damaged (%w): remove it and run `ken ingest` with the same --embedder as before", filepath.Join(dir, settingsFile), err)
	}
	return s, nil
}

// Save writes the settings, whole or not at all.
func Save(dir string, s Settings) error {
	data, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return fmt.Errorf("write settings: %w", err)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("write settings: %w", err)
	}
	if err := atomicfile.Write(filepath.Join(dir, settingsFile), append(data, '\n')); err != nil {
		return fmt.Errorf("write settings: %w", err)
	}
	return nil
}
