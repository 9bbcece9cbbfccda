// Package bounds holds what one document may cost and the errors that say why
// it was not read.
//
// A document from a stranger may be a bomb: 40 KB of ZIP that unpack to
// 4 GB, XML that nests a million deep, an archive in an archive in an archive. Every
// extractor takes what it unpacks out of one [Budget], which containers hand on to
// what they contain, so that no nesting resets the count.
package bounds
