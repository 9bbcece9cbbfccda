package strictyaml

import "github.com/goccy/go-yaml/token"

// joinColons makes one scalar of user:ann inside braces. YAML wants a space
// after the colon of a plain key; the scanner, within a flow mapping, does not,
// and would read {deny: [user:ann]} as {deny: [{user: ann}]}.
func joinColons(in token.Tokens) token.Tokens {
	var out token.Tokens
	for i := 0; i < len(in); i++ {
		t := in[i]
		if i+2 < len(in) && isPlain(t) && in[i+1].Type == token.MappingValueType && isPlain(in[i+2]) &&
			touches(in[i+1], in[i+2], 1) {
			t = token.String(t.Value+":"+in[i+2].Value, t.Origin+":"+in[i+2].Origin, t.Position)
			i += 2
		}
		t.Prev, t.Next = nil, nil
		out.Add(t)
	}
	return out
}

func isPlain(t *token.Token) bool {
	return t.Indicator == token.NotIndicator && t.CharacterType == token.CharacterTypeMiscellaneous
}

// touches reports whether b begins right after a, which is width characters wide.
func touches(a, b *token.Token, width int) bool {
	return a.Position.Line == b.Position.Line && a.Position.Column+width == b.Position.Column
}
