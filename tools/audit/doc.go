// Package audit writes down what left, in a file that shows when somebody
// changed it afterwards.
//
//	{"seq":1,"time":…,"user":"user:ann","tool":"search","documents":[{"id":…,"version":…,"spans":[[0,120]]}],…,"prev":"…","hash":"…"}
//	{"seq":2,…,"prev":"the hash above","hash":"…"}
//
// A record is one line of JSON. Its hash is the SHA-256 of the line without it,
// and the next record holds that hash: who changes, removes or inserts a line has
// to write all later ones anew. Who can write the whole file anew can do that,
// and who cuts off its end leaves a good beginning: keep the last hash, which
// [Verify] tells, somewhere else now and then.
//
// A record holds who asked, for what, which documents left in which version and
// which bytes of their texts; no text, no question, no credential.
package audit
