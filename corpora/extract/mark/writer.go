package mark

import (
	"fmt"
	"strings"

	"ken/corpora/extract/bounds"
)

// Writer collects a text. The zero Writer is ready to use. Once the text is
// larger than [bounds.MaxText] nothing is added and [Writer.Text] fails.
type Writer struct {
	b    strings.Builder
	over bool
}

// Text returns what was written.
func (w *Writer) Text() (string, error) {
	if w.over {
		return "", fmt.Errorf("%w: its text has more than %d MiB", bounds.ErrLimit, bounds.MaxText>>20)
	}
	return w.b.String(), nil
}

// Empty reports whether nothing was written.
func (w *Writer) Empty() bool { return w.b.Len() == 0 && !w.over }

// Full reports whether more text would be refused, so that a caller can stop.
func (w *Writer) Full() bool { return w.over }

func (w *Writer) write(parts ...string) {
	n := w.b.Len()
	for _, p := range parts {
		n += len(p)
	}
	if w.over = w.over || n > bounds.MaxText; w.over {
		return
	}
	for _, p := range parts {
		w.b.WriteString(p)
	}
}

// gap writes the blank line between two blocks.
func (w *Writer) gap() {
	if w.b.Len() > 0 {
		w.write("\n")
	}
}

// Heading writes a heading of level 1 to 6. Lower ones become 6.
func (w *Writer) Heading(level int, title string) {
	title = strings.Join(strings.Fields(title), " ")
	if title == "" {
		return
	}
	w.gap()
	w.write(strings.Repeat("#", min(max(level, 1), 6)), " ", inline(title), "\n")
}

// Paragraph writes lines of text as one block.
func (w *Writer) Paragraph(text string) {
	lines := textLines(text)
	if len(lines) == 0 {
		return
	}
	w.gap()
	for _, line := range lines {
		w.write(Line(line), "\n")
	}
}

// Item writes an item of a list, nested by depth from 0. Items that follow each
// other are one list.
func (w *Writer) Item(depth int, text string) {
	lines := textLines(text)
	if len(lines) == 0 {
		return
	}
	if !strings.HasPrefix(w.lastLine(), "- ") {
		w.gap()
	}
	indent := strings.Repeat("  ", min(max(depth, 0), 8))
	w.write(indent, "- ", inline(lines[0]), "\n")
	for _, line := range lines[1:] {
		w.write(indent, "  ", Line(line), "\n")
	}
}

func (w *Writer) lastLine() string {
	s := strings.TrimSuffix(w.b.String(), "\n")
	return strings.TrimLeft(s[strings.LastIndexByte(s, '\n')+1:], " ")
}

// Code writes text as it is, in a fence.
func (w *Writer) Code(language, text string) {
	text = strings.TrimRight(text, "\n")
	if strings.TrimSpace(text) == "" {
		return
	}
	fence := "```"
	for strings.Contains(text, fence) {
		fence += "`"
	}
	w.gap()
	w.write(fence, language, "\n", text, "\n", fence, "\n")
}

// Block writes Markdown as it is, its headings lowered by the level.
func (w *Writer) Block(level int, markdown string) {
	markdown = strings.Trim(markdown, "\n")
	if strings.TrimSpace(markdown) == "" {
		return
	}
	w.gap()
	w.write(Lower(level, markdown), "\n")
}

// Lower adds to the level of every heading of a Markdown text.
func Lower(level int, markdown string) string {
	if level <= 0 || !strings.Contains(markdown, "#") {
		return markdown
	}
	var b strings.Builder
	fence := ""
	for line := range strings.Lines(markdown) {
		trimmed := strings.TrimLeft(line, " ")
		switch {
		case fence == "" && (strings.HasPrefix(trimmed, "```") || strings.HasPrefix(trimmed, "~~~")):
			fence = trimmed[:len(trimmed)-len(strings.TrimLeft(trimmed, trimmed[:1]))]
		case fence != "" && strings.HasPrefix(trimmed, fence) && strings.Trim(trimmed, fence[:1]+" \t\n") == "":
			fence = ""
		case fence == "" && strings.HasPrefix(line, "#"):
			hashes := len(line) - len(strings.TrimLeft(line, "#"))
			if strings.HasPrefix(line[hashes:], " ") && hashes <= 6 {
				line = strings.Repeat("#", min(hashes+level, 6)) + line[hashes:]
			}
		}
		b.WriteString(line)
	}
	return b.String()
}

// textLines returns the lines that have something on them.
func textLines(text string) (out []string) {
	for line := range strings.SplitSeq(strings.ReplaceAll(text, "\r\n", "\n"), "\n") {
		if line = strings.TrimSpace(line); line != "" {
			out = append(out, line)
		}
	}
	return out
}
