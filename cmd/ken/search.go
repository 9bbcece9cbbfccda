package main

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/spf13/cobra"

	"ken/cmd/ken/internal/config"
	"ken/corpora"
	"ken/corpora/acl"
	"ken/index"
	"ken/retrieval"
)

// asFlag adds the flag --as, which is the same in every command that asks.
func asFlag(cmd *cobra.Command, subjects *string) {
	notEmpty(cmd, subjects, "as", "who asks: comma-separated `SUBJECTS` such as user:ann,group:hr (default: your login name)")
}

// notEmpty adds a flag that says who: given, it must not be empty. An unset
// variable in a script would otherwise mean the login name, which may read more.
func notEmpty(cmd *cobra.Command, value *string, name, help string) {
	cmd.Flags().Func(name, help, func(text string) error {
		if *value = text; text == "" {
			return errors.New("is empty")
		}
		return nil
	})
}

// principal reads --as; without it, whoever runs the process asks.
func principal(subjects string) (acl.Principal, error) {
	if subjects == "" {
		login, err := config.Login()
		if err != nil {
			return acl.Principal{}, err
		}
		return acl.NewPrincipal(login), nil
	}
	list, err := acl.ParseSubjects(subjects)
	if err != nil {
		return acl.Principal{}, usage("--as: %w", err)
	}
	return acl.NewPrincipal(list...), nil
}

type searchOptions struct {
	as, json, mode string
	after, before  string
	flags          searchFlags
	request        retrieval.Request
}

func (p *program) searchCommand() *cobra.Command {
	var o searchOptions
	cmd := &cobra.Command{
		Use:   "search QUERY",
		Short: "Search as a person",
		Long: `Search the index and print the passages that the person may read, best first.

Words in quotation marks must stand next to each other in what is found, and
word* is any word that begins so. On a terminal the words that match are bold.

Scores, order and counts are those of an index that holds only what the person
may read.`,
		Example: `  ken search "how much parental leave do I get"
  ken search --as user:ann,group:hr --limit 3 "parental leave"
  ken search --as user:ann '"parental leave" contract*'
  ken search --as group:staff --path handbook/people/ --json - "parental leave"`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.request.Query = args[0]
			return p.search(cmd, o)
		},
	}
	asFlag(cmd, &o.as)
	jsonFlag(cmd, &o.json)
	o.flags.add(cmd)
	modeFlag(cmd, &o.mode)
	f := cmd.Flags()
	f.IntVar(&o.request.Limit, "limit", 5, "documents at most (1 to 50)")
	f.IntVar(&o.request.Budget, "tokens", 0, "tokens of all passages at most (default 2000)")
	f.IntVar(&o.request.Quota, "per-source", 0, "documents of one source at most (0: no quota)")
	f.BoolVar(&o.request.History, "history", false, "rank superseded documents and drafts like approved ones")
	f.StringSliceVar(&o.request.Filter.Sources, "source", nil, "only these sources")
	f.StringSliceVar(&o.request.Filter.Paths, "path", nil, "only these paths within their source (a folder ends with /)")
	f.StringSliceVar(&o.request.Filter.MediaTypes, "type", nil, "only these media types, such as text/html")
	f.StringSliceVar(&o.request.Filter.Languages, "language", nil, "only these languages, such as en,de")
	f.StringSliceVar(&o.request.Filter.Tags, "tag", nil, "only documents with one of these tags")
	f.StringSliceVar(&o.request.Filter.Classes, "class", nil, "only these data classes")
	f.StringVar(&o.after, "after", "", "only documents modified on or after this `DATE` (YYYY-MM-DD)")
	f.StringVar(&o.before, "before", "", "only documents modified before this `DATE` (YYYY-MM-DD)")
	return cmd
}

func (p *program) search(cmd *cobra.Command, o searchOptions) error {
	who, err := p.asker(cmd.Context(), o.as)
	if err != nil {
		return err
	}
	if o.request.Limit == 0 {
		return usage("--limit 0: ask for 1 to %d documents", retrieval.MaxLimit)
	}
	o.request.Mode, o.request.Snippets = retrieval.Mode(o.mode), true
	if o.request.Filter.After, err = date("--after", o.after); err != nil {
		return err
	}
	if o.request.Filter.Before, err = date("--before", o.before); err != nil {
		return err
	}
	kb, err := p.open(cmd.Context(), o.flags)
	if err != nil {
		return err
	}
	defer kb.Close()
	answer, err := kb.Search(cmd.Context(), who, o.request)
	if err != nil {
		return err
	}
	if o.json != "" {
		return p.writeJSON(o.json, answer)
	}
	mark := func(language, text string) []index.Span { return nil }
	if isTerminal(p.stdout) {
		mark = func(language, text string) []index.Span { return retrieval.Highlights(language, o.request.Query, text) }
	}
	printAnswer(p.stdout, answer, mark)
	return nil
}

func date(flag, text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	t, err := time.Parse(time.DateOnly, text)
	if err != nil {
		return t, usage("%s %q: want a date such as 2026-01-31", flag, text)
	}
	return t, nil
}

// printAnswer writes an answer for a person. What mark returns for a text of a
// document is shown bold.
func printAnswer(w io.Writer, answer retrieval.Response, mark func(language, text string) []index.Span) {
	for i, r := range answer.Results {
		fmt.Fprintf(w, "%d. %s%s\n   %s  (%.2f)\n", i+1, visible(r.Document.Title), status(r.Document), visible(string(r.Document.ID)), r.Score)
		for _, passage := range r.Passages {
			printPassage(w, passage, mark(r.Document.Language, passage.Text))
		}
		if len(r.Passages) == 0 && r.Snippet.Text != "" {
			printMarked(w, r.Snippet.Text, mark(r.Document.Language, r.Snippet.Text))
		}
		for _, id := range r.Duplicates {
			fmt.Fprintf(w, "   near-duplicate: %s\n", visible(string(id)))
		}
		fmt.Fprintln(w)
	}
	if len(answer.Results) == 0 {
		fmt.Fprintln(w, "Nothing found in what you may read.")
	}
	if answer.Cut.Passages > 0 {
		fmt.Fprintf(w, "%d more passages (%d tokens) did not fit; raise --tokens to see them.\n", answer.Cut.Passages, answer.Cut.Tokens)
	}
	if len(answer.Degraded) > 0 {
		fmt.Fprintf(w, "This answer lacks: %s.\n", strings.Join(answer.Degraded, ", "))
	}
}

func printPassage(w io.Writer, passage retrieval.Passage, marks []index.Span) {
	fmt.Fprintf(w, "   bytes %d-%d", passage.Span.Start, passage.Span.End)
	if len(passage.Heading) > 0 {
		fmt.Fprintf(w, "  %s", visible(strings.Join(passage.Heading, " > ")))
	}
	fmt.Fprintln(w)
	if passage.Context != "" {
		printMarked(w, passage.Context, nil)
	}
	printMarked(w, passage.Text, marks)
}

// What a terminal shows bold stands between these.
const bold, notBold = "\x1b[1m", "\x1b[22m"

// printMarked prints a text, line by line, with the marked places bold.
func printMarked(w io.Writer, text string, marks []index.Span) {
	at := len(text) - len(strings.TrimLeftFunc(text, unicode.IsSpace))
	for line := range strings.Lines(strings.TrimSpace(text)) {
		end := at + len(strings.TrimRight(line, "\r\n"))
		var out strings.Builder
		from := at
		for _, m := range marks {
			if start, stop := max(m.Start, from), min(m.End, end); start < stop {
				out.WriteString(visible(text[from:start]) + bold + visible(text[start:stop]) + notBold)
				from = stop
			}
		}
		fmt.Fprintf(w, "   | %s%s\n", out.String(), visible(text[from:end]))
		at += len(line)
	}
}

// visible is the text with what a terminal would obey, or hide, made visible: a
// document must not repaint the screen of whoever searches.
func visible(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) && r != '\n' && r != '\t' || unicode.Is(unicode.Bidi_Control, r) {
			return unicode.ReplacementChar
		}
		return r
	}, text)
}

func status(d corpora.Document) string {
	if d.Status == corpora.Superseded || d.Status == corpora.Draft {
		return " [" + string(d.Status) + "]"
	}
	return ""
}

func (p *program) fetchCommand() *cobra.Command {
	var as, jsonFile, version string
	var offset, limit int
	cmd := &cobra.Command{
		Use:   "fetch ID",
		Short: "Print a document's text as a person",
		Example: `  ken fetch --as user:ann,group:hr handbook/people/leave.md
  ken fetch --as user:ann handbook/people/leave.md --version 4c1d…`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			who, err := p.asker(cmd.Context(), as)
			if err != nil {
				return err
			}
			kb, err := p.open(cmd.Context(), searchFlags{})
			if err != nil {
				return err
			}
			defer kb.Close()
			page, err := kb.FetchVersion(cmd.Context(), who, corpora.DocID(args[0]), version, offset, limit)
			if errors.Is(err, index.ErrNotFound) {
				return errNoDocument
			}
			if err != nil {
				return err
			}
			if jsonFile != "" {
				return p.writeJSON(jsonFile, page)
			}
			if isTerminal(p.stdout) {
				page.Text = visible(page.Text)
			}
			fmt.Fprintln(p.stdout, page.Text)
			if page.Span.End < page.Length {
				fmt.Fprintf(p.stderr, "The text goes on: --offset %d\n", page.Span.End)
			}
			return nil
		},
	}
	asFlag(cmd, &as)
	jsonFlag(cmd, &jsonFile)
	cmd.Flags().StringVar(&version, "version", "", "an earlier `VERSION` of it; ken versions lists those that are kept")
	cmd.Flags().IntVar(&offset, "offset", 0, "begin at this byte")
	cmd.Flags().IntVar(&limit, "bytes", 0, "bytes at most (default 65536)")
	return cmd
}

func (p *program) verifyCommand() *cobra.Command {
	var as, jsonFile, span string
	var c retrieval.Citation
	cmd := &cobra.Command{
		Use:   "verify DOCUMENT",
		Short: "Check that a citation still holds",
		Long: `Check whether the quoted bytes still stand where a citation says.

Exit code 0: they do. 1: the text changed, or there is no such document for the
person who asks. If the version that was quoted is kept (ken ingest --keep-versions),
text that changed since is told from text that never stood there.`,
		Example: `  ken verify handbook/people/leave.md --span 120-240 --sha256 9f86d081… --version 4c1d…`,
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			c.Document = corpora.DocID(args[0])
			var err error
			if c.Span, err = parseSpan(span); err != nil {
				return err
			}
			if sum, err := hex.DecodeString(c.Hash); err != nil || len(sum) != sha256.Size {
				return usage("--sha256 %q: want %d hexadecimal digits", c.Hash, 2*sha256.Size)
			}
			return p.verify(cmd, as, jsonFile, c)
		},
	}
	asFlag(cmd, &as)
	jsonFlag(cmd, &jsonFile)
	cmd.Flags().StringVar(&span, "span", "", "bytes of the quotation, `START-END`")
	cmd.Flags().StringVar(&c.Hash, "sha256", "", "hash of the quoted bytes, in hex")
	cmd.Flags().StringVar(&c.Version, "version", "", "version of the document that was quoted")
	for _, name := range []string{"span", "sha256"} {
		cobra.CheckErr(cmd.MarkFlagRequired(name))
	}
	return cmd
}

func parseSpan(text string) (index.Span, error) {
	first, last, ok := strings.Cut(text, "-")
	start, err1 := strconv.Atoi(first)
	end, err2 := strconv.Atoi(last)
	if !ok || err1 != nil || err2 != nil || start < 0 || end < start {
		return index.Span{}, usage("--span %q: want START-END in bytes, such as 120-240", text)
	}
	return index.Span{Start: start, End: end}, nil
}

func (p *program) verify(cmd *cobra.Command, as, jsonFile string, c retrieval.Citation) error {
	who, err := p.asker(cmd.Context(), as)
	if err != nil {
		return err
	}
	kb, err := p.open(cmd.Context(), searchFlags{})
	if err != nil {
		return err
	}
	defer kb.Close()
	verdict, err := kb.Verify(cmd.Context(), who, c)
	if err != nil {
		return err
	}
	human := p.humanOut(jsonFile)
	if jsonFile != "" {
		if err := p.writeJSON(jsonFile, verdict); err != nil {
			return err
		}
	}
	switch {
	case verdict.State != retrieval.Unchanged:
		fmt.Fprintf(human, "%s\n", verdict.State)
		return exitError{code: exitFailed}
	case !verdict.Current && c.Version != "":
		fmt.Fprintf(human, "unchanged, in a newer version of the document (%s)\n", verdict.Version)
	default:
		fmt.Fprintln(human, "unchanged")
	}
	return nil
}
