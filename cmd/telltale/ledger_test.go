package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/goccy/go-yaml"

	"telltale/alert"
	"telltale/alert/sink"
	"telltale/detect"
	"telltale/feeds"
	"telltale/inventory"
)

var (
	ledgerAlerts = flag.Int("ledger-alerts", 3000, "alerts of the ledger test")
	ledgerKills  = flag.Int("ledger-kills", 3, "how often the ledger test kills the process")
	ledgerLinger = flag.Duration("ledger-linger", 1500*time.Millisecond, "how long the process may live on before it is killed")
)

// ledgerRow is what the ledger keeps of an alert, by whichever format it went.
type ledgerRow struct {
	ID  string
	Seq uint64
}

// receiver is one kind of receiver in the ledger test. To add one, make an Entry for the
// configuration and say how to read back what it has.
type receiver struct {
	name string
	// entry is its item of the list sinks, as YAML.
	entry string
	// socket is set for the receiver of this test, which has no type.
	socket *socketReceiver
	// received returns all that it has, in the order it came.
	received func(t *testing.T) []ledgerRow
	// poison says which alerts it refuses for good.
	poison func(id string) bool
	// disturb does it harm until the returned function is called. Nil harms it not.
	disturb func(r *rand.Rand) (mend func())
	// unordered receivers answer for single records.
	unordered bool
	// lossy receivers do not acknowledge: what was on its way when trouble came may be lost.
	lossy bool
}

// ledgerAlert makes the n-th alert of the ledger and its finding.
func ledgerAlert(m *alert.Maker, n int) (*alert.Alert, *detect.State) {
	f := &detect.Finding{
		ID: fmt.Sprintf("%024x", n), Topic: detect.AboutVendor, Class: feeds.Installed, Vendor: "kaspersky",
		Host: detect.Host{Addr: netip.AddrFrom4([4]byte{10, byte(n >> 16), byte(n >> 8), byte(n)})}, Attempts: 1,
		FirstSeen: int64(n + 1), LastSeen: int64(n + 1), Names: []string{"s00.upd.kaspersky.com"},
		Facts: []detect.Fact{{Text: "request to s00.upd.kaspersky.com [update, high confidence]", Indicator: "kaspersky:suffix:upd.kaspersky.com"}},
	}
	a := m.Change(detect.Change{Kind: detect.Opened, Time: int64(n + 1), Packet: uint64(n + 1), Finding: f})
	return a, &detect.State{ID: f.ID, Vendor: f.Vendor, Class: f.Class, Host: f.Host, FirstSeen: f.FirstSeen, LastSeen: f.LastSeen, Opened: true}
}

// ledgerChild is the process that is killed: it raises those alerts of the ledger whose
// findings it does not remember, and prints what is acknowledged to it. The last one ends
// when all is delivered; others wait to be killed.
func ledgerChild() {
	stays := len(os.Args) > 4
	pace := time.Duration(0)
	if stays {
		pace, _ = time.ParseDuration(os.Args[4])
	}
	err := raiseLedger(os.Args[1], os.Args[2], os.Args[3], pace)
	if stays && !strings.Contains(fmt.Sprint(err), "disk is full") {
		time.Sleep(time.Hour)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func raiseLedger(dir, config, number string, pace time.Duration) error {
	var count int
	var conf struct {
		Sinks   []sink.Entry `yaml:"sinks"`
		Sockets []string     `yaml:"sockets"`
	}
	if _, err := fmt.Sscan(number, &count); err != nil {
		return err
	}
	text, err := os.ReadFile(config)
	if err != nil {
		return err
	}
	if err := yaml.Unmarshal(text, &conf); err != nil {
		return err
	}
	targets, err := sink.Targets(conf.Sinks)
	if err != nil {
		return err
	}
	for _, path := range conf.Sockets {
		targets = append(targets, socketTarget(path))
	}
	e := &env{ctx: context.Background(), log: newLogger(os.Stderr, "console", false)}
	out := bufio.NewWriter(os.Stdout)
	maker := alert.Maker{Sensor: "ledger", Packs: "0"}
	m, err := newMemory(e, targets, inventory.Config{Dir: dir, Maker: maker, Wait: true, Queue: 64, Committed: func(list []*alert.Alert) {
		for _, a := range list {
			fmt.Fprintln(out, a.ID)
		}
		_ = out.Flush()
	}})
	if err != nil {
		return err
	}
	list, err := m.store.Findings(e.ctx)
	if err != nil {
		return err
	}
	known := map[string]bool{}
	for _, s := range list {
		known[s.ID] = true
	}
	for n := range count {
		a, state := ledgerAlert(&maker, n)
		if known[state.ID] {
			continue
		}
		if err := m.store.Put(e.ctx, a, state); err != nil {
			return err
		}
		time.Sleep(pace)
	}
	return errors.Join(m.deliver(e.ctx, 10*time.Minute), m.close())
}

// TestLedger: whatever happens to the process, the receivers and the disk, each receiver
// that acknowledges has exactly what was acknowledged to the engine, in order, repeats
// with the same id, and what it refused for good lies with the dead letters.
func TestLedger(t *testing.T) {
	if testing.Short() {
		*ledgerAlerts, *ledgerKills, *ledgerLinger = min(*ledgerAlerts, 800), min(*ledgerKills, 2), 300*time.Millisecond
	}
	if os.Getuid() == 0 && !inNamespace() {
		again(t) // where a disk of its own can be filled
		return
	}
	dir := t.TempDir()
	state := filepath.Join(dir, "state")
	disk := smallDisk(t, state, 12+*ledgerAlerts/200)
	runLedger(t, dir, state, disk, ledgerReceivers(t, dir))
}

// ledgerReceivers are all there are.
func ledgerReceivers(t *testing.T, dir string) []*receiver {
	path := filepath.Join(dir, "alerts.jsonl")
	file := &receiver{
		name: "file", entry: fmt.Sprintf("{name: file, type: file, rotate_mib: 1, path: %s}", path),
		received: func(t *testing.T) []ledgerRow { return rowsOfFiles(t, path) },
	}
	list := []*receiver{
		file, newSocketReceiver(t, dir, "good", nil), newSocketReceiver(t, dir, "bad", func(id string) bool { return id[0] == '7' && id[1] < '4' }),
		natsReceiver(t), hecReceiver(t), bulkReceiver(t),
	}
	for name, f := range map[string]func(*testing.T) *receiver{"RELP": relpReceiver, "syslog over TLS": tlsReceiver} {
		if r := f(t); r != nil {
			list = append(list, r)
		} else {
			t.Logf("NOT TESTED: %s into rsyslogd, which is not installed: apt-get install rsyslog rsyslog-gnutls rsyslog-relp", name)
		}
	}
	return list
}

func runLedger(t *testing.T, dir, state string, disk *fillable, receivers []*receiver) {
	config := filepath.Join(dir, "config.yaml")
	writeLedgerConfig(t, config, receivers)
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	l := &ledger{dir: dir, state: state, config: config, rand: r, acked: map[string]bool{}}
	part := *ledgerAlerts / (*ledgerKills + 1)
	for round := range *ledgerKills {
		mend := disturb(r, receivers, disk, round)
		l.kill(t, (round+1)*part-part/2, (round+1)*part)
		mend()
	}
	l.run(t)
	t.Logf("%d alerts were acknowledged before a kill could hide it; the full disk was met %d times", len(l.acked), l.full)
	if disk != nil && l.full == 0 && *ledgerKills >= 10 { // of few rounds, all may miss it
		t.Error("the disk was never full when it mattered: the test does not test that")
	}
	checkLedger(t, l, *ledgerKills*part, receivers)
}

// disturb harms a receiver, and now and then fills the disk for a while.
func disturb(r *rand.Rand, receivers []*receiver, disk *fillable, round int) (mend func()) {
	var mends []func()
	for _, v := range receivers {
		if v.disturb != nil && r.IntN(4) > 0 {
			mends = append(mends, v.disturb(r))
		}
	}
	if disk != nil && round%2 == 1 {
		begin := 0 // the process finds it full, or it fills up under it
		if round%4 == 3 {
			begin = 50 + r.IntN(500)
		}
		lasts := 300*time.Millisecond + time.Duration(r.Int64N(int64(*ledgerLinger)))
		time.AfterFunc(time.Duration(begin)*time.Millisecond, func() {
			disk.fill()
			time.AfterFunc(lasts, disk.free)
		})
	}
	return func() {
		for _, f := range mends {
			f()
		}
	}
}

// ledger is what is acknowledged to the process over all its lives.
type ledger struct {
	dir, state, config string
	rand               *rand.Rand
	acked              map[string]bool
	full               int // times the full disk was met
}

// kill starts the process, which raises the first so many alerts, and kills it some time
// after the number until is acknowledged.
func (l *ledger) kill(t *testing.T, until, count int) {
	t.Helper()
	after := time.Duration(l.rand.IntN(30)) * time.Millisecond
	pace := time.Duration(0) // all at once
	if l.rand.IntN(3) > 0 {
		after = time.Duration(l.rand.Int64N(int64(*ledgerLinger)))
		pace = *ledgerLinger / time.Duration(count-until) / 2
	}
	for range 100 {
		var once sync.Once
		log, err := l.life(t, []string{fmt.Sprint(count), pace.String()}, func(c *exec.Cmd) {
			if len(l.acked) >= until {
				once.Do(func() { time.AfterFunc(after, func() { _ = c.Process.Signal(syscall.SIGKILL) }) })
			}
		})
		if c := (*exec.ExitError)(nil); errors.As(err, &c) && c.ExitCode() == -1 {
			return
		}
		if !strings.Contains(log, "disk is full") {
			t.Fatalf("the process failed: %v\n%s", err, log)
		}
		time.Sleep(100 * time.Millisecond) // as its supervisor would
	}
	t.Fatal("the process never lived to be killed")
}

// run starts the process for the last time: it raises the rest and delivers all.
func (l *ledger) run(t *testing.T) {
	t.Helper()
	for {
		log, err := l.life(t, []string{fmt.Sprint(*ledgerAlerts)}, func(*exec.Cmd) {})
		if err == nil {
			return
		}
		if !strings.Contains(log, "disk is full") {
			t.Fatalf("the process failed: %v\n%s", err, log)
		}
		time.Sleep(100 * time.Millisecond)
	}
}

// life is one life of the process; acked is called with it for each alert acknowledged.
func (l *ledger) life(t *testing.T, args []string, acked func(*exec.Cmd)) (log string, err error) {
	t.Helper()
	c := itself(t, l.dir, "ledger", append([]string{l.state, l.config}, args...)...)
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	c.Stderr = &text
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	acked(c) // all may be acknowledged already
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		l.acked[lines.Text()] = true
		acked(c)
	}
	err = c.Wait()
	l.full += strings.Count(text.String(), "disk is full")
	return text.String(), err
}

// itself is this program as the command of that name, which testscript.Main knows.
func itself(t *testing.T, dir, name string, args ...string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(dir, name)
	if _, err := os.Lstat(link); err != nil {
		if err := os.Symlink(self, link); err != nil {
			t.Fatal(err)
		}
	}
	return exec.Command(link, args...)
}

// checkLedger holds what the receivers have against what was acknowledged.
// Of the alerts after the first so many none had any trouble.
func checkLedger(t *testing.T, l *ledger, troubled int, receivers []*receiver) {
	t.Helper()
	desk, err := inventory.OpenDesk(context.Background(), l.state)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = desk.Close() }()
	all := map[string]bool{}
	m := alert.Maker{Sensor: "ledger", Packs: "0"}
	for n := range *ledgerAlerts {
		a, _ := ledgerAlert(&m, n)
		all[a.ID] = true
	}
	for id := range l.acked {
		if !all[id] {
			t.Errorf("%s was acknowledged and never raised", id)
		}
	}
	for _, v := range receivers {
		want := map[string]bool{} // whether trouble excuses its loss
		for n := range *ledgerAlerts {
			if a, _ := ledgerAlert(&m, n); v.poison == nil || !v.poison(a.ID) {
				want[a.ID] = v.lossy && n < troubled
			}
		}
		letters, err := desk.Dead(context.Background(), v.name, 1<<30)
		if err != nil {
			t.Fatal(err)
		}
		checkReceiver(t, v, want, letters)
		if len(letters) != len(all)-len(want) {
			t.Errorf("%s: %d dead letters, %d were poison", v.name, len(letters), len(all)-len(want))
		}
	}
}

func checkReceiver(t *testing.T, v *receiver, want map[string]bool, letters []inventory.Letter) {
	rows := v.received(t)
	first := map[string]uint64{}
	last, late := uint64(0), 0
	for _, row := range rows {
		if seq, again := first[row.ID]; again {
			if seq != row.Seq {
				t.Errorf("%s: alert %s came as %d and as %d", v.name, row.ID, seq, row.Seq)
			}
			continue
		}
		first[row.ID] = row.Seq
		if row.Seq < last {
			late++
		}
		last = max(last, row.Seq)
		if _, ok := want[row.ID]; !ok {
			t.Errorf("%s: has %s, which was not for it", v.name, row.ID)
		}
	}
	lost, excused := 0, 0
	for id, excuse := range want {
		switch _, ok := first[id]; {
		case !ok && excuse:
			excused++
		case !ok:
			lost++
		}
	}
	if lost > 0 {
		t.Errorf("%s: %d of %d alerts are lost", v.name, lost, len(want))
	}
	if late > 0 && !v.unordered {
		t.Errorf("%s: %d alerts came out of order", v.name, late)
	}
	for _, l := range letters {
		if l.Alert == nil || v.poison == nil || !v.poison(l.Alert.ID) {
			t.Errorf("%s: dead letter %d was no poison", v.name, l.Number)
		}
	}
	again := len(rows) - len(first)
	text := fmt.Sprintf("%-6s %d alerts, %d repeats (%.2f %%), %d dead letters", v.name, len(first), again, 100*float64(again)/float64(max(len(first), 1)), len(letters))
	if v.lossy {
		text += fmt.Sprintf(", %d lost in trouble (%.2f %%): it does not acknowledge", excused, 100*float64(excused)/float64(len(want)))
	}
	if late > 0 {
		text += fmt.Sprintf(", %d after a later one", late)
	}
	t.Log(text)
}

func writeLedgerConfig(t *testing.T, path string, receivers []*receiver) {
	t.Helper()
	var entries, sockets strings.Builder
	for _, v := range receivers {
		if v.socket != nil {
			fmt.Fprintf(&sockets, "  - %s\n", v.socket.path)
		} else {
			fmt.Fprintf(&entries, "  - %s\n", v.entry)
		}
	}
	text := "sinks:\n" + entries.String()
	if sockets.Len() > 0 {
		text += "sockets:\n" + sockets.String()
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// rowsOfFiles reads native alerts from a file and those put aside before it.
func rowsOfFiles(t *testing.T, path string) (rows []ledgerRow) {
	t.Helper()
	list, _ := filepath.Glob(path + ".*")
	slices.Sort(list)
	for _, name := range append(list, path) {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(b)) {
			rows = append(rows, nativeRow(t, line))
		}
	}
	return rows
}

func nativeRow(t *testing.T, line string) (row ledgerRow) {
	t.Helper()
	if err := json.Unmarshal([]byte(line), &row); err != nil || !strings.HasSuffix(line, "\n") {
		t.Fatalf("not a whole alert: %v\n%q", err, line)
	}
	return row
}

// fillable is a small disk.
type fillable struct {
	mu  sync.Mutex
	dir string
}

func (d *fillable) fill() {
	d.mu.Lock()
	defer d.mu.Unlock()
	f, err := os.Create(filepath.Join(d.dir, "filler"))
	if err != nil {
		return
	}
	defer func() { _ = f.Close() }()
	_, _ = io.Copy(f, zeros{}) // until there is no room
}

func (d *fillable) free() {
	d.mu.Lock()
	defer d.mu.Unlock()
	_ = os.Remove(filepath.Join(d.dir, "filler"))
}

type zeros struct{}

func (zeros) Read(b []byte) (int, error) { return len(b), nil }
