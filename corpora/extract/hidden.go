package extract

import (
	"slices"
	"strconv"
	"strings"

	"golang.org/x/net/html"
)

// isHidden reports whether a browser shows nothing of an element's content, as
// far as the element itself says so. Classes are not resolved.
func isHidden(name string, attrs []html.Attribute) bool {
	switch name {
	case "script", "style", "template", "noscript", "iframe", "object", "embed", "applet", "canvas", "svg", "audio", "video", "noframes", "frameset", "head", "title":
		return true
	case "dialog":
		if !slices.ContainsFunc(attrs, func(a html.Attribute) bool { return strings.EqualFold(a.Key, "open") }) {
			return true
		}
	}
	for _, a := range attrs {
		switch strings.ToLower(a.Key) {
		case "hidden":
			return true
		case "aria-hidden":
			if strings.EqualFold(strings.TrimSpace(a.Val), "true") {
				return true
			}
		case "type":
			if name == "input" && strings.EqualFold(a.Val, "hidden") {
				return true
			}
		case "style":
			if hidesByStyle(a.Val) {
				return true
			}
		}
	}
	return false
}

func isVoid(name string) bool {
	return slices.Contains([]string{"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}, name)
}

// hidesByStyle reports whether an inline style makes its element invisible: not
// displayed, transparent, without size, clipped away, far off the page, or in
// the colour of its own background.
func hidesByStyle(style string) bool {
	d := declarations(style)
	switch {
	case d["display"] == "none",
		d["visibility"] == "hidden", d["visibility"] == "collapse",
		d["content-visibility"] == "hidden",
		isZero(d["opacity"]), isZero(d["font-size"]), isZero(d["zoom"]),
		d["color"] == "transparent",
		d["color"] != "" && (d["color"] == d["background-color"] || d["color"] == d["background"]),
		strings.HasPrefix(d["clip"], "rect(0") || strings.HasPrefix(d["clip"], "rect(1px"),
		strings.HasPrefix(d["clip-path"], "inset(50%") || strings.HasPrefix(d["clip-path"], "inset(100%"),
		strings.Contains(d["transform"], "scale(0)"):
		return true
	}
	if o := d["overflow"]; o == "hidden" || o == "clip" {
		if isTiny(d["width"]) || isTiny(d["height"]) || isTiny(d["max-height"]) || isTiny(d["max-width"]) {
			return true
		}
	}
	for _, p := range []string{"left", "right", "top", "bottom", "text-indent", "margin-left", "margin-top"} {
		if v, ok := number(d[p]); ok && v <= -500 {
			return true
		}
	}
	return false
}

// declarations reads an inline style: names and values in lower case, without
// spaces, comments, escapes and "!important".
func declarations(style string) map[string]string {
	style = strings.ToLower(unescapeCSS(dropCSSComments(style)))
	out := make(map[string]string)
	for part := range strings.SplitSeq(style, ";") {
		name, value, ok := strings.Cut(part, ":")
		if !ok {
			continue
		}
		value = strings.Join(strings.Fields(value), "")
		out[strings.TrimSpace(name)] = strings.TrimSuffix(value, "!important")
	}
	return out
}

func dropCSSComments(s string) string {
	var b strings.Builder
	for {
		before, rest, found := strings.Cut(s, "/*")
		b.WriteString(before)
		if !found {
			return b.String()
		}
		_, s, _ = strings.Cut(rest, "*/")
	}
}

// unescapeCSS replaces \64 by d and \x by x.
func unescapeCSS(s string) string {
	if !strings.Contains(s, `\`) {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] != '\\' {
			b.WriteByte(s[i])
			continue
		}
		end := i + 1
		for end < len(s) && end < i+7 && strings.IndexByte("0123456789abcdefABCDEF", s[end]) >= 0 {
			end++
		}
		if code, err := strconv.ParseInt(s[i+1:end], 16, 32); err == nil {
			b.WriteRune(rune(code))
			if end < len(s) && s[end] == ' ' {
				end++
			}
			i = end - 1
		}
	}
	return b.String()
}

// number reads a length such as -9999px; the unit is not looked at.
func number(value string) (float64, bool) {
	end := 0
	for end < len(value) && strings.IndexByte("+-.0123456789", value[end]) >= 0 {
		end++
	}
	v, err := strconv.ParseFloat(value[:end], 64)
	return v, err == nil
}

func isZero(value string) bool {
	v, ok := number(value)
	return ok && v == 0
}

func isTiny(value string) bool {
	v, ok := number(value)
	return ok && (v == 0 || v > 0 && v <= 1 && strings.HasSuffix(value, "px"))
}
