package policy_test

import (
	"os"
	"path/filepath"
	"testing"

	"ken/corpora/policy"
)

// A link that leads nowhere is no file that was left out: nothing that it would
// restrict is open.
func TestLinksThatLeadNowhere(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	if _, err := policy.OpenRoles(path, toolNames, nil); err != nil {
		t.Errorf("without roles: %v", err)
	}
	if err := policy.NewBook(path).Do(func(*policy.Pages) error { return nil }); err != nil {
		t.Errorf("without overrides: %v", err)
	}
	if err := os.Symlink(filepath.Join(t.TempDir(), "later"), path); err != nil {
		t.Skip(err)
	}
	if _, err := policy.OpenRoles(path, toolNames, nil); err == nil {
		t.Error("roles that cannot be read were taken for none")
	}
	if err := policy.NewBook(path).Do(func(*policy.Pages) error { return nil }); err == nil {
		t.Error("overrides that cannot be read were taken for none")
	}
	if _, err := policy.OpenDirectory(path); err == nil || policy.Missing(path, err) {
		t.Errorf("groups: %v", err)
	}
}
