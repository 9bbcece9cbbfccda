package protect_test

import (
	"errors"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"ken/corpora/protect"
)

func key(t testing.TB) protect.Key {
	t.Helper()
	k, err := protect.NewKey([]byte(strings.Repeat("k", protect.KeyBytes)))
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func with(t testing.TB, rules ...protect.Rule) *protect.Protector {
	t.Helper()
	r, err := protect.New(rules...)
	if err != nil {
		t.Fatal(err)
	}
	p, err := r.With(key(t))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// A value is found however it is written, and what only looks like one stays.
func TestKinds(t *testing.T) {
	tests := []struct{ kind, text, want string }{
		{"email", "write to ann.lee+x@mail.example.com, or not", "write to [email removed], or not"},
		{"email", `<ann\_lee@example.com> [Ann](mailto:ann%40example.com)`, "<[email removed]> [Ann](mailto:[email removed])"},
		{"email", "größe@bücher.example ok", "[email removed] ok"},
		{"email", "a @ b, user@host, 5@6", "a @ b, user@host, 5@6"},
		{"card", "pay with 4111 1111 1111 1111 today", "pay with [card removed] today"},
		{"card", "4111-1111-1111-1111/378282246310005", "[card removed]/[card removed]"},
		{"card", "5555555555554444 123", "[card removed] 123"},
		{"card", "00 12 4111111111111111", "00 12 [card removed]"},
		{"card", "4111 1111 1111 1112 and 2026-01-02 10:00", "4111 1111 1111 1112 and 2026-01-02 10:00"},
		{"iban", "DE89 3704 0044 0532 0130 00 at the bank", "[iban removed] at the bank"},
		{"iban", "gb82west12345698765432", "[iban removed]"},
		{"iban", "DE89 3704 0044 0532 0130 01", "DE89 3704 0044 0532 0130 01"},
		{"phone", "call +49 30 1234567 or (030) 123 45 67", "call [phone removed] or [phone removed]"},
		{"phone", "212-555-0123 and 0044 20 7946 0958", "[phone removed] and [phone removed]"},
		{"phone", "2026-01-02, 10.000.000, version 1.2.3, $1,234.56", "2026-01-02, 10.000.000, version 1.2.3, $1,234.56"},
		{"ssn", "078-05-1120 not 078-05-11201", "[ssn removed] not 078-05-11201"},
		// Signs that look alike, signs that cannot be seen, and lines that were broken.
		{"card", "４１１１ １１１１ １１１１ １１１１ and ٤١١١١١١١١١١١١١١١", "[card removed] and [card removed]"},
		{"card", "é 4111\u20111111\u20131111\u22121111 é", "é [card removed] é"},
		{"card", "4111\u00ad1111\u200b1111\u20601111, 4111\u20091111\u202f1111\u00a01111", "[card removed], [card removed]"},
		{"card", "4111  1111  1111  1111", "[card removed]"},
		{"card", "pay with 4111 1111\n1111 1111 today", "pay with [card removed] today"},
		{"card", "4111\n1111\n1111\n1111", "4111\n1111\n1111\n1111"},
		{"email", "ann\u00ad.lee＠example．com and ann&#64;exam\u200bple.com or ann&commat;example.com", "[email removed] and [email removed] or [email removed]"},
		{"email", "a &amp; b &unknown; c & d", "a &amp; b &unknown; c & d"},
		{"iban", "ＧＢ82 WEST 1234\r\n5698 7654 32.", "[iban removed]."},
		{"phone", "＋４９ ３０ １２３４５６７ or 212\u2011555\u20110123", "[phone removed] or [phone removed]"},
		{"ssn", "078\u201105\u20111120, 078-05-\n1120", "[ssn removed], [ssn removed]"},
	}
	for _, tt := range tests {
		got, _ := with(t, protect.Rule{Find: tt.kind, Do: protect.Redact}).Text(tt.text)
		if got != tt.want {
			t.Errorf("%s in %q: %q, want %q", tt.kind, tt.text, got, tt.want)
		}
	}
}

// What the rules put in place of a value is no value: doing it twice is doing it once.
func TestTwiceIsOnce(t *testing.T) {
	const text = "salary: 90000\n\n| salary | x |\n|---|---|\n| 5 | y |\n\nann@example.com\n"
	for _, do := range []protect.Action{protect.Redact, protect.Tokenise, protect.Encrypt} {
		p := with(t, protect.Rule{Fields: []string{"salary"}, Do: do}, protect.Rule{Find: "email", Do: do})
		once, _ := p.Text(text)
		if twice, _ := p.Text(once); once == text || twice != once {
			t.Errorf("%s: %q and then %q", do, once, twice)
		}
	}
}

// A field is found in the forms in which structured text comes out of extractors.
func TestFields(t *testing.T) {
	p := with(t, protect.Rule{Fields: []string{"Salary", "date of birth"}, Do: protect.Redact, Name: "x"})
	tests := []struct{ text, want string }{
		{"| name | salary |\n| --- | --- |\n| Ann | 61000 |\n| Bob | 72000 |\n\n| salary |\n", "| name | salary |\n| --- | --- |\n| Ann | [x removed] |\n| Bob | [x removed] |\n\n| salary |\n"},
		{"| Name | Ann |\n| --- | --- |\n| Salary | 61000 |\n", "| Name | Ann |\n| --- | --- |\n| Salary | [x removed] |\n"},
		{"- name: Ann\n- salary: 61000\n- city: Rome\n", "- name: Ann\n- salary: [x removed]\n- city: Rome\n"},
		{"- salary:\n  - base: 61000\n  - bonus: 5000\n- city: Rome\n", "- salary:\n  [x removed]\n  [x removed]\n- city: Rome\n"},
		{"- salary: first\n  second line\n\n  third\n- a: b\n", "- salary: [x removed]\n  [x removed]\n\n  [x removed]\n- a: b\n"},
		{"**Salary:** 61000 EUR\n", "**Salary:** [x removed]\n"},
		{"date_of_birth = 1990-01-01\nDate-of-Birth: 1.1.1990\n", "date_of_birth = [x removed]\nDate-of-Birth: [x removed]\n"},
		{"\"salary\": 61000,\n", "\"salary\": [x removed],\n"},
		{"export SALARY=61000\n", "export SALARY=[x removed]\n"},
		{"The salary of a clerk.\nsalary\n", "The salary of a clerk.\nsalary\n"},
		{"| a \\| b | salary |\n|---|---|\n| c \\| d | 1 |\n", "| a \\| b | salary |\n|---|---|\n| c \\| d | [x removed] |\n"},
	}
	for _, tt := range tests {
		if got, _ := p.Text(tt.text); got != tt.want {
			t.Errorf("%q:\n%q, want\n%q", tt.text, got, tt.want)
		}
	}
}

// Where rules meet, the first counts, and nothing of the value is left over.
func TestFirstRuleCounts(t *testing.T) {
	p := with(t,
		protect.Rule{Find: "email", Do: protect.Tokenise, Class: "confidential"},
		protect.Rule{Fields: []string{"contact"}, Do: protect.Redact, Class: "internal"},
		protect.Rule{Name: "staff", Match: `P-[0-9]{6}`, Do: protect.Redact})
	got, class := p.Text("- contact: Ann, ann@example.com, room 5\nP-123456\n")
	if strings.Contains(got, "example") || strings.Contains(got, "Ann") || strings.Contains(got, "room") || !strings.Contains(got, "[staff removed]") || class != "confidential" {
		t.Errorf("%q, class %q", got, class)
	}
}

// A heading or title that is the value of a field goes with it: records are
// named by their fields.
func TestTitlesOfRecords(t *testing.T) {
	p := with(t, protect.Rule{Fields: []string{"name"}, Do: protect.Redact})
	title, text, _ := p.Titled("Ann Lee", "## Ann Lee\n\n- name: Ann Lee\n- city: Rome\n")
	if title != "[name removed]" || strings.Contains(text, "Ann") {
		t.Errorf("%q, %q", title, text)
	}
}

func TestTokens(t *testing.T) {
	p := with(t, protect.Rule{Find: "card", Do: protect.Tokenise})
	a, _ := p.Text("4111 1111 1111 1111")
	b, _ := p.Text("4111-1111-1111-1111")
	c, _ := p.Text("5555 5555 5555 4444")
	if a != b || a == c || !strings.HasPrefix(a, "card_") || len(a) != len("card_")+20 {
		t.Errorf("%s %s %s", a, b, c)
	}
}

// What was encrypted comes back with the key, under its rule's name, and not
// with another, nor changed.
func TestReveal(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		value := rapid.StringMatching(`[a-zA-Zéß0-9][a-z 0-9éß]{0,40}[a-z0-9]`).Draw(rt, "value")
		text := "- salary: " + value + "\n"
		p := with(t, protect.Rule{Fields: []string{"salary"}, Do: protect.Encrypt})
		hidden, _ := p.Text(text)
		again, _ := p.Text(text)
		if strings.Contains(hidden, value) && len(value) > 3 || hidden != again {
			rt.Fatalf("%q, then %q", hidden, again)
		}
		if shown, err := key(t).Reveal(hidden, []string{"salary"}); err != nil || shown != text {
			rt.Fatalf("%q, %v", shown, err)
		}
		other, err := protect.NewKey([]byte(strings.Repeat("o", protect.KeyBytes)))
		if err != nil {
			rt.Fatal(err)
		}
		for _, k := range []protect.Key{other, {}} {
			if shown, err := k.Reveal(hidden, []string{"salary"}); !errors.Is(err, protect.ErrReveal) {
				rt.Fatalf("another key reveals %q, %v", shown, err)
			}
		}
		if _, err := key(t).Reveal(hidden, []string{"other"}); !errors.Is(err, protect.ErrReveal) {
			rt.Fatalf("under another rule: %v", err)
		}
	})
}

func TestRulesThatAreWrong(t *testing.T) {
	for _, text := range []string{
		"version: 1\nprotect:\n  - {do: redact}", "version: 1\nprotect:\n  - {find: email}", "version: 1\nprotect:\n  - {find: e-mail, do: redact}", "protect: []",
		"version: 1\nprotect:\n  - {pattern: \"a*\", name: a, do: redact}", "version: 1\nprotect:\n  - {pattern: \"(\", name: a, do: redact}", "version: 1\nprotect:\n  - {pattern: \"a\", do: redact}",
		"version: 1\nprotect:\n  - {find: email, field: a, do: redact}", "version: 1\nprotect:\n  - {find: email, do: hide}", "version: 1\nprotect:\n  - {find: email, do: redact, name: \"A b\"}", "version: 1\nprotekt: []",
	} {
		if _, err := protect.Parse([]byte(text)); err == nil {
			t.Errorf("%q is taken", text)
		}
	}
	r, err := protect.Parse([]byte("version: 1\nprotect:\n  - {find: email, do: tokenise}\n  - {field: [a, b], do: redact}\n"))
	if err != nil || len(r.Names()) != 2 {
		t.Errorf("%v, %v", r.Names(), err)
	}
	if _, err := r.With(protect.Key{}); !errors.Is(err, protect.ErrKey) {
		t.Errorf("tokens without a key: %v", err)
	}
}

func FuzzText(f *testing.F) {
	f.Add("| a | salary |\n|---|---|\n| 1 | 4111111111111111 |\n- salary:\n  x\nann@example.com")
	f.Add("- salary: DE89 3704 0044 0532 0130 00\n|\n|-\n|")
	rules, err := protect.New(protect.Rule{Find: "email", Do: protect.Tokenise}, protect.Rule{Find: "card", Do: protect.Redact}, protect.Rule{Find: "iban", Do: protect.Encrypt},
		protect.Rule{Find: "phone", Do: protect.Redact}, protect.Rule{Fields: []string{"salary"}, Do: protect.Encrypt})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, text string) {
		p, err := rules.With(key(t))
		if err != nil {
			t.Fatal(err)
		}
		once, _ := p.Text(text)
		if again, _ := p.Text(text); again != once {
			t.Fatal("not a function of the text")
		}
		p.Line(text)
		p.Name(text)
	})
}
