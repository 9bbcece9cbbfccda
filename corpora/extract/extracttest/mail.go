package extracttest

import (
	"encoding/base64"
	"fmt"
	"strings"
)

// Mail writes a message with attachments.
func Mail(subject, text string, files ...File) []byte {
	var b strings.Builder
	fmt.Fprintf(&b, "From: Ann Lee <ann@example.com>\r\nTo: bob@example.com\r\nSubject: %s\r\nDate: Mon, 02 Mar 2026 10:00:00 +0000\r\nMIME-Version: 1.0\r\n", subject)
	b.WriteString("Content-Type: multipart/mixed; boundary=\"part\"\r\n\r\n--part\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n")
	b.WriteString(base64Lines(text))
	for _, f := range files {
		fmt.Fprintf(&b, "--part\r\nContent-Type: application/octet-stream\r\nContent-Disposition: attachment; filename=%q\r\nContent-Transfer-Encoding: base64\r\n\r\n%s", f.Name, base64Lines(f.Data))
	}
	b.WriteString("--part--\r\n")
	return []byte(b.String())
}

func base64Lines(s string) string {
	code := base64.StdEncoding.EncodeToString([]byte(s))
	var b strings.Builder
	for len(code) > 76 {
		b.WriteString(code[:76] + "\r\n")
		code = code[76:]
	}
	return b.String() + code + "\r\n"
}
