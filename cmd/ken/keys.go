package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
	"unicode"

	"github.com/spf13/cobra"

	"ken/corpora/acl"
	"ken/tools/auth"
)

func (p *program) keysCommand() *cobra.Command {
	var file string
	cmd := &cobra.Command{
		Use:   "keys",
		Short: "Create, list and revoke the keys that HTTP clients show",
		Long: `Keys let clients in over HTTP. Each speaks for the subjects it was created with.

The file holds their hashes only; a key is shown once, when it is created. A
running server follows the file: a revoked key is refused from the next request.`,
		Example: `  ken keys create --as user:ann,group:hr --days 90 --note "Ann's laptop"
  ken keys list
  ken keys revoke 3f0k2m9x`,
	}
	cmd.PersistentFlags().StringVar(&file, "keys", "", "key `FILE` (default: keys.yaml in the data directory)")
	cmd.AddCommand(p.keysCreateCommand(&file), p.keysListCommand(&file), p.keysRevokeCommand(&file))
	return cmd
}

// keyFile returns the key file in force.
func (p *program) keyFile(file string) (string, error) {
	if file != "" {
		return file, nil
	}
	dir, err := p.dataDir()
	return filepath.Join(dir, "keys.yaml"), err
}

func (p *program) openKeys(file string, create bool) (*auth.Keys, error) {
	path, err := p.keyFile(file)
	if err != nil {
		return nil, err
	}
	o := auth.Options{Clock: p.now, Log: p.logger()}
	keys, err := auth.Open(path, o)
	if !errors.Is(err, fs.ErrNotExist) {
		return keys, err
	}
	if !create {
		return nil, fmt.Errorf("there are no keys in %s: make one with `ken keys create --as user:NAME,group:NAME` (%w)", path, fs.ErrNotExist)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, fmt.Errorf("create key file: %w", err)
	}
	if err := auth.CreateFile(path); err != nil {
		return nil, err
	}
	return auth.Open(path, o)
}

// maxDays is a century. Times beyond the year 9999 cannot be written.
const maxDays = 36_525

func (p *program) keysCreateCommand(file *string) *cobra.Command {
	var as, note, jsonFile string
	var scopes []string
	var days int
	cmd := &cobra.Command{
		Use:   "create",
		Short: "Create a key and print it",
		Example: `  ken keys create --as user:ann,group:hr --days 90
  ken keys create --as user:ops --scope ken.read,ken.admin`,
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			subjects, err := acl.ParseSubjects(as)
			if err != nil {
				return usage("--as: %w", err)
			}
			if days < 0 || days > maxDays {
				return usage("--days %d: want 0 to %d", days, maxDays)
			}
			if strings.ContainsFunc(note, unicode.IsControl) {
				return usage("--note has a control character")
			}
			if slices.ContainsFunc(scopes, func(s string) bool { return !auth.IsScope(s) }) {
				return usage("--scope: want words such as %s", auth.ScopeRead)
			}
			var expires time.Time
			if days > 0 {
				expires = p.now().AddDate(0, 0, days)
			}
			keys, err := p.openKeys(*file, true)
			if err != nil {
				return err
			}
			key, secret, err := keys.Create(subjects, expires, note, scopes...)
			if err != nil {
				return err
			}
			if err := p.showNewKey(jsonFile, key, secret); err != nil { // nobody has it
				return errors.Join(fmt.Errorf("show the key: %w", err), keys.Revoke(key.ID))
			}
			return nil
		},
	}
	jsonFlag(cmd, &jsonFile)
	cmd.Flags().StringVar(&as, "as", "", "who the key speaks for: comma-separated `SUBJECTS` such as user:ann,group:hr")
	cmd.Flags().IntVar(&days, "days", 90, "days until it expires (0: never)")
	cmd.Flags().StringVar(&note, "note", "", "what it is for")
	cmd.Flags().StringSliceVar(&scopes, "scope", []string{auth.ScopeRead}, "`SCOPES` that it may be used for: ken.read, ken.admin, or those of ken serve --tool-scope")
	cobra.CheckErr(cmd.MarkFlagRequired("as"))
	return cmd
}

func (p *program) showNewKey(jsonFile string, key auth.Key, secret string) error {
	if jsonFile != "" {
		return p.writeJSON(jsonFile, struct {
			shownKey
			Key string `json:"key"`
		}{show(key), secret})
	}
	fmt.Fprintf(p.stderr, "Key %s for %s. It is shown once:\n", key.ID, joinSubjects(key.Subjects))
	_, err := fmt.Fprintln(p.stdout, secret)
	return err
}

func (p *program) keysListCommand(file *string) *cobra.Command {
	var jsonFile string
	cmd := &cobra.Command{
		Use:     "list",
		Short:   "List the keys",
		Example: `  ken keys list`,
		Args:    cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			list, err := p.listKeys(*file)
			if err != nil {
				return err
			}
			if jsonFile != "" {
				return p.writeJSON(jsonFile, list)
			}
			w := tabwriter.NewWriter(p.stdout, 0, 0, 2, ' ', 0)
			fmt.Fprintln(w, "ID\tSUBJECTS\tSCOPES\tCREATED\tEXPIRES\tLAST USED\tNOTE")
			for _, k := range list {
				expires := "never"
				if !k.Expires.IsZero() {
					expires = k.Expires.Format(time.DateOnly)
				}
				used := "never"
				if !k.LastUsed.IsZero() {
					used = k.LastUsed.Format("2006-01-02 15:04")
				}
				fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n",
					k.ID, joinSubjects(k.Subjects), strings.Join(k.Scopes, ","), k.Created.Format(time.DateOnly), expires, used, k.Note)
			}
			return w.Flush()
		},
	}
	jsonFlag(cmd, &jsonFile)
	return cmd
}

// shownKey is what may be shown of a key.
type shownKey struct {
	ID       string        `json:"id"`
	Subjects []acl.Subject `json:"subjects"`
	Scopes   []string      `json:"scopes"`
	Created  time.Time     `json:"created"`
	Expires  time.Time     `json:"expires,omitzero"`
	LastUsed time.Time     `json:"last_used,omitzero"` // to the minute, as far as a server wrote it down
	Note     string        `json:"note,omitempty"`
}

func show(k auth.Key) shownKey {
	return shownKey{ID: k.ID, Subjects: k.Subjects, Scopes: k.Scopes, Created: k.Created, Expires: k.Expires, Note: k.Note}
}

// listKeys returns the keys of the file; none if there is no file.
func (p *program) listKeys(file string) ([]shownKey, error) {
	out := []shownKey{}
	keys, err := p.openKeys(file, false)
	if errors.Is(err, fs.ErrNotExist) {
		return out, nil
	}
	if err != nil {
		return nil, err
	}
	list, err := keys.List()
	if err != nil {
		return nil, err
	}
	used, err := keys.LastUsed()
	for _, k := range list {
		shown := show(k)
		shown.LastUsed = used[k.ID]
		out = append(out, shown)
	}
	return out, err
}

func joinSubjects(subjects []acl.Subject) string {
	text := make([]string, len(subjects))
	for i, s := range subjects {
		text[i] = string(s)
	}
	return strings.Join(text, ",")
}

func (p *program) keysRevokeCommand(file *string) *cobra.Command {
	return &cobra.Command{
		Use:     "revoke ID",
		Short:   "Revoke a key",
		Example: `  ken keys revoke 3f0k2m9x`,
		Args:    cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			keys, err := p.openKeys(*file, false)
			if err != nil {
				return err
			}
			if err := keys.Revoke(args[0]); err != nil {
				return err
			}
			fmt.Fprintf(p.stdout, "revoked %s\n", args[0])
			return nil
		},
	}
}
