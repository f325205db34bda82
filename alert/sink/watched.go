package sink

import (
	"errors"
	"io"
	"net"
	"sync/atomic"
)

// watched is a connection whose receiver has nothing to say: a goroutine reads, so that
// its end is seen before the next write. With TLS 1.3 a refused client certificate shows
// there and nowhere else.
type watched struct {
	net.Conn
	gone chan struct{} // closed when reading ended
	why  atomic.Pointer[error]
}

var errClosed = errors.New("the receiver closed the connection")

func watch(c net.Conn) *watched {
	w := &watched{Conn: c, gone: make(chan struct{})}
	go w.read()
	return w
}

func (w *watched) read() {
	defer close(w.gone)
	b := make([]byte, 512)
	for {
		_, err := w.Conn.Read(b)
		if errors.Is(err, io.EOF) {
			err = errClosed
		}
		if err != nil {
			w.why.Store(&err)
			return
		}
	}
}

// err says why the connection is gone, nil if it is not as far as is known.
func (w *watched) err() error {
	select {
	case <-w.gone:
		return *w.why.Load()
	default:
		return nil
	}
}
