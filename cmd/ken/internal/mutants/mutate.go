package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"slices"
	"strings"
)

// Mutant is a source file with one place changed.
type Mutant struct {
	File     string `json:"file"`
	Function string `json:"function"`
	Line     int    `json:"line"`
	Change   string `json:"change"`

	source []byte
	tests  []tests
}

func (m Mutant) String() string {
	return fmt.Sprintf("%s:%d %s: %s", m.File, m.Line, m.Function, m.Change)
}

// edit replaces bytes of a file.
type edit struct {
	from, to int
	text     string
	change   string
}

// all makes the mutants, of each function in turn, so that a run that ends early
// has tried some of each.
func all(only string, each int) (out []Mutant, equal int, err error) {
	var rounds [][]Mutant
	for _, t := range targets {
		if !strings.Contains(t.file, only) {
			continue
		}
		for _, f := range t.functions {
			found, err := t.mutants(f)
			if err != nil {
				return nil, 0, err
			}
			n := len(found)
			found = slices.DeleteFunc(found, func(m Mutant) bool { return equivalent[m.File+" "+m.Function+": "+m.Change] != "" })
			equal += n - len(found)
			for i, m := range found[:min(len(found), each)] {
				for len(rounds) <= i {
					rounds = append(rounds, nil)
				}
				rounds[i] = append(rounds[i], m)
			}
		}
	}
	return slices.Concat(rounds...), equal, nil
}

// mutants returns those of one function.
func (t target) mutants(name string) ([]Mutant, error) {
	source, err := os.ReadFile(t.file)
	if err != nil {
		return nil, err
	}
	set := token.NewFileSet()
	file, err := parser.ParseFile(set, t.file, source, 0)
	if err != nil {
		return nil, err
	}
	for _, d := range file.Decls {
		f, ok := d.(*ast.FuncDecl)
		if !ok || f.Name.Name != name {
			continue
		}
		var out []Mutant
		for _, e := range edits(set, source, f) {
			changed := slices.Concat(source[:e.from], []byte(e.text), source[e.to:])
			line := set.Position(set.File(file.Pos()).Pos(e.from)).Line
			out = append(out, Mutant{t.file, name, line, e.change, changed, t.tests})
		}
		return out, nil
	}
	return nil, fmt.Errorf("%s has no function %s", t.file, name)
}

// turned are the operators that take each other's place.
var turned = map[token.Token]string{
	token.LAND: "||", token.LOR: "&&", token.EQL: "!=", token.NEQ: "==",
	token.LSS: "<=", token.LEQ: "<", token.GTR: ">=", token.GEQ: ">",
}

// edits are the changes that can be made to a function, those of its decisions first.
func edits(set *token.FileSet, source []byte, f *ast.FuncDecl) []edit {
	var guards, rest []edit
	at := func(p token.Pos) int { return set.Position(p).Offset }
	ast.Inspect(f.Body, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.IfStmt:
			cond := string(source[at(n.Cond.Pos()):at(n.Cond.End())])
			if isErr(n.Cond) || n.Else != nil {
				return true
			}
			guards = append(guards, edit{at(n.Cond.Pos()), at(n.Cond.End()), "(" + cond + ") && len(\"\") > 0", "never: if " + cond})
		case *ast.BinaryExpr:
			if op, ok := turned[n.Op]; ok && !isErr(n) {
				from := at(n.OpPos)
				rest = append(rest, edit{from, from + len(n.Op.String()), op, turning(source, at(n.Pos()), at(n.End()), op)})
			}
		case *ast.UnaryExpr:
			if n.Op == token.NOT {
				rest = append(rest, edit{at(n.OpPos), at(n.OpPos) + 1, "", "no not: " + string(source[at(n.Pos()):at(n.End())])})
			}
		case *ast.ReturnStmt:
			for _, v := range n.Results {
				if id, ok := v.(*ast.Ident); ok && (id.Name == "true" || id.Name == "false") {
					other := map[string]string{"true": "false", "false": "true"}[id.Name]
					rest = append(rest, edit{at(id.Pos()), at(id.End()), other, "return " + other + " for " + id.Name})
				}
			}
		}
		return true
	})
	return append(rest, guards...)
}

func turning(source []byte, from, to int, op string) string {
	return fmt.Sprintf("%s in %s", op, strings.Join(strings.Fields(string(source[from:to])), " "))
}

// isErr reports whether an expression only asks for an error: such a change is
// of the plumbing and not of a decision.
func isErr(e ast.Expr) bool {
	b, ok := e.(*ast.BinaryExpr)
	if !ok {
		return false
	}
	x, ok := b.X.(*ast.Ident)
	y, yok := b.Y.(*ast.Ident)
	return ok && yok && y.Name == "nil" && strings.HasSuffix(x.Name, "err")
}
