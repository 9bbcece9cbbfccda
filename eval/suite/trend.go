package suite

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"
)

// Point is what is kept of a result, so that later reports can draw how the
// figures went.
type Point struct {
	Time         time.Time           `json:"time"`
	Version      string              `json:"version"` // of ken
	Suite        string              `json:"suite"`
	Accuracy     float64             `json:"accuracy"`
	Strict       float64             `json:"accuracy_strict"`
	AbstentionF1 float64             `json:"abstention_f1"`
	Leaks        int                 `json:"leaks"`
	GatesFailed  int                 `json:"gates_failed"`
	Sets         map[string]SetPoint `json:"sets"` // by the names of ken's runs
}

// SetPoint is the part of one run.
type SetPoint struct {
	NDCG   float64 `json:"ndcg@10"`
	Answer float64 `json:"answer@1000"`
	P50    float64 `json:"p50_ms"`
}

// Point returns what is kept of the result.
func (r Result) Point(at time.Time, version string) Point {
	p := Point{
		Time: at.UTC(), Version: version, Suite: r.Suite, Accuracy: r.Accuracy, Strict: r.Answers.All.Strict, AbstentionF1: r.AbstentionF1,
		Leaks: r.Leaks, GatesFailed: r.GatesFailed, Sets: make(map[string]SetPoint),
	}
	for _, run := range r.Runs {
		if run.System == Ken {
			p.Sets[run.Name()] = SetPoint{run.Metrics["ndcg@10"], run.Metrics["answer@1000"], run.LatencyMS.P50}
		}
	}
	return p
}

// maxPoints is how many points of a history are kept in a result.
const maxPoints = 200

// Remember appends the point to the file and returns the last points of the same
// suite in it, this one included. A line that is none is passed over.
func Remember(file string, p Point) ([]Point, error) {
	data, err := os.ReadFile(file)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("read history: %w", err)
	}
	var points []Point
	lines := bufio.NewScanner(bytes.NewReader(data))
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var old Point
		if json.Unmarshal(lines.Bytes(), &old) == nil && old.Suite == p.Suite {
			points = append(points, old)
		}
	}
	line, err := json.Marshal(p)
	if err != nil {
		return nil, fmt.Errorf("write history: %w", err)
	}
	f, err := os.OpenFile(file, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return nil, fmt.Errorf("write history: %w", err)
	}
	if len(data) > 0 && data[len(data)-1] != '\n' {
		line = append([]byte("\n"), line...)
	}
	_, err = f.Write(append(line, '\n'))
	if err = errors.Join(err, f.Close()); err != nil {
		return nil, fmt.Errorf("write history: %w", err)
	}
	points = append(points, p)
	return points[max(0, len(points)-maxPoints):], nil
}
