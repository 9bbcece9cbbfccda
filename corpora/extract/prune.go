package extract

import (
	"slices"
	"strings"

	"golang.org/x/net/html"
)

// prune removes from a page what is not shown and what is not content.
func prune(doc *html.Node) {
	var drop []*html.Node
	for n := range doc.Descendants() {
		if isNoise(n) {
			drop = append(drop, n)
		}
	}
	for _, n := range drop {
		if n.Parent != nil {
			n.Parent.RemoveChild(n)
		}
	}
	stripAttributes(doc)
}

func isNoise(n *html.Node) bool {
	switch n.Type {
	case html.CommentNode, html.DoctypeNode:
		return true
	case html.ElementNode:
		// The head is not shown, but readability reads the title in it.
		if n.Data == "head" || n.Data == "title" && n.Parent != nil && n.Parent.Data == "head" {
			return false
		}
		return isHidden(n.Data, n.Attr) || isChrome(n)
	}
	return false
}

// isChrome reports whether the element operates the site instead of saying
// something: navigation, controls, and forms that hold nothing else.
func isChrome(n *html.Node) bool {
	switch n.Data {
	case "nav", "menu", "button", "input", "select", "textarea", "datalist", "optgroup", "option", "output", "progress", "meter":
		return true
	case "form":
		return !holdsContent(n)
	}
	return slices.Contains([]string{"navigation", "search", "menu", "menubar", "toolbar"}, strings.ToLower(attr(n, "role")))
}

// holdsContent tells a form that wraps a whole page, as some systems write
// them, from one that is to be filled in.
func holdsContent(form *html.Node) bool {
	for n := range form.Descendants() {
		if n.Type == html.ElementNode && slices.Contains([]string{"h1", "h2", "h3", "article", "main", "section", "table"}, n.Data) {
			return true
		}
	}
	return false
}

// stripAttributes drops inline data, which is megabytes of noise, and scripts in links.
func stripAttributes(doc *html.Node) {
	for n := range doc.Descendants() {
		if n.Type != html.ElementNode {
			continue
		}
		n.Attr = slices.DeleteFunc(n.Attr, func(a html.Attribute) bool {
			if a.Key != "href" && a.Key != "src" && a.Key != "srcset" {
				return false
			}
			v := strings.ToLower(strings.TrimSpace(a.Val))
			return strings.HasPrefix(v, "data:") || strings.HasPrefix(v, "javascript:")
		})
	}
}
