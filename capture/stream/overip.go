package stream

import (
	"errors"
	"fmt"
	"net"
	"time"
)

// pcap-over-IP is a capture sent over TCP without any framing, from either side.

const (
	dialTimeout = 10 * time.Second
	firstPause  = time.Second
	longPause   = 30 * time.Second
	maxStreams  = 64 // connections at once
)

// Dial returns a Feed of the capture that the server at addr sends. A connection that
// cannot be made, or ends, is tried again, after longer and longer pauses.
func Dial(addr string, conf Config) (*Feed, error) {
	if _, _, err := net.SplitHostPort(addr); err != nil {
		return nil, fmt.Errorf("pcap-over-IP: %w: write it like 192.0.2.1:57012", err)
	}
	conf = conf.withDefaults()
	f := newFeed(conf.Wait, conf.Told)
	f.run(func() {
		for pause := firstPause; !f.closed(); pause = min(2*pause, longPause) {
			if err := f.dial(addr, conf); err != nil {
				f.told(fmt.Errorf("pcap-over-IP from %s: %w", addr, err))
			} else {
				pause = firstPause
			}
			if !f.pause(pause) {
				return
			}
		}
	})
	f.finish()
	return f, nil
}

// dial reads one connection to its end. The error is nil if there was a capture.
func (f *Feed) dial(addr string, conf Config) error {
	conn, err := net.DialTimeout("tcp", addr, dialTimeout)
	if err != nil {
		return fmt.Errorf("connecting: %w", err)
	}
	if !f.hold(conn) {
		return conn.Close()
	}
	defer f.leave(conn)
	if err := f.copy(conn, conf.Open); err != nil && !f.closed() {
		return err
	}
	if !f.closed() {
		f.told(fmt.Errorf("pcap-over-IP from %s: the connection has ended: it is made again", addr))
	}
	return nil
}

// Accept returns a Feed of the captures that clients send to addr, and the address it
// listens on.
func Accept(addr string, conf Config) (*Feed, net.Addr, error) {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, nil, fmt.Errorf("listening for pcap-over-IP: %w", err)
	}
	conf = conf.withDefaults()
	f := newFeed(conf.Wait, conf.Told)
	f.hold(l)
	room := make(chan struct{}, maxStreams)
	f.run(func() {
		for {
			conn, err := l.Accept()
			switch {
			case errors.Is(err, net.ErrClosed):
				return
			case err != nil:
				f.told(fmt.Errorf("listening for pcap-over-IP: %w", err))
				if !f.pause(firstPause) {
					return
				}
				continue
			}
			select {
			case room <- struct{}{}:
				f.run(func() { f.serve(conn, conf); <-room })
			default:
				f.told(fmt.Errorf("pcap-over-IP from %s: refused: there are %d connections already", conn.RemoteAddr(), maxStreams))
				_ = conn.Close()
			}
		}
	})
	f.finish()
	return f, l.Addr(), nil
}

// serve reads one accepted connection to its end.
func (f *Feed) serve(conn net.Conn, conf Config) {
	if !f.hold(conn) {
		_ = conn.Close()
		return
	}
	defer f.leave(conn)
	if err := f.copy(conn, conf.Open); err != nil && !f.closed() {
		f.told(fmt.Errorf("pcap-over-IP from %s: %w", conn.RemoteAddr(), err))
	}
}
