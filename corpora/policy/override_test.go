package policy_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"time"

	"ken/corpora/acl"
	"ken/corpora/policy"
)

func TestOverride(t *testing.T) {
	at := time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC)
	ann, bob := acl.NewPrincipal("user:ann", "group:hr"), acl.NewPrincipal("user:bob")
	source := acl.Allow("group:hr")
	var none policy.Override
	set := acl.Allow("user:bob")
	for _, tt := range []struct {
		name      string
		o         policy.Override
		source    acl.List
		ann, bob_ bool
	}{
		{"none", none, source, true, false},
		{"granted", none.Grant(acl.Grant{Subject: "user:bob"}), source, true, true},
		{"a grant that has ended", none.Grant(acl.Grant{Subject: "user:bob", NotAfter: at}), source, true, false},
		{"revoked from a person, who has it by a group", none.Revoke("user:ann"), source, false, false},
		{"revoked, and the source opens it to everyone", none.Revoke("user:ann"), acl.Allow(acl.Everyone), false, true},
		{"revoked and granted again", none.Revoke("user:ann").Grant(acl.Grant{Subject: "user:ann"}), source, true, false},
		{"granted and revoked", none.Grant(acl.Grant{Subject: "user:bob"}).Revoke("user:bob"), source, true, false},
		{"a grant lifts no deny of the source's", none.Grant(acl.Grant{Subject: "user:ann"}), acl.NewList(acl.Grants("group:hr"), acl.Grants("user:ann")), false, false},
		{"set", policy.Override{Set: &set}, source, false, true},
		{"set keeps what is required", policy.Override{Set: &set}, source.Classified("internal"), false, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			l := tt.o.Apply(tt.source)
			if l.Admits(ann, at) != tt.ann || l.Admits(bob, at) != tt.bob_ {
				t.Errorf("list %s", l.Key())
			}
		})
	}
}

// Taking back a revoke leaves a deny of the source's that says the same.
func TestRemoveLeavesTheSource(t *testing.T) {
	source := acl.NewList(acl.Grants("group:hr", "user:ann"), acl.Grants("user:ann"))
	o := policy.Override{}.Revoke("user:ann").Grant(acl.Grant{Subject: "group:hr"})
	stored := o.Apply(source)
	text, err := json.Marshal(stored) // as the store keeps it
	if err != nil || json.Unmarshal(text, &stored) != nil {
		t.Fatal(err)
	}
	if got := o.Remove(stored); got.Key() != source.Key() {
		t.Errorf("%s, want %s", got.Key(), source.Key())
	}
	again := o.Grant(acl.Grant{Subject: "user:ann"})
	if again.Apply(o.Remove(stored)).Admits(acl.NewPrincipal("user:ann"), time.Now()) {
		t.Error("a grant by hand lifted a deny of the source's")
	}
}

func TestOverridesFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "overrides.json")
	if o, err := policy.ReadOverrides(path); err != nil || len(o) > 0 {
		t.Fatalf("none: %v, %v", o, err)
	}
	var none policy.Override
	set := acl.NewList(acl.Grants("user:a"), acl.Grants("user:b"))
	all := policy.Overrides{"a": none.Revoke("user:ann"), "b": {Set: &set}}
	if err := all.Write(path); err != nil {
		t.Fatal(err)
	}
	again, err := policy.ReadOverrides(path)
	if err != nil || again["a"].Change.Key() != all["a"].Change.Key() || again["b"].Set.Key() != set.Key() {
		t.Errorf("%v, %v", again, err)
	}
	for _, text := range []string{"", "{", `{"a":{"chnge":{}}}`, `{"a":{"change":{"deni":[]}}}`, `{} {}`, `[]`} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if o, err := policy.ReadOverrides(path); err == nil {
			t.Errorf("%s: read as %v", text, o)
		}
	}
}
