// Package baseline is plain RAG, as it is commonly built, to compare with:
// every document is cut into chunks of 512 tokens, the chunks' vectors go into
// chromem-go, a question gets the 10 nearest chunks, those that the asker may
// not read are dropped afterwards, and what is left is pasted whole.
//
// It is made to be fair: it extracts text as ken does, has the same embedder,
// drops what may not be read before anything is shown, and loses no time to
// storage, since it keeps all in memory.
package baseline
