// Package data reads structured text: CSV into tables, JSON and JSON Lines into
// tables where all records have the same simple fields, else into lists of
// fields.
//
// A field is written as "- name: value", and a column under its name, because
// that is what the rules for the protection of fields look for.
package data
