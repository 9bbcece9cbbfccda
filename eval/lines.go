package eval

import (
	"bufio"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"unicode/utf8"
)

// maxLine bounds a line of a set's files in bytes: a document stands on one.
const maxLine = 64 << 20

// openLines opens name, or name with .gz, and returns the name it found. The
// error of a file that is neither is fs.ErrNotExist.
func openLines(fsys fs.FS, name string) (io.ReadCloser, string, error) {
	file, err := fsys.Open(name)
	if err == nil {
		return file, name, nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return nil, name, err
	}
	packed := name + ".gz"
	file, err = fsys.Open(packed)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, name, fmt.Errorf("%s and %s: %w", name, packed, fs.ErrNotExist)
	}
	if err != nil {
		return nil, packed, err
	}
	unpacked, err := gzip.NewReader(file)
	if err != nil {
		file.Close()
		return nil, packed, fmt.Errorf("%s: %w", packed, err)
	}
	return gzipFile{unpacked, file}, packed, nil
}

type gzipFile struct {
	io.Reader
	io.Closer
}

// eachLine calls f with every line that is not blank. What f returns is given
// back with the file's name and the line's number.
func eachLine(fsys fs.FS, name string, f func(line []byte) error) error {
	file, name, err := openLines(fsys, name)
	if err != nil {
		return err
	}
	defer file.Close()
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, maxLine)
	n := 1
	for ; lines.Scan(); n++ {
		if strings.TrimSpace(lines.Text()) == "" {
			continue
		}
		if err := checkLine(lines.Bytes(), f); err != nil {
			return fmt.Errorf("%s:%d: %w", name, n, err)
		}
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("%s:%d: %w", name, n, err)
	}
	return nil
}

func checkLine(line []byte, f func([]byte) error) error {
	if !utf8.Valid(line) {
		return errors.New("not valid UTF-8")
	}
	return f(line)
}

// eachRecord is eachLine for files of one JSON object per line.
func eachRecord[T any](fsys fs.FS, name string, f func(T) error) error {
	return eachLine(fsys, name, func(line []byte) error {
		var record T
		if err := json.Unmarshal(line, &record); err != nil {
			return fmt.Errorf("not a JSON object as expected: %w", err)
		}
		return f(record)
	})
}

// optional forgets that a file does not exist.
func optional(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
