package acl_test

import (
	"encoding/json"
	"errors"
	"testing"
	"time"

	"ken/corpora/acl"
)

func TestUnmarshalRefuses(t *testing.T) {
	tests := map[string]string{
		"a damaged key would drop the deny":        `{"allow":[{"subject":"everyone"}],"deni":[{"subject":"user:ann"}]}`,
		"a second key would replace the deny":      `{"allow":[{"subject":"everyone"}],"deny":[{"subject":"user:ann"}],"deny":[]}`,
		"so would one in another case":             `{"allow":[{"subject":"everyone"}],"deny":[{"subject":"user:ann"}],"DENY":[]}`,
		"a damaged limit would make it open-ended": `{"allow":[{"subject":"everyone","not_aftre":"2026-01-01T00:00:00Z"}]}`,
		"a bad time":          `{"allow":[{"subject":"everyone","not_after":"soon"}]}`,
		"a bad subject":       `{"allow":[{"subject":"ann"}]}`,
		"no subject":          `{"allow":[{}]}`,
		"a bad deny":          `{"allow":[{"subject":"everyone"}],"deny":[{"subject":""}]}`,
		"null for a list":     `{"allow":[{"subject":"everyone"}],"deny":null}`,
		"null for a grant":    `{"allow":[null]}`,
		"a list of names":     `{"allow":["everyone"]}`,
		"not an object":       `["everyone"]`,
		"null":                `null`,
		"not in order":        `{"allow":[{"subject":"user:b"},{"subject":"user:a"}]}`,
		"twice":               `{"allow":[{"subject":"user:a"},{"subject":"user:a"}]}`,
		"the wrong way round": `{"deny":[{"subject":"user:a"}],"allow":[{"subject":"everyone"}]}`,
	}
	for name, text := range tests {
		t.Run(name, func(t *testing.T) {
			list := acl.Allow(acl.Everyone)
			if err := list.UnmarshalJSON([]byte(text)); !errors.Is(err, acl.ErrEncoding) {
				t.Errorf("error %v, want %v", err, acl.ErrEncoding)
			}
			if list.Key() != (acl.List{}).Key() {
				t.Errorf("left %s, want the zero list", list.Key())
			}
		})
	}
}

func TestUnmarshalReads(t *testing.T) {
	for text, want := range map[string]acl.List{
		`{}`: {},
		` { "allow" : [ {"subject": "group:hr"} ] } `:                            acl.Allow("group:hr"),
		`{"allow":[{"subject":"group:hr","not_before":"2026-01-01T00:00:00Z"}]}`: acl.NewList(during("group:hr", jan, time.Time{}), nil),
	} {
		var got acl.List
		if err := json.Unmarshal([]byte(text), &got); err != nil || got.Key() != want.Key() {
			t.Errorf("%s: %s, %v; want %s", text, got.Key(), err, want.Key())
		}
	}
}

// A list that cannot be written is an error, and having a key does not panic.
func TestTimesThatJSONCannotHold(t *testing.T) {
	far := acl.NewList(during("user:ann", time.Time{}, time.Date(12000, 1, 1, 0, 0, 0, 0, time.UTC)), nil)
	if _, err := json.Marshal(far); err == nil {
		t.Error("no error for the year 12000")
	}
	if far.Key() == acl.Allow("user:ann").Key() {
		t.Error("the key forgets the limit")
	}
}

func FuzzUnmarshalJSON(f *testing.F) {
	f.Add([]byte(`{"allow":[{"subject":"group:hr","not_after":"2026-01-01T00:00:00Z"}],"deny":[{"subject":"user:ann"}]}`))
	f.Add([]byte(`{"allow":[{"subject":"everyone"}],"deny":null}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		var list acl.List
		if err := json.Unmarshal(data, &list); err != nil {
			return
		}
		text, err := json.Marshal(list)
		if err != nil {
			t.Fatalf("read %s but cannot write it: %v", data, err)
		}
		var again acl.List
		if err := json.Unmarshal(text, &again); err != nil || again.Key() != list.Key() {
			t.Fatalf("%s became %s, %v", list.Key(), again.Key(), err)
		}
	})
}
