// Command ken ingests documents with their permissions, and answers questions
// with the passages that the asking person may read. Run `ken help`.
package main
