package main

import (
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/url"
	"os"
	"runtime"
	"strings"
	"time"

	"go.uber.org/zap"

	"telltale/capture"
	"telltale/capture/afpacket"
	"telltale/capture/decode"
	"telltale/capture/flow"
	"telltale/capture/pcapfile"
	"telltale/capture/stream"
)

// liveFlags say what is listened to and how.
type liveFlags struct {
	Interface  []string      `short:"i" help:"Capture from these network interfaces; 'any' is all." placeholder:"NAME"`
	Listen     []string      `help:"Take mirrored traffic sent to this host: vxlan://, geneve:// or tzsp://ADDRESS[:PORT], gre:// or erspan://ADDRESS; or captures from clients: pcap://ADDRESS:PORT." placeholder:"URL"`
	PcapOverIP []string      `name:"pcap-over-ip" help:"Read a capture from a server." placeholder:"HOST:PORT"`
	WatchDir   []string      `help:"Read captures that appear in a directory, each when it is finished." placeholder:"DIR"`
	Growing    bool          `help:"With --watch-dir, read the newest file while it is written."`
	Ring       int           `default:"64" help:"Memory of the rings of each interface, in MiB."`
	Pin        bool          `help:"Bind each worker to a processor."`
	Latency    time.Duration `default:"20ms" help:"How long a packet may lie in a ring that is not busy."`
	Inbound    bool          `help:"Leave out what this host sends, for a mirror port."`
	Quiet      bool          `name:"no-promiscuous" help:"Do not make the interfaces promiscuous."`
	prefilterFlags
	Adapter bool `name:"adapter-time" help:"Ask the network adapter for time stamps (needs CAP_NET_ADMIN)."`
}

// any says whether something is listened to.
func (f *liveFlags) any() bool {
	return len(f.Interface)+len(f.Listen)+len(f.PcapOverIP)+len(f.WatchDir) > 0
}

// liveInput is one live source with its name.
type liveInput struct {
	name string
	src  capture.Source
}

// inputs are the live sources of a run.
type inputs struct {
	interfaces []*afpacket.Interface
	list       []liveInput
	steering   afpacket.Steering
	kernel     *kernel
	pin        bool
	workers    int        // rings of each interface
	problems   chan error // what is wrong with streams; what nobody takes is lost
}

// shards is the number of parts of the flow table, enough for many workers.
const shards = 64

// listen opens all that is listened to, interfaces with n workers each.
func (f *liveFlags) listen(n int, only filterFlags) (*inputs, error) {
	in := &inputs{steering: afpacket.Steering{Seed: rand.Uint32(), Shards: shards}, pin: f.Pin, workers: n}
	in.problems = make(chan error, 64)
	var err error
	if in.kernel, err = f.kernel(only); err != nil {
		return nil, err
	}
	for _, opener := range []func(*inputs) error{f.openInterfaces, f.openListeners, f.openServers, f.openFolders} {
		if err := opener(in); err != nil {
			return nil, errors.Join(fmt.Errorf("listening: %w", granted(err)), in.close())
		}
	}
	return in, nil
}

// openInterfaces opens the interfaces, each with a ring for every worker.
func (f *liveFlags) openInterfaces(in *inputs) error {
	seen := map[string]bool{}
	for _, name := range f.Interface {
		if seen[name] {
			return usage(fmt.Errorf("interface %s is named twice", printable(name)))
		}
		seen[name] = true
		conf := afpacket.Config{
			Interface: name, Rings: in.workers, Bytes: f.Ring << 20, Latency: f.Latency,
			Quiet: f.Quiet, Inbound: f.Inbound, AdapterTime: f.Adapter, Steering: in.steering,
		}
		filtered, err := in.kernel.guard(&conf)
		if err != nil {
			return err
		}
		i, err := afpacket.Open(conf)
		if err != nil {
			return err
		}
		in.interfaces = append(in.interfaces, i)
		for n, src := range i.Sources() {
			if !filtered {
				src = in.kernel.sift(src)
			}
			in.list = append(in.list, liveInput{fmt.Sprintf("%s/%d", name, n), src})
		}
	}
	return nil
}

// streams is how captures are read as they come.
func (in *inputs) streams() stream.Config {
	return stream.Config{
		Open: openStream, Clock: func() int64 { return time.Now().UnixNano() },
		Told: in.told,
	}
}

// told takes note of what is wrong with a stream.
func (in *inputs) told(err error) {
	select {
	case in.problems <- err:
	default:
	}
}

func (f *liveFlags) openListeners(in *inputs) error {
	for _, text := range f.Listen {
		u, err := url.Parse(text)
		if err != nil || u.Host == "" {
			return usage(fmt.Errorf("cannot read %q: write it like vxlan://0.0.0.0:4789", text))
		}
		if u.Scheme == "pcap" {
			src, _, err := stream.Accept(u.Host, in.streams())
			if err != nil {
				return err
			}
			in.list = append(in.list, liveInput{text, in.kernel.sift(src)})
			continue
		}
		src, err := stream.Listen(u.Scheme, u.Host, in.streams())
		if err != nil {
			return err
		}
		in.list = append(in.list, liveInput{text, in.kernel.sift(src)})
	}
	return nil
}

func (f *liveFlags) openServers(in *inputs) error {
	for _, addr := range f.PcapOverIP {
		src, err := stream.Dial(addr, in.streams())
		if err != nil {
			return usage(err)
		}
		in.list = append(in.list, liveInput{addr, in.kernel.sift(src)})
	}
	return nil
}

func (f *liveFlags) openFolders(in *inputs) error {
	for _, dir := range f.WatchDir {
		src, err := stream.Folder(stream.FolderConfig{Config: in.streams(), Dir: dir, Growing: f.Growing})
		if err != nil {
			return err
		}
		in.list = append(in.list, liveInput{dir, in.kernel.sift(src)})
	}
	return nil
}

// readPipe adds a capture that is read as it comes from a named pipe or, for '-', r.
func (in *inputs) readPipe(name string, r io.Reader) {
	if name == "-" {
		in.list = append(in.list, liveInput{"standard input", in.kernel.sift(stream.Pipe(r, in.streams()))})
		return
	}
	in.list = append(in.list, liveInput{name, in.kernel.sift(stream.Pipe(&lateFile{name: name}, in.streams()))})
}

// lateFile is opened when it is read: opening a named pipe waits for its writer.
type lateFile struct {
	name string
	file *os.File
}

func (f *lateFile) Read(b []byte) (int, error) {
	if f.file == nil {
		var err error
		if f.file, err = os.Open(f.name); err != nil {
			return 0, err
		}
	}
	return f.file.Read(b)
}

// openStream reads a capture that comes through r.
func openStream(r io.Reader) (capture.Source, error) {
	src, err := pcapfile.Open(pcapfile.Config{Paths: []string{"-"}, Stdin: r})
	if err != nil {
		return nil, err
	}
	return &streamed{src}, nil
}

// streamed is a capture whose damage is an error when it has ended.
type streamed struct{ *pcapfile.Reader }

func (s *streamed) Next(b *capture.Batch) error {
	err := s.Reader.Next(b)
	if errors.Is(err, io.EOF) {
		for _, e := range s.Errs() {
			return e
		}
	}
	return err
}

// granted adds to a lack of privileges how to grant them.
func granted(err error) error {
	var denied *afpacket.PermissionError
	if !errors.As(err, &denied) && !errors.Is(err, os.ErrPermission) {
		return err
	}
	path, perr := os.Executable()
	if perr != nil {
		path = "telltale"
	}
	needs := []string{"CAP_NET_RAW"}
	if denied != nil {
		needs = denied.Capabilities
	}
	return fmt.Errorf("%w\nCapturing needs the capability %s. Grant it once:\n  sudo setcap %s+ep %s\nor in a systemd unit:\n  AmbientCapabilities=%s",
		err, strings.Join(needs, " and "), strings.ToLower(strings.Join(needs, ",")), path, strings.Join(needs, " "))
}

// config returns how the sources are followed.
func (in *inputs) config(flows flow.Config, tick func(int64)) flow.LiveConfig {
	flows.Shards, flows.Seed, flows.Loss = shards, rand.Uint64(), true
	in.kernel.flows(&flows)
	c := flow.LiveConfig{
		Flow: flows, Decode: decode.Config{Dedup: decode.DefaultDedup}, Tick: tick, Steer: in.steering.Of, Begin: in.begin,
		Clock: func() int64 { return time.Now().UnixNano() },
	}
	for _, i := range in.list {
		c.Sources = append(c.Sources, i.src)
	}
	return c
}

// begin prepares the goroutine of a worker.
func (in *inputs) begin(n int) error {
	if !in.pin {
		return nil
	}
	runtime.LockOSThread()
	return afpacket.Pin(n)
}

// attend looks after the interfaces and streams until e is done, and then lets no
// further packet in.
func (in *inputs) attend(e *env) {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for {
		select {
		case <-e.ctx.Done():
			in.stop(e.log)
			return
		case err := <-in.problems:
			e.log.Warn(printable(err.Error()))
		case <-tick.C:
			if err := in.kernel.tick(); err != nil {
				e.log.Warn(err.Error())
			}
			for _, i := range in.interfaces {
				if _, err := i.Check(); err != nil {
					e.log.Warn(printable(err.Error()))
				}
			}
		}
	}
}

// logDealing says how the packets of each interface are shared among the workers.
func (in *inputs) logDealing(log *zap.Logger) {
	for _, i := range in.interfaces {
		if how := i.Dealing(); how != "" {
			log.Info(fmt.Sprintf("%s: packets are dealt out to %d workers %s", printable(i.Name()), in.workers, printable(how)))
		}
	}
}

// stop lets no further packet in.
func (in *inputs) stop(log *zap.Logger) {
	for _, i := range in.interfaces {
		if err := i.Stop(); err != nil {
			log.Warn(err.Error())
		}
	}
}

func (in *inputs) close() error {
	var errs []error
	for _, i := range in.list {
		errs = append(errs, i.src.Close())
	}
	return errors.Join(append(errs, in.kernel.filter.Close())...)
}

// names returns the names of the sources, interfaces once each.
func (in *inputs) names() string {
	var all []string
	for _, i := range in.interfaces {
		all = append(all, i.Name())
	}
	for _, i := range in.list[in.rings():] {
		all = append(all, i.name)
	}
	return printable(strings.Join(all, ", "))
}

// rings is the number of sources that are rings; they come first.
func (in *inputs) rings() int {
	n := 0
	for _, i := range in.interfaces {
		n += len(i.Sources())
	}
	return n
}
