package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"ken/cmd/ken/internal/config"
	"ken/corpora"
	"ken/corpora/protect"
	"ken/corpora/protect/guard"
	"ken/corpora/protect/keeper"
)

// The files of the data directory that protection uses.
const (
	protectFile    = "protect.yaml" // rules for every source
	protectKeyFile = "protect.key"  // the wrapped secret
)

// protected returns the source with values taken out of names and metadata, and
// what takes them out of texts. The rules are those of the source's own policy and
// then those of the data directory.
func (p *program) protected(ctx context.Context, s corpora.Source) (corpora.Source, *protect.Protector, error) {
	rules, err := p.protectRules()
	if err != nil {
		return nil, nil, err
	}
	if own, ok := s.(interface {
		Protection(context.Context) (protect.Rules, error)
	}); ok {
		r, err := own.Protection(ctx)
		if err != nil {
			return nil, nil, err
		}
		rules = r.And(rules)
	}
	by, err := p.protector(ctx, rules)
	if err != nil {
		return nil, nil, err
	}
	return guard.Source(s, by), by, nil
}

func (p *program) protectRules() (protect.Rules, error) {
	data, err := p.rulesFile(protectFile)
	if err != nil || data == nil {
		return protect.Rules{}, err
	}
	rules, err := protect.Parse(data)
	if err != nil {
		return protect.Rules{}, fmt.Errorf("%s: %w", protectFile, err)
	}
	return rules, nil
}

// protector opens the key if there is one; rules that only remove need none.
func (p *program) protector(ctx context.Context, rules protect.Rules) (*protect.Protector, error) {
	var key protect.Key
	if url := p.getenv(config.ProtectKeyVar); url != "" && !rules.Empty() {
		dir, err := p.dataDir()
		if err != nil {
			return nil, err
		}
		if key, err = keeper.Open(ctx, url, filepath.Join(dir, protectKeyFile)); err != nil {
			return nil, err
		}
	}
	by, err := rules.With(key)
	if errors.Is(err, protect.ErrKey) {
		return nil, usage("%w: set $%s; `ken protect key` makes one", err, config.ProtectKeyVar)
	}
	return by, err
}

func (p *program) protectCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "protect",
		Short: "Take values out of documents before they are stored",
		Long: `Rules say which values never reach the index: mail addresses, card numbers, the
column "salary". They stand below protect: in FOLDER/.ken/acl.yaml for one folder,
and in protect.yaml of the data directory for all sources:

  version: 1
  protect:
    - {find: email, do: tokenise, class: confidential}
    - {name: staff-number, pattern: "P-[0-9]{6}", do: redact}
    - {field: [salary], do: encrypt}

find knows email, phone, card, iban and ssn. do is redact, tokenise (equal values
have equal tokens) or encrypt. The last two need a key in $` + config.ProtectKeyVar + `. When the
rules change, the next ingest reads every document again.`,
		Example: `  ken protect key
  ken fetch handbook/pay.csv | ken protect reveal --rule salary`,
	}
	cmd.AddCommand(&cobra.Command{
		Use: "key", Short: "Make a local key for $" + config.ProtectKeyVar, Args: cobra.NoArgs,
		Long: `Print a new key of the form base64key://…. Keep it: without it nothing that was
encrypted can be read again. A build with -tags full also takes the URL of a key in
AWS KMS, Google Cloud KMS, Azure Key Vault or Vault.`,
		Example: `  export ` + config.ProtectKeyVar + `="$(ken protect key)"`,
		RunE: func(*cobra.Command, []string) error {
			_, err := fmt.Fprintln(p.stdout, keeper.NewURL())
			return err
		},
	})
	reveal := &cobra.Command{
		Use: "reveal", Short: "Read encrypted values: text from standard input, with them decrypted", Args: cobra.NoArgs,
		Example: `  ken fetch handbook/pay.csv | ken protect reveal --rule salary`,
	}
	var names []string
	reveal.Flags().StringArrayVar(&names, "rule", nil, "also the values of this rule, from the policy of a folder (repeatable)")
	reveal.RunE = func(cmd *cobra.Command, _ []string) error { return p.reveal(cmd.Context(), names) }
	cmd.AddCommand(reveal)
	return cmd
}

// reveal copies standard input line by line.
func (p *program) reveal(ctx context.Context, names []string) error {
	rules, err := p.protectRules()
	if err != nil {
		return err
	}
	url := p.getenv(config.ProtectKeyVar)
	dir, err := p.dataDir()
	if err != nil {
		return err
	}
	file := filepath.Join(dir, protectKeyFile)
	if _, err := os.Stat(file); url == "" || err != nil {
		return usage("to reveal values, set $%s to the key that they were encrypted with, and name its data directory", config.ProtectKeyVar)
	}
	key, err := keeper.Open(ctx, url, file)
	if err != nil {
		return err
	}
	names = append(names, rules.Names()...)
	lines := bufio.NewScanner(p.stdin)
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		text, err := key.Reveal(lines.Text(), names)
		if err != nil {
			return err
		}
		if _, err := fmt.Fprintln(p.stdout, text); err != nil {
			return err
		}
	}
	return lines.Err()
}
