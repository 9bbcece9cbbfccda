// Package extract turns the bytes of a document into the one text that is
// chunked, searched, shown and cited.
//
//	bytes ─ Mux by media type ─> markdown │ html │ text ─> Text{Title, Body, …}
//
// The text is Markdown (for Markdown and HTML) or plain. It holds what a person
// sees on the page: hidden elements, comments, scripts, navigation and
// invisible characters are dropped, because they are how orders to a model get
// into a page that a person approved. What a style sheet hides by class is not
// known here. Nothing is fetched, and nothing refers to another document.
//
// Extraction is a function of the path and the bytes. A format is one file
// with an [Extractor] and one line in [Default].
package extract
