// Package pdf reads the text of PDF documents in the order in which a person
// reads it.
//
//	bytes ─ PDFium in WebAssembly ─> words with places ─ layout ─> Markdown
//
// PDFium is a large C++ program that reads files from strangers, so it runs in a
// sandbox without files, network, environment or clock, of 192 MiB at most. Each
// document gets memory of its own, which ends with the document or its context, so
// that nothing of one document is left when the next is read; the compiled program
// is kept.
//
// Every page is a section "Page N", which citations name. Columns are read one
// after the other, what stands in rows and columns becomes a table, larger type a
// heading. Pages without text are named as pictures; a document of nothing else
// needs text recognition and is refused with that reason.
//
// Text that is drawn in the colour of the page is not told from other text.
package pdf
