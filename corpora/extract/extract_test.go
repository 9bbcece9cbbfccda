package extract_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"ken/corpora/extract"
	"ken/corpora/extract/visible"
	"ken/corpora/frontmatter"
)

func TestMediaType(t *testing.T) {
	png := "\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR"
	tests := []struct{ name, data, want string }{
		{"a.md", "# A", extract.Markdown},
		{"A.MD", "# A", extract.Markdown},
		{"a.markdown", "", extract.Markdown},
		{"a.htm", "<p>", extract.HTML},
		{"a.txt", "a", extract.Plain},
		{"dir.md/README", "read me", extract.Plain},
		{"LICENSE", "Gr\xc3\xb6\xc3\x9fe", extract.Plain},
		{"README", "\xff\xfer\x00", extract.Binary},
		{"blob", "\x80\x81\x82", extract.Binary},
		{"blob", png, extract.Binary},
		{"a.png", "text all the same", extract.Binary},
		{"a.md", png, extract.Binary},
		{"a.md", "text\x00", extract.Binary},
		{"a.md", "\xff\xfe#\x00", extract.Markdown}, // UTF-16
		{"a.md", "Gr\xf6\xdfe", extract.Markdown},
		{"cut", strings.Repeat("a", 8191) + "\u00e9", extract.Plain}, // what is looked at ends within a letter
		{"empty", "", extract.Plain},
	}
	for _, tt := range tests {
		if got := extract.MediaType(tt.name, []byte(tt.data)); got != tt.want {
			t.Errorf("MediaType(%q, %.20q) = %s, want %s", tt.name, tt.data, got, tt.want)
		}
	}
}

func TestErrors(t *testing.T) {
	tests := []struct {
		name, mediaType, data string
		want                  error
	}{
		{"a format without extractor", "image/png", "x", extract.ErrUnsupported},
		{"no format", "", "x", extract.ErrUnsupported},
		{"binary named Markdown", extract.Markdown, "a\x00b", extract.ErrUnsupported},
		{"binary named HTML", extract.HTML, "a\x00b", extract.ErrUnsupported},
		{"binary named text", extract.Plain, "a\x00b", extract.ErrUnsupported},
		{"malformed front matter", extract.Markdown, "---\na: b: c\n---\n", frontmatter.ErrMalformed},
		{"quotes in quotes", extract.Markdown, strings.Repeat("> ", 300) + "x", extract.ErrLimit},
		{"lists in lists", extract.Markdown, "# T\n" + strings.Repeat("- ", 100_000) + "x", extract.ErrLimit},
		{"numbered lists", extract.Markdown, strings.Repeat("1. ", 300) + "x", extract.ErrLimit},
		{"deep HTML", extract.HTML, strings.Repeat("<div>", 100_000), extract.ErrLimit},
		{"many elements", extract.HTML, strings.Repeat("<br>", 600_000), extract.ErrLimit},
		{"large Markdown", extract.Markdown, strings.Repeat("x", 16<<20+1), extract.ErrLimit},
		{"large HTML", extract.HTML, strings.Repeat("x", 16<<20+1), extract.ErrLimit},
		{"large text", extract.Plain, strings.Repeat("x", 64<<20+1), extract.ErrLimit},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := extract.Default().Extract(t.Context(), extract.Input{Path: "a", MediaType: tt.mediaType, Data: []byte(tt.data)})
			if !errors.Is(err, tt.want) {
				t.Errorf("error %v, want %v", err, tt.want)
			}
		})
	}
}

func TestCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := extract.Default().Extract(ctx, extract.Input{MediaType: extract.Plain}); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
}

// Input that is dear to parse for its size must still come to an end.
func TestPathologicalInput(t *testing.T) {
	pages := map[string][]string{
		extract.Markdown: {
			strings.Repeat("[", 50_000), strings.Repeat("[a](", 200_000), strings.Repeat("a_*", 200_000), strings.Repeat("<", 100_000),
			strings.Repeat("<a ", 50_000), strings.Repeat("<!--", 50_000), strings.Repeat("`a", 50_000), strings.Repeat("<b hidden>", 20_000),
			strings.Repeat("<!-- x -->", 20_000), strings.Repeat("<div hidden>\n\n", 20_000), "# " + strings.Repeat("[a](", 100_000),
			// Each of these took a minute or ten gigabytes: definitions, blank lines in nested lists, a block of many lines.
			strings.Repeat("[a]: b\n", 150_000), strings.Repeat("[//]: # (x)\n", 90_000), strings.Repeat("- ", 255) + "a\n" + strings.Repeat("\n", 1_000_000), strings.Repeat("<div>\n", 170_000),
			strings.Repeat("<pre>\n\n", 150_000), ticks(1 << 20), strings.Repeat("- a\n", 500_000), "- a\n" + strings.Repeat("  - a\n", 300_000), strings.Repeat("<b>", 300_000),
		},
		extract.HTML: {
			strings.Repeat("<a>", 500), strings.Repeat("<b><i>x</b>", 300), strings.Repeat("<table><tr><td>", 100), strings.Repeat("<p>x", 50_000),
			"<table>" + strings.Repeat("<tr><td>a<td>b", 5_000), strings.Repeat("&amp;", 100_000), "<ul>" + strings.Repeat("<li>x", 20_000),
			"<p style='" + strings.Repeat("a:b;", 50_000) + "'>x", "<!--" + strings.Repeat("-", 100_000), "<script>" + strings.Repeat("<!--", 50_000),
			"<table><tr><td colspan=1000000 rowspan=1000000>x</table>",
			"<table><tr>" + strings.Repeat("<td>a", 20_000) + strings.Repeat("<tr><td>a", 20_000), "<table><tr><td colspan=1000>" + strings.Repeat("<tr><td>a", 50_000),
			"<table>" + strings.Repeat("<tr><td rowspan=65534 colspan=1000>a", 5_000), strings.Repeat("[", 1<<20), strings.Repeat("<ul><li>", 250) + strings.Repeat("a<br>", 50_000),
			strings.Repeat("<blockquote>", 500) + strings.Repeat("a<br>", 50_000),
		},
	}
	for mediaType, texts := range pages {
		for _, text := range texts {
			t.Run(fmt.Sprintf("%s %.12q", mediaType, text), func(t *testing.T) {
				if _, err := extract.Default().Extract(t.Context(), extract.Input{Path: "a", MediaType: mediaType, Data: []byte(text)}); err != nil && !errors.Is(err, extract.ErrLimit) {
					t.Error(err)
				}
			})
		}
	}
}

// ticks has runs of ticks of all lengths, so that none is closed.
func ticks(size int) string {
	var b strings.Builder
	for n := 1; b.Len() < size; n++ {
		b.WriteString(strings.Repeat("`", n) + "a ")
	}
	return b.String()
}

// A small page must not become a large text: Markdown fills up tables and
// repeats the marks of lists and quotes on every line.
func TestTextIsNotMuchLargerThanThePage(t *testing.T) {
	for name, page := range map[string]string{
		"a wide and long table": "<table><tr>" + strings.Repeat("<td>a", 2_000) + strings.Repeat("<tr><td>a", 2_000),
		"spanning cells":        "<table>" + strings.Repeat("<tr><td rowspan=65534 colspan=1000>a", 1_000),
		"quotes in quotes":      strings.Repeat("<blockquote>", 400) + strings.Repeat("a<br>", 10_000),
		"lists in lists":        strings.Repeat("<ul><li>", 200) + strings.Repeat("a<br>", 10_000),
	} {
		text, err := extract.Default().Extract(t.Context(), extract.Input{Path: "a", MediaType: extract.HTML, Data: []byte(page)})
		if err != nil || len(text.Body) > 20*len(page) {
			t.Errorf("%s: %d bytes from %d, %v", name, len(text.Body), len(page), err)
		}
	}
}

// What a page hides must not be in its text, whatever way it hides it.
func TestHiddenTextIsDropped(t *testing.T) {
	article := strings.Repeat("<p>The quick brown fox, which is visible, jumps over the lazy dog, and so on for some time.</p>", 8)
	ways := []string{
		`<!-- SECRET -->`, `<p hidden>SECRET</p>`, `<p hidden="until-found">SECRET</p>`, `<p aria-hidden=TRUE>SECRET</p>`,
		`<p style="display:none">SECRET</p>`, `<p style="display : NONE !important">SECRET</p>`, `<p style="x;display:/* */none">SECRET</p>`,
		`<p style="visibility:hidden">SECRET</p>`, `<p style="opacity:0.0">SECRET</p>`, `<p style="font-size:0px">SECRET</p>`,
		`<p style="color:red;color:transparent">SECRET</p>`, `<p style="color:#FFF;background-color:#fff">SECRET</p>`,
		`<p style="position:absolute;left:-9999px">SECRET</p>`, `<p style="text-indent:-1000em">SECRET</p>`,
		`<p style="height:0;overflow:hidden">SECRET</p>`, `<p style="clip:rect(0 0 0 0)">SECRET</p>`, `<p style="d\69splay:none">SECRET</p>`,
		`<script>SECRET</script>`, `<style>SECRET</style>`, `<template>SECRET</template>`, `<noscript>SECRET</noscript>`,
		`<iframe>SECRET</iframe>`, `<object>SECRET</object>`, `<svg><text>SECRET</text></svg>`, `<dialog>SECRET</dialog>`,
		`<div hidden><div>x</div><p>SECRET</p></div>`,
		`<p style="display:none;display:nonsense">SECRET</p>`, `<p style="display:none!important;display:block">SECRET</p>`, `<p style="DISPLAY:\6eone">SECRET</p>`,
		`<p style="opacity:0%">SECRET</p>`, `<p style="opacity:.01">SECRET</p>`, `<p style="filter:opacity(0)">SECRET</p>`, `<p style="font-size:1px">SECRET</p>`,
		`<p style="font-size:.01em">SECRET</p>`, `<p style="font:0/0 a">SECRET</p>`, `<p style="font: 0px serif">SECRET</p>`, `<p style="color:rgba(0,0,0,0)">SECRET</p>`,
		`<p style="color:#fff0">SECRET</p>`, `<p style="color:#12345600">SECRET</p>`, `<p style="color:rgb(0 0 0 / 0%)">SECRET</p>`, `<p style="color:white;background:#FFFFFF">SECRET</p>`,
		`<p style="color:rgb(255, 255, 255);background-color:white">SECRET</p>`, `<p style="-webkit-text-fill-color:transparent">SECRET</p>`,
		`<p style="position:fixed;left:-100vw">SECRET</p>`, `<p style="position:absolute;inset:-9999px">SECRET</p>`, `<p style="margin:-9999px">SECRET</p>`,
		`<p style="left:calc(-9999px)">SECRET</p>`, `<p style="transform:translateX(-9999px)">SECRET</p>`, `<p style="transform:translate(0, -200vh)">SECRET</p>`,
		`<p style="translate:-9999px">SECRET</p>`, `<p style="transform:scaleY(0)">SECRET</p>`, `<p style="scale:0">SECRET</p>`, `<p style="text-indent:-100%">SECRET</p>`,
		`<p style="clip-path:circle(0)">SECRET</p>`, `<p style="clip-path:polygon(0 0, 0 0)">SECRET</p>`, `<p popover>SECRET</p>`, `<p HIDDEN=hidden>SECRET</p>`,
		"<p\nstyle='display:none'\n>SECRET</p>", `<p style=display&#58;none>SECRET</p>`, `<noembed>SECRET</noembed>`, `<p data-note="SECRET"></p>`, `<p><!--> --><!-- SECRET --></p>`,
		`<p><!-- a --!> <!-- SECRET --></p>`, "<p>\u200b\U000e0053\U000e0045\U000e0043<!\u200b-- SECRET --></p>", `<p>x <span hidden>SECRET</span></p>`,
	}
	for _, way := range ways {
		for _, mediaType := range []string{extract.HTML, extract.Markdown} {
			t.Run(mediaType+" "+way, func(t *testing.T) {
				page := article + "\n\n" + way + "\n\n" + article
				text, err := extract.Default().Extract(t.Context(), extract.Input{Path: "a", MediaType: mediaType, Data: []byte(page)})
				if err != nil {
					t.Fatal(err)
				}
				if strings.Contains(text.Body, "SECRET") {
					t.Errorf("%s", text.Body)
				}
				if got := strings.Count(text.Body, "visible"); got != 16 {
					t.Errorf("%d of 16 visible paragraphs are left", got)
				}
			})
		}
	}
}

// An element that is not closed hides as far as it does in a browser.
func TestUnclosedHiddenElements(t *testing.T) {
	for _, tt := range []struct{ text, want string }{
		{"a <span hidden>b\n\nc", "a \n\nc"},
		{"a <b hidden>b\n\nc", "a "},
		{"a <div hidden>b\n\nc", "a "},
		{"a <template>b\n\nc", "a "},
		{"a <script>b\n\nc</script> d", "a  d"},
		{"a <b hidden>b\n\nc</b> d", "a  d"},
		{"> a <span hidden>b\n> c\n\nd", "> a \n\nd"},
		{"> <!-- b\n> --> c\n\nd", ">  c\n\nd"},
		{"> [//]: # (b)\n> c", "> \n> c"},
		{"[//]: #\n  (b)\nc", "\nc"},
		{"[a]: <b> \"c\"\n[comment]: <> (d)\ne", "[a]: <b> \"c\"\n\ne"},
		{"`<b hidden>` a \\<b hidden> b", "`<b hidden>` a \\<b hidden> b"},
		{"``<b hidden>` a</b> ``", "``<b hidden>` a</b> ``"},
		{"a <b class=x>b</b> <a href=c>d</a>", "a <b>b</b> <a href=c>d</a>"},
	} {
		text, err := extract.Default().Extract(t.Context(), extract.Input{Path: "a", MediaType: extract.Markdown, Data: []byte(tt.text)})
		if err != nil || text.Body != tt.want {
			t.Errorf("%q: %q, %v; want %q", tt.text, text.Body, err, tt.want)
		}
	}
}

// What is shown must stay, though it looks a little like what is not.
func TestShownTextStays(t *testing.T) {
	for _, way := range []string{
		`<p style="font-size:0.9em">SHOWN</p>`, `<p style="opacity:.5">SHOWN</p>`, `<p style="margin-left:-5px">SHOWN</p>`, `<p aria-hidden="false">SHOWN</p>`,
		`<p style="overflow:hidden;width:100%">SHOWN</p>`, `<p style="color:#fff;background:#000">SHOWN</p>`, `<details><summary>x</summary>SHOWN</details>`,
		`<p style="color:#000;background:#fff">SHOWN</p>`, `<p style="color:rgb(0,0,0)">SHOWN</p>`, `<p style="font-size:10px;margin:-5px 0">SHOWN</p>`, `<p style="font:12px serif">SHOWN</p>`,
		`<p style="transform:translate(10px)">SHOWN</p>`, `<p style="opacity:50%">SHOWN</p>`, `<p style="top:-50%">SHOWN</p>`, `<p class="a" title="b">SHOWN</p>`, `<p style="scale:1.5;zoom:.8">SHOWN</p>`,
		`<dialog open>SHOWN</dialog>`, `<p style="visibility:visible;display:block">SHOWN</p>`, `<p style="font-family:'\5FAE\8F6F'">SHOWN</p>`,
	} {
		for _, mediaType := range []string{extract.HTML, extract.Markdown} {
			text, err := extract.Default().Extract(t.Context(), extract.Input{Path: "a", MediaType: mediaType, Data: []byte("<p>Before.</p>\n\n" + way)})
			if err != nil || !strings.Contains(text.Body, "SHOWN") {
				t.Errorf("%s as %s: %q, %v", way, mediaType, text.Body, err)
			}
		}
	}
}

// A panic in a format's library is that document's error.
func TestPanicIsAnError(t *testing.T) {
	m := extract.Default()
	m.Handle("x/y", func(context.Context, extract.Input) (extract.Text, error) { panic("at the disco") })
	if _, err := m.Extract(t.Context(), extract.Input{MediaType: "x/y"}); err == nil {
		t.Error("no error")
	}
}

func TestMetadata(t *testing.T) {
	utf16 := "\xff\xfe"
	for _, c := range "---\nacl: [group:hr]\n---\n" {
		utf16 += string([]byte{byte(c), 0})
	}
	m, err := extract.Metadata(extract.Input{MediaType: extract.Markdown, Data: []byte(utf16)})
	if err != nil || len(m.ACL.Allow) != 1 {
		t.Errorf("the access list of a UTF-16 file is lost: %+v, %v", m, err)
	}
	if _, err := extract.Metadata(extract.Input{MediaType: extract.HTML, Data: []byte(utf16)}); !errors.Is(err, frontmatter.ErrMalformed) {
		t.Errorf("front matter of HTML sets acl: error %v", err)
	}
}

func FuzzMarkdown(f *testing.F) {
	for _, s := range []string{"# A\n\n<!-- x -->\n", "> <div hidden>\n> a\n\n</div>", "[//]: # (x)\n", "a <span hidden>b <b>c\n\nd</span>", "- <!--\n  x\n- -->", "```\n<!-- -->\n"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) { checkInvariants(t, extract.Markdown, data) })
}

func FuzzHTML(f *testing.F) {
	for _, s := range []string{"<h1>A</h1><p>b", "<table><tr><th>a<td>b</table>", "<p style='display:none'>x", "<form><h1>x", "<meta charset=shift_jis>\x93\xfa", "<svg><title>x</title>", "<pre><code>x\n\n```\n"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) { checkInvariants(t, extract.HTML, data) })
}

func FuzzPlain(f *testing.F) {
	for _, s := range []string{"a\r\nb", "\xff\xfea\x00", "\xfe\xff\x00a\x00", "\ufeffa\u202eb"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) { checkInvariants(t, extract.Plain, data) })
}

func checkInvariants(t *testing.T, mediaType string, data []byte) {
	in := extract.Input{Path: "a/b.x", MediaType: mediaType, Data: data}
	text, err := shared.Extract(t.Context(), in)
	if err != nil {
		if strings.Contains(err.Error(), "the parser gave up") {
			t.Fatal(err)
		}
		return
	}
	switch {
	case !utf8.ValidString(text.Body):
		t.Fatalf("body is not valid UTF-8: %+q", text.Body)
	case visible.Text(text.Body) != text.Body:
		t.Fatalf("body holds what cannot be seen: %+q", text.Body)
	case text.Title == "" || visible.Line(text.Title) != text.Title:
		t.Fatalf("title %+q", text.Title)
	}
	if again, err := shared.Extract(t.Context(), in); err != nil || again != text {
		t.Fatalf("the second time it is %+v, %v", again, err)
	}
}
