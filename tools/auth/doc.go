// Package auth finds out who asks.
//
// An [Authenticator] turns an HTTP request into an [Identity], whose principal
// decides what may be read. [Keys] does it with API keys that a file holds
// hashed:
//
//	ken_k3v9q2xa_<43 base62 characters>
//	     │               └ secret, 256 random bits; the file has the key's SHA-256
//	     └ id: names the key in lists, in `revoke` and in the audit trail
//
// A slow hash would protect nothing here: nobody guesses 256 random bits.
// Whatever is wrong with a key, the answer is the same [ErrUnauthenticated],
// and [Require] makes the same 401 of it.
package auth
