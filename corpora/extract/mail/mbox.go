package mail

import (
	"bytes"
	"context"
	"fmt"
	"iter"
	"net/mail"
	"slices"
	"strings"

	"ken/corpora/extract/bounds"
	"ken/corpora/extract/mark"
	"ken/corpora/extract/part"
)

// Mailbox reads a file of messages: each is a section.
func Mailbox(ctx context.Context, data []byte, read part.Read, b *bounds.Budget) (markdown string, err error) {
	var w mark.Writer
	n := 0
	for m := range messages(data) {
		n++
		if err := b.Part(); err != nil {
			return "", err
		}
		if _, err := write(ctx, &w, 1, m, read, b); err != nil {
			if ctx.Err() != nil {
				return "", ctx.Err()
			}
			w.Heading(1, fmt.Sprintf("Message %d", n))
			w.Paragraph("(not read: " + part.Reason(err) + ")")
		}
		if w.Full() {
			break
		}
	}
	if n == 0 {
		return "", fmt.Errorf("%w: no message in it", bounds.ErrDamaged)
	}
	return w.Text()
}

// messages yields the messages of an mbox. One begins with a line "From …" at the
// beginning or after an empty line; ">From " in a text stands for "From ".
func messages(data []byte) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		var message []byte
		open, blank := false, true
		for line := range bytes.Lines(data) {
			if blank && bytes.HasPrefix(line, []byte("From ")) {
				if open && !yield(message) {
					return
				}
				message, open, blank = nil, true, false
				continue
			}
			blank = len(bytes.TrimRight(line, "\r\n")) == 0
			if unquoted := bytes.TrimLeft(line, ">"); len(unquoted) < len(line) && bytes.HasPrefix(unquoted, []byte("From ")) {
				line = line[1:]
			}
			if open {
				message = append(message, line...)
			}
		}
		if open {
			yield(message)
		}
	}
}

// Participants returns the addresses, in small letters and sorted, of everyone
// who wrote or got the message, or every message of a mailbox: the people who have
// seen all of it. A message whose people cannot be told has none.
func Participants(data []byte) []string {
	if !IsMailbox(data) {
		return of(data)
	}
	var all []string
	first := true
	for m := range messages(data) {
		these := of(m)
		if first {
			all, first = these, false
		}
		all = slices.DeleteFunc(all, func(a string) bool { return !slices.Contains(these, a) })
	}
	return all
}

// IsMailbox reports whether the bytes are a file of messages and not one message.
func IsMailbox(data []byte) bool { return bytes.HasPrefix(data, []byte("From ")) }

func of(message []byte) (out []string) {
	m, err := parse(message)
	if err != nil {
		return nil
	}
	for _, name := range []string{"From", "Sender", "To", "Cc", "Bcc"} {
		for _, raw := range m.Header[name] {
			list, err := (&mail.AddressParser{}).ParseList(raw)
			if err != nil {
				continue // such as "undisclosed-recipients:;"
			}
			for _, a := range list {
				out = append(out, strings.ToLower(a.Address))
			}
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}
