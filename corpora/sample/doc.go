// Package sample is the handbook of a company that does not exist, written to
// show what ken does: documents with permissions, people who may read some of
// them, and questions with known answers. README.md beside this file tells more.
package sample
