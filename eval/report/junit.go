package report

import (
	"encoding/xml"
	"fmt"
	"io"
	"strings"

	"ken/eval/suite"
)

type testSuite struct {
	XMLName  xml.Name   `xml:"testsuite"`
	Name     string     `xml:"name,attr"`
	Tests    int        `xml:"tests,attr"`
	Failures int        `xml:"failures,attr"`
	Cases    []testCase `xml:"testcase"`
}

type testCase struct {
	Class   string   `xml:"classname,attr"`
	Name    string   `xml:"name,attr"`
	Failure *failure `xml:"failure"`
}

type failure struct {
	Message string `xml:"message,attr"`
	Text    string `xml:",chardata"`
}

// JUnit writes every gate as a test case, as CI systems read it.
func JUnit(w io.Writer, r suite.Result) error {
	s := testSuite{Name: "ken eval " + r.Suite, Tests: len(r.Gates), Failures: r.GatesFailed}
	for _, g := range r.Gates {
		c := testCase{Class: "ken.eval." + g.Kind, Name: g.Name}
		if !g.Passed {
			c.Failure = &failure{g.Message, strings.Join(append([]string{g.Message}, g.Worst...), "\n")}
		}
		s.Cases = append(s.Cases, c)
	}
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return err
	}
	enc := xml.NewEncoder(w)
	enc.Indent("", "  ")
	if err := enc.Encode(s); err != nil {
		return fmt.Errorf("write JUnit: %w", err)
	}
	_, err := io.WriteString(w, "\n")
	return err
}
