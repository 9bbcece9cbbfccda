package audit

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
)

// ErrTampered is wrapped by what [Verify] says of a log that is not as it was written.
var ErrTampered = errors.New("the audit log was changed")

// maxTorn bounds the lines that crashes cut off one after the other.
const maxTorn = 100

// Summary is what a good log holds.
type Summary struct {
	Records   uint64 `json:"records"`
	Torn      int    `json:"torn"`      // lines that a crash cut off
	Last      string `json:"last_hash"` // to keep elsewhere
	Documents int    `json:"documents"` // that left, each time counted
}

// Verify reads a log and returns what it holds, or an error that wraps
// [ErrTampered] and names the first line that is not as it was written. A last
// line without its end is one that is being written.
func Verify(r io.Reader) (Summary, error) { return VerifyWith(r, "") }

// VerifyWith is Verify that also looks for a hash which was the last one once;
// "" is none. Without it the log's end was cut off, or all of it made anew.
func VerifyWith(r io.Reader, hash string) (Summary, error) {
	in := bufio.NewReaderSize(r, 1<<16)
	var sum Summary
	var torn [][]byte // lines that are no records, which the next one must explain
	found := hash == ""
	for n := 1; ; n++ {
		line, err := readLine(in)
		if errors.Is(err, io.EOF) {
			if torn != nil {
				return sum, fmt.Errorf("%w: line %d is no record", ErrTampered, n-len(torn))
			}
			if !found {
				return sum, fmt.Errorf("%w: there is no record with the hash %q", ErrTampered, hash)
			}
			return sum, nil
		}
		if err != nil {
			return sum, err
		}
		rec, err := parse(line)
		if err != nil {
			if torn = append(torn, line); len(torn) > maxTorn {
				return sum, fmt.Errorf("%w: line %d: %w", ErrTampered, n-maxTorn, err)
			}
			continue
		}
		if err := follows(rec, sum, torn); err != nil {
			return sum, fmt.Errorf("%w: line %d: %w", ErrTampered, n-len(torn), err)
		}
		sum.Torn += len(torn)
		torn = nil
		found = found || rec.Hash == hash
		sum.Records, sum.Last, sum.Documents = rec.Seq, rec.Hash, sum.Documents+len(rec.Documents)
	}
}

// follows reports what keeps a record from being the next one.
func follows(r Record, sum Summary, torn [][]byte) error {
	switch {
	case r.Seq != sum.Records+1:
		return fmt.Errorf("record %d stands where %d belongs", r.Seq, sum.Records+1)
	case r.Prev != sum.Last:
		return errors.New("it does not follow the record before it")
	case torn != nil && r.Torn != digest(bytes.Join(torn, []byte("\n"))) || torn == nil && r.Torn != "":
		return errors.New("what stands before it is not what a crash left")
	}
	return nil
}

// readLine returns a line without its end, or io.EOF also for one without an end.
func readLine(in *bufio.Reader) ([]byte, error) {
	var line []byte
	for {
		part, err := in.ReadSlice('\n')
		line = append(line, part...)
		if len(line) > maxRecord {
			return nil, fmt.Errorf("%w: a line is longer than %d bytes", ErrTampered, maxRecord)
		}
		if !errors.Is(err, bufio.ErrBufferFull) {
			return bytes.TrimSuffix(line, []byte("\n")), err
		}
	}
}

// parse reads a line, which must be what its record is written as.
func parse(line []byte) (Record, error) {
	var r Record
	if err := json.Unmarshal(line, &r); err != nil {
		return r, errors.New("it is no record")
	}
	body, ok := strings.CutSuffix(string(line), `,"hash":"`+r.Hash+`"}`)
	if !ok || r.Hash != digest([]byte(body+"}")) {
		return r, errors.New("its hash is another")
	}
	return r, nil
}
