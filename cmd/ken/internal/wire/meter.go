package wire

import (
	"sync"
	"time"

	"ken/eval/latency"
	"ken/retrieval"
)

// Served is what searches got from one generation since the process began, to
// compare a generation that is tried out with the one that is active.
type Served struct {
	Searches  int             `json:"searches"`
	Errors    int             `json:"errors"`
	Empty     int             `json:"empty"`    // without a result
	Degraded  int             `json:"degraded"` // something was missing
	LatencyMS latency.Summary `json:"latency_ms"`
}

// Meter counts what generations served.
type Meter struct {
	mu  sync.Mutex
	all map[uint32]*meterOf
}

type meterOf struct {
	Served
	took latency.Histogram
}

func (m *Meter) add(id uint32, took time.Duration, r retrieval.Response, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.all == nil {
		m.all = map[uint32]*meterOf{}
	}
	s := m.all[id]
	if s == nil {
		s = &meterOf{}
		m.all[id] = s
	}
	s.Searches++
	switch {
	case err != nil:
		s.Errors++
	case len(r.Results) == 0:
		s.Empty++
	}
	if len(r.Degraded) > 0 {
		s.Degraded++
	}
	s.took.Add(took)
}

func (m *Meter) snapshot() map[uint32]Served {
	m.mu.Lock()
	defer m.mu.Unlock()
	out := map[uint32]Served{}
	for id, s := range m.all {
		one := s.Served
		one.LatencyMS = s.took.Summary()
		out[id] = one
	}
	return out
}
