// Package ooxml reads the office formats DOCX, PPTX and XLSX: ZIP packages of XML
// parts, read token by token into Markdown.
//
//	DOCX  headings by style or outline level, lists, tables, footnotes
//	PPTX  a section per slide ("Slide 3: Title"), lists, tables, speaker notes
//	XLSX  a section per sheet, a table per block of rows; dates and percentages as shown
//
// What a reader does not see is left out: hidden text, deleted and moved-away
// revisions, hidden slides, sheets, rows and columns, comments, field codes, and
// headers and footers. Formulas count with the value that was last calculated.
// Nothing outside of the package is opened.
package ooxml
