package chunk

import (
	"strings"
	"testing"

	"github.com/tiktoken-go/tokenizer"
	"pgregory.net/rapid"
)

func codec(t testing.TB) tokenizer.Codec {
	t.Helper()
	c, err := tokenizer.Get(tokenizer.O200kBase)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// wildText draws text from fragments at which pieces begin, end and join.
func wildText() *rapid.Generator[string] {
	fragment := rapid.OneOf(
		rapid.SampledFrom([]string{" ", "  ", "\n", "\r\n", "\n\n", "\t", "\u00a0", "\u3000", "/", "//", "'", "'s", "'S ", "'re", "'LL", "’s",
			"HTTPServer", "iPhone", "hello", "漢AB", "\u0301AB", "XY漢Zé", "World", "ABC", "123", "1234567", "½", "Ⅷ", "ǅ", "ʰ", "é", "e\u0301", "\u0301", "漢字仮名", "ไทยแลนด์", "हिन्दी",
			"。", "!!", "->", "`", "```go\n", "|---|", "# ", "- ", "\x00", "\xff", "\xe4\xb8", "🙂", "👨‍👩‍👧", "_", "v1.2.3"}),
		rapid.StringN(0, 6, 20),
		rapid.StringMatching(`[a-zA-Z' \n.]{0,12}`),
	)
	return rapid.Custom(func(t *rapid.T) string {
		return strings.Join(rapid.SliceOfN(fragment, 0, 30).Draw(t, "fragments"), "")
	})
}

func TestTokensAreThoseOfTheTokenizer(t *testing.T) {
	c := codec(t)
	rapid.Check(t, func(t *rapid.T) {
		// The tokenizer's table has no entry for DEL, which is one token in fact.
		text := strings.ReplaceAll(wildText().Draw(t, "text"), "\x7f", "")
		want, err := c.Count(text)
		if err != nil {
			t.Fatal(err)
		}
		if got := Tokens(text); got != want {
			t.Fatalf("Tokens(%q) = %d, want %d", text, got, want)
		}
	})
}

func BenchmarkTokens(b *testing.B) {
	text := golden(b)
	b.Run("ken", func(b *testing.B) {
		b.SetBytes(int64(len(text)))
		for b.Loop() {
			Tokens(text)
		}
	})
	b.Run("tiktoken-go", func(b *testing.B) {
		c := codec(b)
		b.SetBytes(int64(len(text)))
		for b.Loop() {
			if _, err := c.Count(text); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func golden(b testing.TB) string {
	return strings.Repeat("Employees who have completed six months of service may take parental leave. 员工可以申请育儿假。\n\n- `kubectl get pods`\n", 100)
}
