// Package embedtest is what every embed.Embedder must pass.
//
//	func TestEmbedder(t *testing.T) {
//		embedtest.Run(t, func(t *testing.T) embed.Embedder { return newMine(t) }, embedtest.Options{})
//	}
package embedtest
