package pdf

import (
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"runtime"

	"github.com/klippa-app/go-pdfium"
	"github.com/klippa-app/go-pdfium/webassembly"
	"github.com/tetratelabs/wazero"

	"ken/corpora/extract/bounds"
)

// sandbox holds the program PDFium, ready to run. Each document runs it anew, in
// memory that no other document was in or will be in.
type sandbox struct {
	programs pdfium.Pool
	stop     context.CancelFunc // ends what runs; the sandbox is of no use then
}

// take returns a sandbox that nobody uses.
func (r *Reader) take() (*sandbox, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if n := len(r.idle); n > 0 {
		s := r.idle[n-1]
		r.idle = r.idle[:n-1]
		return s, nil
	}
	if r.cache == nil {
		cache, err := compilationCache(r.Cache)
		if err != nil {
			return nil, fmt.Errorf("cache of the PDF reader: %w", err)
		}
		r.cache = cache
	}
	return newSandbox(r.cache)
}

// put keeps a sound sandbox for another document, one for each processor at most,
// and ends others.
func (r *Reader) put(s *sandbox, sound bool) {
	r.mu.Lock()
	keep := sound && len(r.idle) < runtime.GOMAXPROCS(0)
	if keep {
		r.idle = append(r.idle, s)
	}
	r.mu.Unlock()
	if !keep {
		s.stop()
		_ = s.programs.Close() // it frees memory, and nothing depends on it
	}
}

func compilationCache(dir string) (wazero.CompilationCache, error) {
	if dir == "" {
		return wazero.NewCompilationCache(), nil
	}
	return wazero.NewCompilationCacheWithDir(dir)
}

func newSandbox(cache wazero.CompilationCache) (*sandbox, error) {
	ctx, stop := context.WithCancel(context.Background())
	config := wazero.NewRuntimeConfig().WithMemoryLimitPages(memoryPages).WithCloseOnContextDone(true).WithCompilationCache(cache)
	programs, err := webassembly.Init(webassembly.Config{
		Context: ctx, MaxTotal: 1, FSConfig: wazero.NewFSConfig(), RuntimeConfig: config,
		Stdout: io.Discard, Stderr: io.Discard, RandomSource: rand.Reader,
		ReuseWorkers: false, // the memory of a document ends with it
	})
	if err != nil {
		stop()
		return nil, fmt.Errorf("start of the PDF reader: %w", err)
	}
	return &sandbox{programs, stop}, nil
}

// read runs the program on a document.
func (s *sandbox) read(ctx context.Context, data []byte) (title, markdown string, err error) {
	engine, err := s.programs.GetInstanceWithContext(ctx)
	if err != nil {
		return "", "", fmt.Errorf("start of the PDF reader: %w", err)
	}
	d := document{ctx: ctx, engine: engine}
	title, markdown, err = d.read(data)
	if closed := engine.Close(); err == nil && closed != nil {
		err = fmt.Errorf("%w: the PDF reader did not end well", bounds.ErrDamaged)
	}
	return title, markdown, err
}
