package tools

import (
	"context"
	"sync"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	"github.com/modelcontextprotocol/go-sdk/mcp"
)

// drained is a transport whose end is seen only when every request that came
// before it was answered: `echo … | ken serve --stdio` gets its answer.
type drained struct{ mcp.Transport }

func (d drained) Connect(ctx context.Context) (mcp.Connection, error) {
	c, err := d.Transport.Connect(ctx)
	if err != nil {
		return nil, err
	}
	return &drainedConnection{Connection: c, idle: sync.NewCond(&sync.Mutex{}), waiting: map[any]bool{}}, nil
}

type drainedConnection struct {
	mcp.Connection

	idle    *sync.Cond
	waiting map[any]bool // ids of requests without an answer
	closed  bool
}

func (c *drainedConnection) Read(ctx context.Context) (jsonrpc.Message, error) {
	m, err := c.Connection.Read(ctx)
	c.idle.L.Lock()
	defer c.idle.L.Unlock()
	if r, ok := m.(*jsonrpc.Request); ok && r.IsCall() {
		c.waiting[r.ID.Raw()] = true
	}
	if err != nil {
		stop := context.AfterFunc(ctx, c.idle.Broadcast)
		defer stop()
		for len(c.waiting) > 0 && !c.closed && ctx.Err() == nil {
			c.idle.Wait()
		}
	}
	return m, err
}

func (c *drainedConnection) Write(ctx context.Context, m jsonrpc.Message) error {
	err := c.Connection.Write(ctx, m)
	if r, ok := m.(*jsonrpc.Response); ok {
		c.idle.L.Lock()
		delete(c.waiting, r.ID.Raw())
		c.idle.L.Unlock()
		c.idle.Broadcast()
	}
	return err
}

func (c *drainedConnection) Close() error {
	c.idle.L.Lock()
	c.closed = true
	c.idle.L.Unlock()
	c.idle.Broadcast()
	return c.Connection.Close()
}
