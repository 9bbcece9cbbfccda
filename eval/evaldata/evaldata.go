package evaldata

import (
	"os"
	"path/filepath"
	"testing"
)

// Var names the environment variable that holds the folder of the data sets.
const Var = "KEN_EVAL_DATA"

// Dir returns the folder of a data set, such as "scifact" or "xquad/en". Without
// the data the test is skipped, and in CI, where the data must be, it fails. In
// short mode it is skipped: `make race` runs short, `make test` does not.
func Dir(t testing.TB, set string) string {
	t.Helper()
	root := os.Getenv(Var)
	switch {
	case testing.Short():
		t.Skip("SKIPPED in short mode: the evaluation data takes too long")
	case root == "" && os.Getenv("CI") != "":
		t.Fatalf("%s is not set: name the folder of the evaluation data", Var)
	case root == "":
		t.Skipf("SKIPPED: set %s to the folder of the evaluation data to run this test", Var)
	}
	return filepath.Join(root, filepath.FromSlash(set))
}
