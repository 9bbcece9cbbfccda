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
	case "script", "style", "template", "noscript", "iframe", "object", "embed", "applet", "canvas", "svg", "audio", "video", "noframes", "noembed", "frameset", "head", "title", "annotation", "annotation-xml":
		return true
	case "dialog":
		if !slices.ContainsFunc(attrs, func(a html.Attribute) bool { return strings.EqualFold(a.Key, "open") }) {
			return true
		}
	}
	for _, a := range attrs {
		switch strings.ToLower(a.Key) {
		case "hidden", "popover":
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
// the colour of its own background. One declaration that does is enough,
// whatever comes after it: a later one may be one that browsers do not know.
func hidesByStyle(style string) bool {
	last := make(map[string]string)
	for _, d := range declarations(style) {
		if d.hides() {
			return true
		}
		last[d.name] = d.value
	}
	if o := last["overflow"]; o == "hidden" || o == "clip" {
		for _, size := range []string{"width", "height", "max-width", "max-height"} {
			if isTiny(last[size]) {
				return true
			}
		}
	}
	text := color(last["color"])
	return text != "" && (text == color(last["background-color"]) || text == color(last["background"]))
}

// declaration is a part of a style, in lower case and without spaces.
type declaration struct{ name, value string }

func (d declaration) hides() bool {
	v := d.value
	switch d.name {
	case "display":
		return v == "none"
	case "visibility":
		return v == "hidden" || v == "collapse"
	case "content-visibility":
		return v == "hidden"
	case "opacity":
		return isBelow(v, .05)
	case "font-size", "zoom":
		return isBelow(v, .05) || isTiny(v)
	case "font":
		return strings.HasPrefix(v, "0") && isZero(v)
	case "color", "-webkit-text-fill-color":
		return color(v) == "transparent"
	case "clip":
		return strings.HasPrefix(v, "rect(0") || strings.HasPrefix(v, "rect(1px")
	case "clip-path":
		return strings.HasPrefix(v, "inset(50%") || strings.HasPrefix(v, "inset(100%") || strings.HasPrefix(v, "circle(0") || strings.HasPrefix(v, "ellipse(0") || strings.HasPrefix(v, "polygon(00,00")
	case "filter":
		return strings.HasPrefix(v, "opacity(0)") || strings.HasPrefix(v, "opacity(0%)")
	case "scale":
		return isZero(v)
	case "transform":
		return strings.Contains(v, "scale(0)") || strings.Contains(v, "scalex(0)") || strings.Contains(v, "scaley(0)") || translatesAway(v)
	case "translate", "inset", "left", "right", "top", "bottom", "text-indent", "margin", "margin-left", "margin-top", "margin-right":
		return isFar(strings.TrimPrefix(v, "calc("))
	}
	return false
}

// isFar reports whether a length is far below zero. Lengths in the size of the
// window or the element are far when they are once that size.
func isFar(value string) bool {
	v, ok := number(value)
	if strings.Contains(value, "vw") || strings.Contains(value, "vh") || strings.Contains(value, "%") {
		return ok && v <= -100
	}
	return ok && v <= -500
}

func translatesAway(value string) bool {
	_, args, ok := strings.Cut(value, "translate")
	_, args, _ = strings.Cut(args, "(")
	x, y, _ := strings.Cut(args, ",")
	return ok && (isFar(x) || isFar(y))
}

// color returns one spelling of the colours that text is hidden with.
func color(value string) string {
	switch value {
	case "#fff", "#ffffff", "#ffff", "#ffffffff", "rgb(255,255,255)", "rgb(255255255)", "rgba(255,255,255,1)", "rgb(100%,100%,100%)", "hsl(0,0%,100%)":
		return "white"
	case "#000", "#000000", "#000f", "#000000ff", "rgb(0,0,0)", "rgb(000)", "rgba(0,0,0,1)", "hsl(0,0%,0%)":
		return "black"
	}
	switch {
	case len(value) == 5 && value[0] == '#' && value[4] == '0', len(value) == 9 && value[0] == '#' && value[7:] == "00":
		return "transparent"
	case strings.HasPrefix(value, "rgb") || strings.HasPrefix(value, "hsl"):
		parts := strings.FieldsFunc(value, func(r rune) bool { return strings.ContainsRune("(,/)", r) })
		alpha := len(parts) == 5 || len(parts) == 3 && strings.Contains(value, "/")
		if alpha && isBelow(parts[len(parts)-1], .05) {
			return "transparent"
		}
	}
	return value
}

// declarations reads an inline style without comments, escapes and "!important".
func declarations(style string) (out []declaration) {
	style = strings.ToLower(unescapeCSS(dropCSSComments(style)))
	for part := range strings.SplitSeq(style, ";") {
		name, value, ok := strings.Cut(part, ":")
		if ok {
			value = strings.TrimSuffix(strings.Join(strings.Fields(value), ""), "!important")
			out = append(out, declaration{strings.TrimSpace(name), value})
		}
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

func isZero(value string) bool { return isBelow(value, 1e-9) }

// isBelow reports whether a number, or a hundredth of a percentage, is at least
// zero and below the limit.
func isBelow(value string, limit float64) bool {
	v, ok := number(value)
	if strings.HasSuffix(value, "%") {
		v /= 100
	}
	return ok && v >= 0 && v < limit
}

func isTiny(value string) bool {
	v, ok := number(value)
	return ok && (v == 0 || v > 0 && v <= 1 && (strings.HasSuffix(value, "px") || strings.HasSuffix(value, "pt")))
}
