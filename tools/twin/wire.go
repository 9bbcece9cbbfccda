package twin

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"ken/corpora/acl"
	"ken/tools"
)

// wire is a session with a server, as lines of JSON-RPC. There is no client
// library in between that could drop or reorder a byte.
type wire struct {
	to     io.WriteCloser
	from   *bufio.Reader
	cancel context.CancelFunc
	ended  chan error
}

func dial(ctx context.Context, server *tools.Server, p acl.Principal) *wire {
	theirs, to := io.Pipe()
	answers, back := io.Pipe()
	ctx, cancel := context.WithCancel(ctx)
	w := &wire{to: to, from: bufio.NewReader(answers), cancel: cancel, ended: make(chan error, 1)}
	go func() {
		err := server.Run(ctx, p, &mcp.IOTransport{Reader: theirs, Writer: back})
		back.CloseWithError(io.EOF)
		w.ended <- err
	}()
	return w
}

func (w *wire) handshake() error {
	_, err := w.ask(newRequest(0, false, "initialize", map[string]any{
		"protocolVersion": "2025-11-25", "capabilities": map[string]any{}, "clientInfo": map[string]any{"name": "twin", "version": "1"},
	}).line)
	if err != nil {
		return err
	}
	_, err = io.WriteString(w.to, `{"jsonrpc":"2.0","method":"notifications/initialized"}`+"\n")
	return err
}

// ask sends one line and returns all lines up to the answer to it.
func (w *wire) ask(line []byte) ([]byte, error) {
	if _, err := w.to.Write(append(line, '\n')); err != nil {
		return nil, fmt.Errorf("send %s: %w", line, err)
	}
	var all []byte
	for {
		got, err := w.from.ReadBytes('\n')
		if err != nil {
			return nil, fmt.Errorf("read the answer to %s: %w", line, err)
		}
		all = append(all, got...)
		var message struct{ Method string }
		if json.Unmarshal(got, &message) == nil && message.Method == "" {
			return all, nil
		}
	}
}

func (w *wire) close() error {
	err := w.to.Close()
	w.cancel()
	<-w.ended // a session that is cut off ends with an error, which says nothing
	return err
}
