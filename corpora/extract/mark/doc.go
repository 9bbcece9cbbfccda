// Package mark writes Markdown from what other formats hold: headings,
// paragraphs, list items, tables and code, each set off by blank lines, with
// signs escaped that would otherwise become markup.
//
// Tables are written in parts of 256 rows, each with its header, so that no
// reader of the text ever has to look far for the names of the columns.
package mark
