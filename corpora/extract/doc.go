// Package extract turns the bytes of a document into the one text that is
// chunked, searched, shown and cited.
//
//	bytes ─ Mux by media type ─> markdown │ html │ text ─> Text{Title, Body, …}
//
// The text is Markdown (for Markdown and HTML) or plain. It holds what a person
// sees on the page: hidden elements, comments, scripts, navigation and
// invisible characters are dropped, because they are how orders to a model get
// into a page that a person approved. The attributes of HTML tags in Markdown go
// too. What is shown only on demand stays: closed details, the alternative text
// of images, the targets and titles of links, unused footnotes. Not known here
// is what a style sheet hides by class, text in the colour of a background that
// another element has, and what a formula or a template language hides. Nothing
// is fetched, and nothing refers to another document.
//
// Time and memory grow linearly with the bytes. What would break that is
// flattened (tables that are mostly gaps, elements deep in each other, more than
// 32 blank lines) or refused with [ErrLimit].
//
// Extraction is a function of the path and the bytes. A format is one file
// with an [Extractor] and one line in [Default].
package extract
