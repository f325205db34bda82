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
	ledgerAlerts = flag.Int("ledger-alerts", 2000, "alerts of the ledger test")
	ledgerKills  = flag.Int("ledger-kills", 6, "how often the ledger test kills the process")
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
// findings it does not remember, prints what is acknowledged to it, and ends when all is
// delivered.
func ledgerChild() {
	if err := raiseLedger(os.Args[1], os.Args[2], os.Args[3]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func raiseLedger(dir, config, number string) error {
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
	}
	return errors.Join(m.deliver(e.ctx, 3*time.Minute), m.close())
}

// TestLedger: whatever happens to the process, the receivers and the disk, each receiver
// that acknowledges has exactly what was acknowledged to the engine, in order, repeats
// with the same id, and what it refused for good lies with the dead letters.
func TestLedger(t *testing.T) {
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
	return []*receiver{file, newSocketReceiver(t, dir, "good", nil), newSocketReceiver(t, dir, "bad", func(id string) bool { return id[0] == '7' && id[1] < '4' })}
}

func runLedger(t *testing.T, dir, state string, disk *fillable, receivers []*receiver) {
	config := filepath.Join(dir, "config.yaml")
	writeLedgerConfig(t, config, receivers)
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	acked, full := map[string]bool{}, 0
	for round := range *ledgerKills {
		until := (round + 1) * *ledgerAlerts / (*ledgerKills + 1)
		mend := disturb(r, receivers, disk, round)
		killed := ledgerRound(t, state, config, acked, until, r, &full)
		mend()
		if !killed {
			break
		}
	}
	if ledgerRound(t, state, config, acked, -1, r, &full) {
		t.Fatal("the last round did not end by itself")
	}
	t.Logf("%d alerts were acknowledged before a kill could hide it; the full disk was met %d times", len(acked), full)
	if disk != nil && full == 0 && *ledgerKills > 1 {
		t.Error("the disk was never full when it mattered: the test does not test that")
	}
	checkLedger(t, state, acked, receivers)
}

// disturb harms a receiver, and now and then fills the disk for a while.
func disturb(r *rand.Rand, receivers []*receiver, disk *fillable, round int) (mend func()) {
	var mends []func()
	for _, v := range receivers {
		if v.disturb != nil && r.IntN(2) == 0 {
			mends = append(mends, v.disturb(r))
		}
	}
	if disk != nil && round%2 == 1 {
		begin := 0 // the process finds it full, or it fills up under it
		if round%4 == 3 {
			begin = 50 + r.IntN(500)
		}
		time.AfterFunc(time.Duration(begin)*time.Millisecond, func() {
			disk.fill()
			time.AfterFunc(time.Duration(300+r.IntN(900))*time.Millisecond, disk.free)
		})
	}
	return func() {
		for _, f := range mends {
			f()
		}
	}
}

// ledgerRound starts the process and kills it once so many alerts are acknowledged;
// never if that is negative. It says whether it killed it.
func ledgerRound(t *testing.T, state, config string, acked map[string]bool, until int, r *rand.Rand, full *int) (killed bool) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	c := exec.Command("ledger", state, config, fmt.Sprint(*ledgerAlerts))
	c.Path = self
	c.Args[0] = "ledger" // testscript.Main knows commands by their name
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	var log strings.Builder
	c.Stderr = &log
	link := filepath.Join(filepath.Dir(config), "ledger")
	if _, err := os.Lstat(link); err != nil {
		if err := os.Symlink(self, link); err != nil {
			t.Fatal(err)
		}
	}
	c.Path = link
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		acked[lines.Text()] = true
		if until >= 0 && len(acked) >= until && !killed {
			killed = true
			time.AfterFunc(time.Duration(r.IntN(30))*time.Millisecond, func() { _ = c.Process.Signal(syscall.SIGKILL) })
		}
	}
	err = c.Wait()
	*full += strings.Count(log.String(), "disk is full")
	if err != nil && !killed && strings.Contains(log.String(), "disk is full") { // as its supervisor would
		time.Sleep(100 * time.Millisecond)
		return ledgerRound(t, state, config, acked, until, r, full)
	}
	if err != nil && !killed {
		t.Fatalf("the process failed: %v\n%s", err, log.String())
	}
	return killed && c.ProcessState.ExitCode() == -1
}

// checkLedger holds what the receivers have against what was acknowledged.
func checkLedger(t *testing.T, state string, acked map[string]bool, receivers []*receiver) {
	t.Helper()
	if len(acked) > *ledgerAlerts {
		t.Errorf("%d alerts acknowledged, only %d were raised", len(acked), *ledgerAlerts)
	}
	desk, err := inventory.OpenDesk(context.Background(), state)
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
	for _, v := range receivers {
		want := map[string]bool{}
		for id := range all {
			if v.poison == nil || !v.poison(id) {
				want[id] = true
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
		if !want[row.ID] {
			t.Errorf("%s: has %s, which was not for it", v.name, row.ID)
		}
	}
	lost := 0
	for id := range want {
		if _, ok := first[id]; !ok {
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
	t.Logf("%-6s %d alerts, %d repeats (%.2f %%), %d dead letters", v.name, len(first), len(rows)-len(first), 100*float64(len(rows)-len(first))/float64(max(len(first), 1)), len(letters))
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
