// Package extracttest writes documents in the formats that extractors read, from one
// model of headings, paragraphs, lists and tables, so that what should be read
// is known without reading it.
//
// The writers are small and independent of the readers. They write what common
// programs write, not all that the formats allow.
package extracttest
