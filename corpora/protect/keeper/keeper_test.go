package keeper_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"ken/corpora/protect"
	"ken/corpora/protect/keeper"
)

// The secret that was made first is the one that is found again, and no other URL opens it.
func TestOpen(t *testing.T) {
	file := filepath.Join(t.TempDir(), "data", "protect.key")
	url := keeper.NewURL()
	rules, err := protect.New(protect.Rule{Find: "email", Do: protect.Encrypt})
	if err != nil {
		t.Fatal(err)
	}
	hide := func() string {
		t.Helper()
		k, err := keeper.Open(t.Context(), url, file)
		if err != nil {
			t.Fatal(err)
		}
		p, err := rules.With(k)
		if err != nil {
			t.Fatal(err)
		}
		out, _ := p.Text("ann@example.com")
		return out
	}
	if a, b := hide(), hide(); a != b || strings.Contains(a, "@") {
		t.Errorf("%s, then %s", a, b)
	}
	before, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for _, wrong := range []string{keeper.NewURL(), "", "nonsense://x", "base64key://short"} {
		_, err := keeper.Open(t.Context(), wrong, file)
		if err == nil || wrong != "" && strings.Contains(err.Error(), wrong) {
			t.Errorf("%q: %v", wrong, err)
		}
	}
	if after, _ := os.ReadFile(file); string(after) != string(before) {
		t.Error("a wrong key changed the file")
	}
}
