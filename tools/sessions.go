package tools

import (
	"net/http"
	"sync"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"ken/tools/auth"
	"ken/tools/middleware"
)

const headerSession = "Mcp-Session-Id"

// sessions serves the protocol versions that have sessions, and bounds how
// many there are. A session belongs to the person who began it, also with
// another credential: for anyone else its id is as unknown as one that never
// was. What a request in it may read is the request's own affair. When an idle one ends is
// the protocol handler's business; here it is noticed when the next one begins.
type sessions struct {
	handler http.Handler
	server  *mcp.Server // whose sessions they are
	limit   int         // of all
	each    int         // of one person

	mu      sync.Mutex
	owners  map[string]string // session id to the person
	pending map[string]int    // by person: begun, id not known yet
}

func newSessions(h http.Handler, server *mcp.Server, limit, each int) *sessions {
	return &sessions{handler: h, server: server, limit: limit, each: each, owners: map[string]string{}, pending: map[string]int{}}
}

func (s *sessions) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	person := auth.FromContext(r.Context()).Person()
	switch id := r.Header.Get(headerSession); {
	case id != "" && !s.owns(person, id):
		http.Error(w, "session not found", http.StatusNotFound) // the protocol handler's own words
	case id == "" && r.Method == http.MethodPost:
		s.begin(w, r, person)
	default:
		s.handler.ServeHTTP(w, r)
	}
}

func (s *sessions) owns(person, id string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	owner, ok := s.owners[id]
	return ok && owner == person
}

// begin serves a request that may begin a session. The owner is known before
// the client sees the id.
func (s *sessions) begin(w http.ResponseWriter, r *http.Request, person string) {
	if !s.reserve(person) {
		middleware.Busy(w, http.StatusTooManyRequests)
		return
	}
	defer s.release(person)
	s.handler.ServeHTTP(&sessionWriter{ResponseWriter: w, began: func(id string) { s.own(person, id) }}, r)
}

func (s *sessions) reserve(owner string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.forget()
	all, own := len(s.owners), s.pending[owner]
	for _, n := range s.pending {
		all += n
	}
	for _, o := range s.owners {
		if o == owner {
			own++
		}
	}
	if all >= s.limit || own >= s.each {
		return false
	}
	s.pending[owner]++
	return true
}

func (s *sessions) release(owner string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.pending[owner]--; s.pending[owner] == 0 {
		delete(s.pending, owner)
	}
}

func (s *sessions) own(owner, id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.owners[id] = owner
}

// forget drops sessions that have ended.
func (s *sessions) forget() {
	alive := map[string]bool{}
	for session := range s.server.Sessions() {
		alive[session.ID()] = true
	}
	for id := range s.owners {
		if !alive[id] {
			delete(s.owners, id)
		}
	}
}

// close ends all sessions, and with them the streams that they hold open.
func (s *sessions) close() {
	for session := range s.server.Sessions() {
		session.Close()
	}
}

// sessionWriter tells the id of a session that the handler began.
type sessionWriter struct {
	http.ResponseWriter
	began func(id string)
	once  sync.Once
}

func (w *sessionWriter) tell() {
	w.once.Do(func() {
		if id := w.Header().Get(headerSession); id != "" {
			w.began(id)
		}
	})
}

func (w *sessionWriter) WriteHeader(code int) {
	w.tell()
	w.ResponseWriter.WriteHeader(code)
}

func (w *sessionWriter) Write(b []byte) (int, error) {
	w.tell()
	return w.ResponseWriter.Write(b)
}

// Unwrap lets http.ResponseController reach the connection.
func (w *sessionWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }
