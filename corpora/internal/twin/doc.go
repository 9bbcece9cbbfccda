// Package twin tells names that people, and some file systems, take for the
// same though their bytes differ: in case, in Unicode form, in width, or by
// invisible characters.
package twin
