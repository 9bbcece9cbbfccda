package extract

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"strings"
	"unicode/utf16"

	"ken/corpora/extract/visible"
)

// maxText bounds plain text and Markdown, in bytes.
const maxText = 64 << 20

// extractPlain keeps the text as it is. Its title is the file's name: a first
// line is as often a greeting or a log entry as a heading.
func extractPlain(_ context.Context, in Input) (Text, error) {
	s, err := decode(in.Data)
	if err != nil {
		return Text{}, err
	}
	return Text{Body: visible.Text(s), MediaType: Plain}, nil
}

// decode returns the bytes as text: UTF-16 if they begin with its byte order
// mark, UTF-8 otherwise. Damaged bytes are left for visible.Text to mark.
func decode(data []byte) (string, error) {
	if err := checkSize(data, maxText); err != nil {
		return "", err
	}
	if order := utf16Order(data); order != nil {
		return decodeUTF16(data[2:], order), nil
	}
	if isBinary(data) {
		return "", fmt.Errorf("%w: binary data", ErrUnsupported)
	}
	return string(bytes.TrimPrefix(data, []byte("\ufeff"))), nil
}

// utf16Order tells UTF-16 by its byte order mark, nil if it has none.
func utf16Order(data []byte) binary.ByteOrder {
	switch {
	case bytes.HasPrefix(data, []byte{0xfe, 0xff}):
		return binary.BigEndian
	case bytes.HasPrefix(data, []byte{0xff, 0xfe}):
		return binary.LittleEndian
	}
	return nil
}

func decodeUTF16(data []byte, order binary.ByteOrder) string {
	units := make([]uint16, 0, len(data)/2+1)
	for ; len(data) >= 2; data = data[2:] {
		units = append(units, order.Uint16(data))
	}
	if len(data) > 0 {
		units = append(units, 0xfffd)
	}
	var b strings.Builder
	for _, r := range utf16.Decode(units) {
		b.WriteRune(r)
	}
	return b.String()
}
