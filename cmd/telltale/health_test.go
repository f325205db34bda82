package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"

	"telltale/capture"
	"telltale/capture/flow"
	"telltale/capture/pcapfile"
)

// shared is a buffer that one goroutine writes and another reads.
type shared struct {
	mu  sync.Mutex
	buf bytes.Buffer // guarded by mu
}

func (s *shared) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.buf.Write(b)
}

func (s *shared) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.buf.String()
}

// until waits for a match of pattern in what is written after the first skip bytes, and
// returns the place behind it.
func (s *shared) until(t *testing.T, pattern string, skip int) int {
	t.Helper()
	re := regexp.MustCompile(pattern)
	for began := time.Now(); time.Since(began) < 20*time.Second; time.Sleep(10 * time.Millisecond) {
		if m := re.FindStringIndex(s.String()[skip:]); m != nil {
			return skip + m[1]
		}
	}
	t.Fatalf("%q did not come:\n%s", pattern, s.String()[skip:])
	return 0
}

// transfer returns the packets of a TCP connection of so many segments to the client,
// each acknowledged, without those that lose names.
func transfer(t *testing.T, port layers.TCPPort, segments int, lose func(n int) bool) (all [][]byte) {
	t.Helper()
	payload := make([]byte, 1400)
	frame := func(fromServer bool, tcp layers.TCP, data []byte) {
		client, server := []byte{10, 9, 0, 1}, []byte{192, 0, 2, 9}
		eth := layers.Ethernet{SrcMAC: []byte{2, 0, 0, 0, 0, 1}, DstMAC: []byte{2, 0, 0, 0, 0, 2}, EthernetType: layers.EthernetTypeIPv4}
		ip := layers.IPv4{Version: 4, TTL: 64, Protocol: layers.IPProtocolTCP, SrcIP: client, DstIP: server}
		tcp.SrcPort, tcp.DstPort, tcp.Window = port, 9999, 65535
		if fromServer {
			ip.SrcIP, ip.DstIP, tcp.SrcPort, tcp.DstPort = server, client, 9999, port
		}
		b := gopacket.NewSerializeBuffer()
		if err := gopacket.SerializeLayers(b, gopacket.SerializeOptions{FixLengths: true}, &eth, &ip, &tcp, gopacket.Payload(data)); err != nil {
			t.Fatal(err)
		}
		all = append(all, b.Bytes())
	}
	frame(false, layers.TCP{SYN: true, Seq: 100}, nil)
	frame(true, layers.TCP{SYN: true, ACK: true, Seq: 500, Ack: 101}, nil)
	seq := uint32(501)
	for n := range segments {
		if !lose(n) {
			frame(true, layers.TCP{ACK: true, Seq: seq, Ack: 101}, payload)
		}
		seq += uint32(len(payload))
		frame(false, layers.TCP{ACK: true, Seq: 101, Ack: seq}, nil)
	}
	return all
}

// TestHealthAlerts: loss before the sensor and silence are told, and told to be over.
func TestHealthAlerts(t *testing.T) {
	r, w := io.Pipe()
	var alerts, errs shared
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	done := make(chan int)
	go func() {
		done <- run([]string{"run", "-r", "-", "--stats-every", "1s", "--silent-after", "2s"},
			&env{ctx: ctx, stdin: r, stdout: &alerts, stderr: &errs, exit: func(int) {}})
	}()
	out, err := pcapfile.NewWriter(w, capture.LinkEthernet, false)
	if err != nil {
		t.Fatal(err)
	}
	send := func(frames [][]byte) {
		t.Helper()
		for _, f := range frames {
			p := capture.Packet{Time: time.Now().UnixNano(), Data: f, Length: uint32(len(f)), Link: capture.LinkEthernet}
			if err := out.Write(&p); err != nil {
				t.Fatal(err)
			}
		}
	}
	const segments = 3000 // 4 MiB
	send(transfer(t, 1, segments, func(n int) bool { return n%20 == 0 }))
	at := alerts.until(t, `"health\.loss".*[45]\.\d % of what hosts acknowledged in 1s was never seen here: packets are lost before the sensor`, 0)
	at = alerts.until(t, `"health\.silent".*standard input: no packet for 2s`, at)
	if text := alerts.String(); strings.Contains(text, "arrive whole again") {
		t.Errorf("silence is taken for the end of loss:\n%s", text)
	}
	send(transfer(t, 2, segments, func(int) bool { return false }))
	alerts.until(t, `"health\.silent".*standard input: packets come again`, at)
	alerts.until(t, `"health\.loss".*0\.0 % .*: packets arrive whole again`, at)
	stop()
	_ = w.Close()
	if status := <-done; status != exitOK {
		t.Errorf("exit status %d\n%s", status, errs.String())
	}
	validate(t, alertSchema(t), alerts.String())
}

// stuck is a source whose first read does not return before it is closed.
type stuck struct{ closed chan struct{} }

func (s stuck) Next(*capture.Batch) error { <-s.closed; return io.EOF }
func (stuck) Stats() capture.Stats        { return capture.Stats{} }
func (s stuck) Close() error              { close(s.closed); return nil }

// TestDeadWorker: a worker that stands still ends the process and says so; one that waits
// for packets, or has ended, does not.
func TestDeadWorker(t *testing.T) {
	src := stuck{make(chan struct{})}
	live, err := flow.NewLive(flow.LiveConfig{Sources: []capture.Source{src}, Clock: func() int64 { return time.Now().UnixNano() }})
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error)
	go func() { done <- live.Run(context.Background(), func(*capture.Observation) error { return nil }) }()
	var errs shared
	var exits []int
	d := &daemon{
		env: &env{log: newDaemonLogger(&errs, "console", false), exit: func(status int) { exits = append(exits, status) }},
		in:  &inputs{list: []liveInput{{"eth7/0", src}}}, live: live,
	}
	for live.Workers()[0].Turns == 0 {
		time.Sleep(time.Millisecond)
	}
	alive, now := pulse{}, time.Now()
	d.hung(alive, now)
	d.hung(alive, now.Add(hangs))
	if len(exits) != 0 {
		t.Fatalf("the process ended after %s: %s", hangs, errs.String())
	}
	d.hung(alive, now.Add(hangs+time.Second))
	want := fmt.Sprintf("error: telltale: the worker of eth7/0 does nothing for %s: the process ends, to be started again", hangs)
	if len(exits) != 1 || exits[0] != exitFailed || !strings.Contains(errs.String(), want) {
		t.Errorf("exits %v, log %q", exits, errs.String())
	}
	_ = src.Close()
	if err := <-done; err != nil {
		t.Error(err)
	}
	d.hung(alive, now.Add(3*hangs))
	d.hung(alive, now.Add(5*hangs))
	if len(exits) != 1 {
		t.Error("a source that has ended is taken for a worker that hangs")
	}
}
