package main

import "testing"

// The functions that are to be broken are there, and what is called equivalent
// is still a mutant.
func TestTargets(t *testing.T) {
	t.Chdir("../../../..")
	mutants, equal, err := all("", 100)
	if err != nil {
		t.Fatal(err)
	}
	if len(mutants) < leastMutants {
		t.Errorf("%d mutants, want %d", len(mutants), leastMutants)
	}
	if equal != len(equivalent) {
		t.Errorf("%d of the %d equivalent mutants are made", equal, len(equivalent))
	}
}
