package visible_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"ken/corpora/extract/visible"
)

func TestText(t *testing.T) {
	tests := []struct{ name, in, want string }{
		{"plain", "Sick leave.\n\tTen days.\n", "Sick leave.\n\tTen days.\n"},
		{"letters of every script", "Größe 日本語 العربية हिन्दी ไทย 한국어 ελ 👍", "Größe 日本語 العربية हिन्दी ไทย 한국어 ελ 👍"},
		{"combining marks", "zoe\u0308", "zoe\u0308"},
		{"CRLF, CR, form feed, separators", "a\r\nb\rc\fd\u2028e\u2029f", "a\nb\nc\nd\ne\nf"},
		{"controls", "a\x00b\x07c\x1b[31md\x7fe\u0085f", "abc[31mdef"},
		{"invalid UTF-8", "a\xffb\xc3", "a\ufffdb\ufffd"},
		{"byte order mark", "\ufeffa\ufeffb", "ab"},
		{"tag characters", "a\U000e0001\U000e0069\U000e0067\U000e007fb", "ab"},
		{"zero-width space and word joiner", "pass\u200bword\u2060s", "passwords"},
		{"soft hyphen", "Kran\u00adken\u00adhaus", "Krankenhaus"},
		{"bidirectional controls and marks", "a\u202eb\u202c\u2066c\u2069\u200e\u200f\u061cd", "abcd"},
		{"joiners in Latin text", "a\u200db\u200cc", "abc"},
		{"joiners in Persian and Hindi", "می\u200cخواهم क्\u200dष", "می\u200cخواهم क्\u200dष"},
		{"a joiner at the edge of a script", "می\u200c a", "می a"},
		{"a run of joiners", "می\u200c\u200c\u200cخ", "می\u200cخ"},
		{"a joiner after something hidden", "می\u200b\u200cخ", "می\u200cخ"},
		{"emoji of several parts", "👩\u200d💻 👨\u200d👩\u200d👧 ❤\ufe0f\u200d🔥", "👩\u200d💻 👨\u200d👩\u200d👧 ❤\ufe0f\u200d🔥"},
		{"a variation selector after an emoji", "❤\ufe0f", "❤\ufe0f"},
		{"variation selectors that carry bytes", "👍\ufe01\ufe02\ufe03", "👍\ufe01"},
		{"a selector after a letter", "a\ufe0fb\U000e0100", "ab"},
		{"an ideographic variant", "葛\U000e0100城市", "葛\U000e0100城市"},
		{"Hangul fillers", "a\u3164b\u115fc\uffa0d", "abcd"},
		{"Mongolian", "ᠠ\u180bᠠ a\u180ea", "ᠠ\u180bᠠ aa"},
		{"Arabic number sign", "\u0600١", "\u0600١"},
		{"no-break space stays", "10\u00a0km", "10\u00a0km"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := visible.Text(tt.in); got != tt.want {
				t.Errorf("%+q became %+q, want %+q", tt.in, got, tt.want)
			}
		})
	}
}

func TestLine(t *testing.T) {
	if got, want := visible.Line(" Sick\r\n\tle\u200bave  2026 "), "Sick leave 2026"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

func FuzzText(f *testing.F) {
	for _, s := range []string{"a\r\r\nb", "می\u200c\u200b\u200dخ", "👍\ufe0f\u200d\ufe0f💻", "葛\U000e0100\U000e0101", "\xff\u202e", "ᠠ\u180b\u180b"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		once := visible.Text(s)
		if !utf8.ValidString(once) {
			t.Fatalf("%+q is not valid UTF-8", once)
		}
		if twice := visible.Text(once); twice != once {
			t.Fatalf("%+q became %+q the second time", once, twice)
		}
		if strings.ContainsAny(once, "\r\x00\x1b\u200b\u202e\u2066\ufeff\u00ad\U000e0041") {
			t.Fatalf("%+q still holds what cannot be seen", once)
		}
	})
}
