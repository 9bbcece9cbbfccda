//go:build full

package main

import (
	"bufio"
	"crypto/tls"
	"encoding/pem"
	"fmt"
	"io"
	"net"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	amqp "github.com/rabbitmq/amqp091-go"
)

// TestWatchBroker shows that ken watch follows a broker over TLS with a password,
// and goes on after the connection broke.
func TestWatchBroker(t *testing.T) {
	u := rabbitBroker(t, nil)
	if u == "" {
		t.Skip("SKIPPED: no broker")
	}
	at, queue, _ := strings.Cut(strings.TrimPrefix(u, "rabbitmq://"), "/")
	conn, err := amqp.Dial("amqp://guest:guest@" + at)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	ch, err := conn.Channel()
	if err != nil {
		t.Fatal(err)
	}
	publish := func(format string, args ...any) {
		t.Helper()
		if err := ch.PublishWithContext(t.Context(), "", queue, true, false, amqp.Publishing{Body: fmt.Appendf(nil, format, args...)}); err != nil {
			t.Fatal(err)
		}
	}
	secure, authority, cut := tlsBefore(t, at)
	dir := t.TempDir()
	data, file := filepath.Join(dir, "data"), filepath.Join(dir, "ken.yaml")
	put(t, filepath.Join(dir, "ca.pem"), authority)
	put(t, file, fmt.Sprintf("version: 1\nsources:\n  - {name: crm, url: 'rabbitmq+tls://%s/%s', ca: ca.pem, user: guest, owner: user:me}\n", secure, queue))
	mustRun(t, ken(t, data, "ingest", "crm", "--config", file))

	watcher := ken(t, data, "watch", "--every", "1h")
	watcher.Env = append(watcher.Env, "KEN_SECRET_CRM=guest")
	watcher.Stderr = os.Stderr
	stdout, err := watcher.StdoutPipe()
	if err == nil {
		err = watcher.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewReader(stdout)
	changed := func() {
		t.Helper()
		if line, err := lines.ReadString('\n'); err != nil || !strings.Contains(line, " crm: 1 changed") {
			t.Fatalf("the watcher says %q, %v", line, err)
		}
	}
	publish(`{"id": "a.md", "version": 1, "text": "Parental leave is sixteen weeks."}`)
	changed()
	cut()
	publish(`{"id": "b.md", "version": 1, "text": "Parental leave begins on a Monday."}`)
	changed()
	publish(`{"op": "delete", "id": "a.md", "version": 2}`)
	changed()
	if err := watcher.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	if err := watcher.Wait(); err != nil {
		t.Errorf("the watcher ended with %v after an interrupt", err)
	}
	if all := exported(t, data, "crm"); len(all) != 1 || !strings.Contains(all["b.md"], "Monday") {
		t.Errorf("documents %v, want b.md alone", all)
	}
	if q, err := ch.QueueDeclarePassive(queue, true, false, false, false, nil); err != nil || q.Messages != 0 {
		t.Errorf("%d messages were not acknowledged, %v", q.Messages, err)
	}
}

// tlsBefore is a server that speaks TLS before another that does not, and the
// certificate of its authority. cut breaks its connections.
func tlsBefore(t *testing.T, to string) (address, authority string, cut func()) {
	t.Helper()
	host := httptest.NewTLSServer(nil) // for its certificate
	host.Close()
	l, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: host.TLS.Certificates})
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	var open []net.Conn
	cut = func() {
		mu.Lock()
		defer mu.Unlock()
		for _, c := range open {
			_ = c.Close()
		}
	}
	t.Cleanup(func() { l.Close(); cut() })
	go func() {
		for {
			in, err := l.Accept()
			if err != nil {
				return
			}
			out, err := net.Dial("tcp", to)
			if err != nil {
				in.Close()
				continue
			}
			mu.Lock()
			open = append(open, in, out)
			mu.Unlock()
			go func() { _, _ = io.Copy(out, in); out.Close() }()
			go func() { _, _ = io.Copy(in, out); in.Close() }()
		}
	}()
	return l.Addr().String(), string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: host.Certificate().Raw})), cut
}
