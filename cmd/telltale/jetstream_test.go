package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// natsChild is the real server as a process that can be killed.
func natsChild() {
	port, err := strconv.Atoi(os.Args[1])
	if err == nil {
		var s *server.Server
		s, err = server.NewServer(&server.Options{Host: "127.0.0.1", Port: port, JetStream: true, StoreDir: os.Args[2], NoSigs: true})
		if err == nil {
			s.Start()
			s.WaitForShutdown()
		}
	}
	fmt.Fprintln(os.Stderr, errors.Join(errors.New("the server ended"), err))
	os.Exit(1)
}

// natsReceiver is a real NATS server with a stream.
func natsReceiver(t *testing.T) *receiver {
	addr, dir := freeAddr(t), t.TempDir()
	_, port, _ := net.SplitHostPort(addr)
	k := &killable{t: t, addr: addr, command: func() *exec.Cmd { return itself(t, dir, "natsd", port, filepath.Join(dir, "store")) }}
	k.start()
	t.Cleanup(k.kill)
	conf := jetstream.StreamConfig{Name: "ALERTS", Subjects: []string{"telltale.alerts.*"}}
	onStream(t, addr, func(ctx context.Context, js jetstream.JetStream) error {
		_, err := js.CreateStream(ctx, conf)
		return err
	})
	g := newGate(t, addr)
	return &receiver{
		name: "nats", entry: fmt.Sprintf(`{name: nats, type: nats, timeout: 2s, url: "nats://%s"}`, g.addr),
		disturb: func(r *rand.Rand) func() { return g.disturb(r, func(*rand.Rand) func() { k.kill(); return k.start }) },
		received: func(t *testing.T) (rows []ledgerRow) {
			onStream(t, addr, func(ctx context.Context, js jetstream.JetStream) (err error) {
				rows, err = natsRows(ctx, t, js)
				return err
			})
			return rows
		},
	}
}

// onStream does f on a connection of its own, once JetStream is ready.
func onStream(t *testing.T, addr string, f func(context.Context, jetstream.JetStream) error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	conn, err := nats.Connect("nats://" + addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	js, err := jetstream.New(conn)
	if err != nil {
		t.Fatal(err)
	}
	for tries := 0; ; tries++ {
		if err = f(ctx, js); err == nil {
			return
		}
		if tries > 20 {
			t.Fatal(err)
		}
		time.Sleep(100 * time.Millisecond)
	}
}

func natsRows(ctx context.Context, t *testing.T, js jetstream.JetStream) (rows []ledgerRow, err error) {
	stream, err := js.Stream(ctx, "ALERTS")
	if err != nil {
		return nil, err
	}
	c, err := stream.OrderedConsumer(ctx, jetstream.OrderedConsumerConfig{})
	if err != nil {
		return nil, err
	}
	info, err := stream.Info(ctx)
	if err != nil {
		return nil, err
	}
	messages, err := c.Messages()
	if err != nil {
		return nil, err
	}
	defer messages.Stop()
	for range info.State.Msgs {
		m, err := messages.Next()
		if err != nil {
			return nil, err
		}
		rows = append(rows, nativeRow(t, string(m.Data())+"\n"))
	}
	return rows, nil
}
