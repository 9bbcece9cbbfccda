package ooxml

import (
	"archive/zip"
	"context"
	"encoding/xml"
	"fmt"
	"path"
	"strings"

	"ken/corpora/extract/bounds"
)

// pkg is an open package.
type pkg struct {
	ctx    context.Context
	files  map[string]*zip.File
	budget *bounds.Budget
}

func open(ctx context.Context, data []byte, budget *bounds.Budget) (pkg, error) {
	z, err := budget.Zip(data)
	if err != nil {
		return pkg{}, err
	}
	p := pkg{ctx: ctx, files: make(map[string]*zip.File, len(z.File)), budget: budget}
	for _, f := range z.File {
		name := strings.ToLower(strings.TrimPrefix(f.Name, "/"))
		if p.files[name] == nil { // the first counts, for us as for every part
			p.files[name] = f
		}
	}
	return p, nil
}

func (p pkg) has(name string) bool { return p.files[strings.ToLower(name)] != nil }

// read visits the tokens of a part, which must be there.
func (p pkg) read(name string, visit func(xml.Token) error) error {
	f := p.files[strings.ToLower(name)]
	if f == nil {
		return fmt.Errorf("%w: its part %s is missing", bounds.ErrDamaged, path.Base(name))
	}
	r, err := p.budget.Open(f)
	if err != nil {
		return err
	}
	defer r.Close()
	return bounds.XML(p.ctx, r, visit)
}

// optional is read for a part that need not be there.
func (p pkg) optional(name string, visit func(xml.Token) error) error {
	if !p.has(name) {
		return nil
	}
	return p.read(name, visit)
}

// relation is where a part points to within the package.
type relation struct{ id, kind, target string }

// relations reads where a part points to, links that leave the package left out.
func (p pkg) relations(part string) (out []relation, err error) {
	dir, base := path.Split(part)
	err = p.optional(dir+"_rels/"+base+".rels", func(t xml.Token) error {
		e, ok := t.(xml.StartElement)
		if !ok || e.Name.Local != "Relationship" || attr(e, "TargetMode") == "External" {
			return nil
		}
		target := attr(e, "Target")
		if rooted, ok := strings.CutPrefix(target, "/"); ok {
			target = rooted
		} else {
			target = path.Join(dir, target)
		}
		out = append(out, relation{id: attr(e, "Id"), kind: path.Base(attr(e, "Type")), target: target})
		return nil
	})
	return out, err
}

// main returns the part that the package is about.
func (p pkg) main(otherwise string) (string, error) {
	all, err := p.relations("")
	for _, r := range all {
		if r.kind == "officeDocument" {
			return r.target, err
		}
	}
	return otherwise, err
}

// title reads the title in the package's properties.
func (p pkg) title() (title string, err error) {
	in := false
	err = p.optional("docProps/core.xml", func(t xml.Token) error {
		switch t := t.(type) {
		case xml.StartElement:
			in = t.Name.Local == "title"
		case xml.EndElement:
			in = false
		case xml.CharData:
			if in {
				title += string(t)
			}
		}
		return nil
	})
	return strings.Join(strings.Fields(title), " "), err
}

func attr(e xml.StartElement, local string) string {
	for _, a := range e.Attr {
		if a.Name.Local == local {
			return a.Value
		}
	}
	return ""
}

// prefixed returns an attribute by prefix and name: r:id is not id.
func prefixed(e xml.StartElement, prefix, local string) string {
	for _, a := range e.Attr {
		if a.Name.Space == prefix && a.Name.Local == local {
			return a.Value
		}
	}
	return ""
}

// on reports whether a property such as <w:vanish/> is set.
func on(e xml.StartElement) bool {
	switch attr(e, "val") {
	case "0", "false", "off", "none":
		return false
	}
	return true
}
