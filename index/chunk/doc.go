// Package chunk cuts the text of a document into chunks along its structure.
//
//	text ─ Markdown parser ─> blocks ─ headings ─> sections ─ sizes ─> chunks
//
// [Split] is pure: the same text gives the same chunks. The chunks partition the
// text; no byte is lost, moved or changed. A section is kept whole if it fits,
// small sections beside each other are put together, and what is too large is
// cut where it hurts least: between blocks, then between rows of a table, lines
// of code, items of a list, sentences, words, and at last characters. What a
// piece needs from before the cut stands in [ken/index.Chunk.Context]: the
// header of a table, the language of a code block.
//
// Work and memory grow linearly with the text. Text that is larger than 4 MiB
// or nests more than 64 containers in one line, or that [ken/corpora/extract/block]
// refuses, is cut as plain text, without
// regard to Markdown: such text is data or an attack, and a parser that builds a
// tree of it costs gigabytes.
package chunk
