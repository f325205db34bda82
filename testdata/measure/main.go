// Command measure tells what a live capture costs: it makes a network namespace with a
// veth pair, sends a capture through it at given rates with tcpreplay, and has readers
// take turns at the other end. It prints, for each, the user and system time a packet
// and what was lost. It needs root, iproute2, tcpreplay and tcpdump.
//
//	go build -o bin/ ./testdata/measure ./cmd/telltale
//	bin/measure -telltale bin/telltale -rates 50000,100000,0 capture.pcap
//
// The readers: tcpdump -w /dev/null; measure itself, which is our ring read without
// decoding; telltale run with one worker; and any given with -also, in which vb is the
// interface, as "bin/measure -headers -read vb".
package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"time"

	"telltale/capture"
	"telltale/capture/afpacket"
	"telltale/capture/decode"
)

const namespace = "telltale-measure"

func main() {
	read := flag.String("read", "", "read this interface bare until SIGTERM (used by measure itself)")
	headers := flag.Bool("headers", false, "with -read, decode the headers of each packet")
	telltale := flag.String("telltale", "bin/telltale", "the program measured")
	rates := flag.String("rates", "50000,100000,200000,0", "packets a second; 0 is as fast as can be")
	packets := flag.Int("packets", 300000, "packets of each turn, about")
	turns := flag.Int("turns", 3, "turns of each reader at each rate")
	ring := flag.Int("ring", 64, "MiB of ring for every reader")
	also := flag.String("also", "", "another reader's command line")
	flag.Parse()
	var err error
	if *read != "" {
		err = bare(*read, *ring, *headers)
	} else {
		m := meter{packets: *packets, turns: *turns, file: flag.Arg(0)}
		m.readers = [][]string{
			{"tcpdump", "-i", "vb", "-n", "-B", strconv.Itoa(*ring << 10), "-w", "/dev/null"},
			{os.Args[0], "-ring", strconv.Itoa(*ring), "-read", "vb"},
			{*telltale, "run", "-i", "vb", "-j", "1", "--ring", strconv.Itoa(*ring), "-o", "/dev/null", "--facts=0"},
		}
		if *also != "" {
			m.readers = append(m.readers, strings.Fields(*also))
		}
		err = m.all(strings.Split(*rates, ","))
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "measure:", err)
		os.Exit(1)
	}
}

// bare reads an interface through our ring and looks at one byte of each packet, or at
// its headers.
func bare(name string, ring int, headers bool) error {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	i, err := afpacket.Open(afpacket.Config{Interface: name, Bytes: ring << 20})
	if err != nil {
		return err
	}
	src := i.Sources()[0]
	var b capture.Batch
	sum := 0
	d := decode.New(decode.Config{})
	var seg decode.Segment
	for ctx.Err() == nil {
		if err := src.Next(&b); err != nil {
			return err
		}
		for k := range b.Packets {
			sum += int(b.Packets[k].Data[0])
			if headers {
				sum += int(d.Decode(&b.Packets[k], &seg))
			}
		}
	}
	fmt.Fprintf(os.Stderr, "%d packets, %d dropped (%d)\n", src.Stats().Packets, src.Stats().Dropped, sum)
	return i.Close()
}

type meter struct {
	packets, turns int
	file           string
	readers        [][]string
	inFile         int                 // packets in file
	idle           map[string][2]int64 // nanoseconds of each reader that has nothing to read
}

// all measures every reader at every rate, in turns.
func (m *meter) all(rates []string) error {
	_ = do("ip", "netns", "del", namespace)
	err := errors.Join(do("ip", "netns", "add", namespace),
		do("ip", "-n", namespace, "link", "add", "va", "type", "veth", "peer", "name", "vb"))
	defer func() { _ = do("ip", "netns", "del", namespace) }()
	for _, dev := range []string{"va", "vb"} {
		err = errors.Join(err, do("ip", "-n", namespace, "link", "set", dev, "mtu", "65000", "up"))
	}
	if err != nil {
		return err
	}
	time.Sleep(time.Second)
	sent, err := m.send("10000", 1)
	if err != nil {
		return err
	}
	m.inFile = max(sent, 1)
	m.idle = map[string][2]int64{}
	for _, r := range m.readers {
		user, system, _, err := m.use(r, func() error { return nil })
		if err != nil {
			return err
		}
		m.idle[strings.Join(r, " ")] = [2]int64{user, system}
	}
	fmt.Println("rate asked\treader\tsent/s\tpackets\tlost\tuser ns/packet\tsystem ns/packet")
	for _, rate := range rates {
		for range m.turns {
			for _, r := range m.readers {
				if err := m.turn(rate, r); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

var sentCount = regexp.MustCompile(`Actual: (\d+) packets`)

// send replays the file n times and returns how many packets were sent.
func (m *meter) send(rate string, n int) (int, error) {
	speed := "--pps=" + rate
	if rate == "0" {
		speed = "--topspeed"
	}
	out, err := in("tcpreplay", "-q", "-K", "-i", "va", speed, "--loop="+strconv.Itoa(n), m.file).CombinedOutput()
	if err != nil {
		return 0, fmt.Errorf("tcpreplay: %w: %s", err, out)
	}
	got := sentCount.FindSubmatch(out)
	if got == nil {
		return 0, fmt.Errorf("tcpreplay did not say what it sent: %s", out)
	}
	return strconv.Atoi(string(got[1]))
}

// lostCount finds what a reader says of packets it did not get.
var lostCount = regexp.MustCompile(`([\d,]+) (?:packets dropped by kernel|dropped)`)

// turn has one reader read at one rate.
func (m *meter) turn(rate string, command []string) error {
	var sent int
	var took time.Duration
	user, system, text, err := m.use(command, func() (err error) {
		began := time.Now()
		sent, err = m.send(rate, max(m.packets/m.inFile, 1))
		took = time.Since(began)
		return err
	})
	if err != nil {
		return err
	}
	lost := "?"
	if got := lostCount.FindStringSubmatch(text); got != nil {
		lost = got[1]
	}
	idle := m.idle[strings.Join(command, " ")]
	fmt.Printf("%s\t%s\t%.0f\t%d\t%s\t%d\t%d\n", rate, command[0], float64(sent)/took.Seconds(), sent, lost,
		(user-idle[0])/int64(sent), (system-idle[1])/int64(sent))
	return nil
}

// use runs a reader while do is done and returns its user and system time in
// nanoseconds and what it wrote.
func (m *meter) use(command []string, do func() error) (user, system int64, text string, err error) {
	cmd := in(command...)
	var out bytes.Buffer
	cmd.Stderr = &out
	if err := cmd.Start(); err != nil {
		return 0, 0, "", err
	}
	time.Sleep(2 * time.Second)
	failed := do()
	time.Sleep(500 * time.Millisecond)
	_ = cmd.Process.Signal(syscall.SIGTERM)
	if err := cmd.Wait(); err != nil {
		return 0, 0, "", fmt.Errorf("%s: %w: %s", command[0], err, out.String())
	}
	st := cmd.ProcessState
	return st.UserTime().Nanoseconds(), st.SystemTime().Nanoseconds(), out.String(), failed
}

func in(args ...string) *exec.Cmd {
	return exec.Command("ip", append([]string{"netns", "exec", namespace}, args...)...)
}

func do(args ...string) error {
	if out, err := exec.Command(args[0], args[1:]...).CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w: %s", strings.Join(args, " "), err, out)
	}
	return nil
}
