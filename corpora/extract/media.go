package extract

import (
	"archive/zip"
	"bytes"
	"path"
	"regexp"
	"strings"
	"unicode/utf8"

	"ken/corpora/extract/archive"
)

// The media types of this package.
const (
	Markdown = "text/markdown"
	HTML     = "text/html"
	Plain    = "text/plain"
	// Source is source code of any language, and what reads like it: settings,
	// scripts, XML.
	Source = "text/x-source"
	CSV    = "text/csv"
	JSON   = "application/json" // and JSON Lines
	PDF    = "application/pdf"
	DOCX   = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
	PPTX   = "application/vnd.openxmlformats-officedocument.presentationml.presentation"
	XLSX   = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
	EML    = "message/rfc822"
	MBOX   = "application/mbox"
	ZIP    = "application/zip"
	TAR    = "application/x-tar"
	GZIP   = "application/gzip"
	// OLE is the container of office documents with a password, and of those
	// from before 2007.
	OLE = "application/x-ole-storage"
	// Binary is what [MediaType] calls everything that it does not know.
	Binary = "application/octet-stream"
)

// sniffBytes is how much of a file tells text from binary.
const sniffBytes = 8192

// byExtension is what a name promises. Text formats are known by it alone; for
// the others the bytes decide.
var byExtension = map[string]string{
	".md": Markdown, ".markdown": Markdown, ".mdown": Markdown, ".mkd": Markdown, ".mkdn": Markdown,
	".html": HTML, ".htm": HTML, ".xhtml": HTML,
	".txt": Plain, ".text": Plain, ".rst": Plain, ".adoc": Plain, ".asciidoc": Plain, ".org": Plain, ".log": Plain, ".tex": Plain,
	".csv": CSV, ".tsv": CSV,
	".json": JSON, ".jsonl": JSON, ".ndjson": JSON,
	".pdf": PDF, ".docx": DOCX, ".docm": DOCX, ".dotx": DOCX, ".pptx": PPTX, ".pptm": PPTX, ".ppsx": PPTX, ".xlsx": XLSX, ".xlsm": XLSX, ".xltx": XLSX,
	".doc": OLE, ".xls": OLE, ".ppt": OLE, ".msg": OLE,
	".eml": EML, ".mbox": MBOX, ".mbx": MBOX,
	".zip": ZIP, ".tar": TAR, ".tgz": GZIP, ".gz": GZIP,
}

// sources are the extensions of source code and settings.
const sources = " .go .py .pyi .js .mjs .cjs .jsx .ts .tsx .mts .java .kt .kts .scala .groovy .c .h .cc .cpp .cxx .hh .hpp .cs .fs .vb .swift .m .mm .rs .rb .php .pl .pm .r .jl .lua .dart" +
	" .ex .exs .erl .hs .ml .clj .lisp .el .sh .bash .zsh .fish .ps1 .bat .cmd .sql .proto .graphql .tf .hcl .yaml .yml .toml .ini .cfg .conf .properties .xml .xsd .xsl .gradle .cmake .mk" +
	" .css .scss .sass .less .vue .svelte .vim .zig .nim .v .sol .diff .patch "

// unread are the extensions of what no extractor reads, so that the files need
// not be opened: pictures, sound, films, programs, other archives, and keys, which
// are text that nobody wants to find.
const unread = " .png .jpg .jpeg .gif .webp .bmp .ico .tif .tiff .heic .avif .psd .ai .svg .mp3 .wav .ogg .flac .m4a .mp4 .mkv .mov .avi .webm .woff .woff2 .ttf .otf .eot" +
	" .exe .dll .so .dylib .a .o .obj .lib .class .jar .war .pyc .pyo .wasm .bin .dat .iso .img .dmg .deb .rpm .apk .7z .rar .bz2 .xz .zst .lz4 .db .sqlite .sqlite3 .mo" +
	" .pem .key .p12 .pfx .jks .keystore .kdbx .ppk .gpg .asc .der .crt .cer .map .min.js "

// ByName returns the media type that a file's name promises, "" if the name
// says nothing, and [Binary] for extensions that no extractor reads. Extensions
// count in any case. The operating system's table is not asked: the same folder
// must give the same documents everywhere.
func ByName(name string) string {
	ext := strings.ToLower(path.Ext(name))
	switch {
	case ext == "":
		return ""
	case strings.Contains(unread, " "+ext+" "):
		return Binary
	case strings.Contains(sources, " "+ext+" "):
		return Source
	}
	return byExtension[ext]
}

// MediaType returns the media type of a file. The bytes decide between text,
// which the name then tells apart, and the formats that begin in a way of their
// own: a PDF is one under any name. No name makes text of bytes that hold a NUL.
func MediaType(name string, data []byte) string {
	byName := ByName(name)
	if kind := magic(data); kind != "" {
		return kind
	}
	packed := byName != "" && !isText(byName)
	switch {
	case byName == Binary:
		return Binary
	case isBinary(data):
		if packed {
			return byName // its extractor says what is wrong
		}
		return Binary
	case byName == "" || packed && byName != EML && byName != MBOX:
		return sniff(data)
	}
	return byName
}

// isText reports whether a document of the type is one text with a beginning.
func isText(mediaType string) bool {
	switch mediaType {
	case Markdown, HTML, Plain, Source, CSV, JSON:
		return true
	}
	return false
}

// magic returns the type of what is no text.
func magic(data []byte) string {
	switch {
	case bytes.Contains(data[:min(len(data), 1024)], []byte("%PDF-")) && !bytes.HasPrefix(data, []byte("From ")):
		return PDF
	case bytes.HasPrefix(data, []byte("PK\x03\x04")), bytes.HasPrefix(data, []byte("PK\x05\x06")):
		return zipped(data)
	case bytes.HasPrefix(data, []byte("\x1f\x8b")):
		return GZIP
	case bytes.HasPrefix(data, []byte("\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1")):
		return OLE
	case archive.IsTar(data):
		return TAR
	}
	return ""
}

// zipped tells the office formats by the part that each has.
func zipped(data []byte) string {
	if bytes.Count(data, []byte("PK\x01\x02")) > 20_000 {
		return ZIP // whose extractor refuses it
	}
	z, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return cutOff(data)
	}
	for _, f := range z.File {
		switch strings.ToLower(strings.TrimPrefix(f.Name, "/")) {
		case "word/document.xml":
			return DOCX
		case "ppt/presentation.xml":
			return PPTX
		case "xl/workbook.xml":
			return XLSX
		}
	}
	return ZIP
}

// cutOff tells what a ZIP whose directory is missing was, by its entries.
func cutOff(data []byte) string {
	head := data[:min(len(data), 64<<10)]
	for dir, kind := range map[string]string{"word/": DOCX, "ppt/": PPTX, "xl/": XLSX} {
		if bytes.Contains(head, []byte(dir)) {
			return kind
		}
	}
	return ZIP
}

var (
	htmlStart  = regexp.MustCompile(`(?i)^\s*(<!doctype html|<html[\s>]|<head[\s>]|<body[\s>])`)
	headerLine = regexp.MustCompile(`(?im)^(from|to|subject|date|message-id|received|return-path|mime-version|delivered-to):`)
	jsonStart  = regexp.MustCompile(`^\s*(\{\s*["}]|\[\s*[\[{"\]])`)
)

// sniff tells what a text without a name is.
func sniff(data []byte) string {
	head := data[:min(len(data), sniffBytes)]
	top, _, _ := bytes.Cut(bytes.ReplaceAll(head, []byte("\r\n"), []byte("\n")), []byte("\n\n"))
	switch {
	case !utf8.Valid(trimPartialRune(head)) && len(headerLine.FindAll(top, 4)) < 3:
		return Binary
	case bytes.HasPrefix(head, []byte("From ")) && len(headerLine.FindAll(top, 2)) == 2:
		return MBOX
	case headerLine.Match(top[:min(len(top), 64)]) && len(headerLine.FindAll(top, 4)) >= 3:
		return EML
	case htmlStart.Match(head):
		return HTML
	case bytes.HasPrefix(head, []byte("#!")) || bytes.HasPrefix(head, []byte("<?xml")):
		return Source
	case jsonStart.Match(head):
		return JSON
	}
	return Plain
}

func isBinary(data []byte) bool {
	head := data[:min(len(data), sniffBytes)]
	return utf16Order(head) == nil && bytes.IndexByte(head, 0) >= 0
}

// trimPartialRune drops the bytes of a rune that the end cuts off.
func trimPartialRune(b []byte) []byte {
	for i := 1; i < utf8.UTFMax && i <= len(b); i++ {
		if tail := b[len(b)-i:]; utf8.RuneStart(tail[0]) {
			if !utf8.FullRune(tail) {
				return b[:len(b)-i]
			}
			break
		}
	}
	return b
}
