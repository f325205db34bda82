package main

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/asm"
	"golang.org/x/sys/unix"

	"telltale/capture"
	"telltale/capture/pcapfile"
)

// traffic sends so many packets out of va, so many a second, or as fast as can be for 0.
type traffic func(packets, rate int) error

// Made frames: Ethernet, IPv4 and what follows, up to headers bytes of them different.
const (
	frameLength = 1014
	headers     = 80
)

// head returns the first bytes of a made frame.
func head(length uint16, protocol byte, above ...byte) []byte {
	f := make([]byte, headers)
	copy(f, []byte{2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0, 0x45, 0, 0, 0, 0, 1, 0x40, 0, 64, protocol, 0, 0, 10, 0, 0, 1, 10, 0, 1, 1})
	binary.BigEndian.PutUint16(f[16:], length)
	copy(f[34:], above)
	return f
}

// kinds are what traffic is made of: segments of transfers, and beginnings of connections
// and DNS questions, which matter. No two packets are the same.
func kinds() (data, syn, dns []byte) {
	data = head(frameLength-14, 6, 1, 0xbb, 0x9c, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x80, 0x10)
	copy(data[66:], "\x90\x90\x90\x90\x90\x90\x90\x90") // no message begins with it
	syn = head(60, 6, 0x9c, 0, 1, 0xbb, 0, 0, 0, 0, 0, 0, 0, 0, 0xa0, 2)
	dns = head(66, 17, 0x9c, 0, 0, 53, 0, 46, 0, 0, 1, 2, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 7)
	copy(dns[55:], "example\x03com\x00\x00\x01\x00\x01")
	return data, syn, dns
}

// write emits stores of what is in f, but for the Ethernet header, to the packet at R8.
func write(f []byte) (list asm.Instructions) {
	for at := 14; at < headers; at += 2 {
		list = append(list, asm.StoreImm(asm.R8, int16(at), int64(binary.NativeEndian.Uint16(f[at:])), asm.Half))
	}
	return list
}

// made returns traffic in which one packet of every matters. It leaves as from a driver: an
// XDP program redirects test frames, so that the other end has no packet of a socket to
// copy first. R7 is the number of the packet.
func made(every int32) (traffic, error) {
	va, err := net.InterfaceByName("va")
	if err != nil {
		return nil, err
	}
	number, err := ebpf.NewMap(&ebpf.MapSpec{Type: ebpf.Array, KeySize: 4, ValueSize: 8, MaxEntries: 1})
	if err != nil {
		return nil, err
	}
	data, syn, dns := kinds()
	code := asm.Instructions{
		asm.LoadMem(asm.R8, asm.R1, 0, asm.Word), asm.LoadMem(asm.R3, asm.R1, 4, asm.Word),
		asm.Mov.Reg(asm.R2, asm.R8), asm.Add.Imm(asm.R2, headers), asm.JGT.Reg(asm.R2, asm.R3, "send"),
		asm.LoadMapValue(asm.R1, number.FD(), 0), asm.LoadMem(asm.R7, asm.R1, 0, asm.DWord),
		asm.Add.Imm(asm.R7, 1), asm.StoreMem(asm.R1, 0, asm.R7, asm.DWord),
		asm.Mov.Reg(asm.R2, asm.R7), asm.Mod.Imm(asm.R2, 2*every),
		asm.JEq.Imm(asm.R2, 0, "syn"), asm.JEq.Imm(asm.R2, every, "dns"),
	}
	code = append(code, write(data)...)
	code = append(code,
		asm.Mov.Reg(asm.R2, asm.R7), asm.And.Imm(asm.R2, 63), // 64 connections
		asm.StoreMem(asm.R8, 29, asm.R2, asm.Byte), asm.StoreMem(asm.R8, 37, asm.R2, asm.Byte),
		asm.Mov.Reg(asm.R2, asm.R7), asm.RSh.Imm(asm.R2, 6), asm.Mul.Imm(asm.R2, frameLength-66), // one after the other
		asm.HostTo(asm.BE, asm.R2, asm.Word), asm.StoreMem(asm.R8, 38, asm.R2, asm.Word),
		asm.Ja.Label("numbered"))
	for _, k := range []struct {
		name string
		head []byte
	}{{"syn", syn}, {"dns", dns}} {
		list := write(k.head)
		list[0] = list[0].WithSymbol(k.name)
		code = append(code, list...)
		code = append(code, asm.StoreMem(asm.R8, 30, asm.R7, asm.Half), asm.StoreMem(asm.R8, 35, asm.R7, asm.Byte), asm.Ja.Label("numbered"))
	}
	code = append(code,
		asm.StoreMem(asm.R8, 18, asm.R7, asm.Half).WithSymbol("numbered"),
		asm.Mov.Imm(asm.R1, int32(va.Index)).WithSymbol("send"), asm.Mov.Imm(asm.R2, 0), asm.FnRedirect.Call(), asm.Return())
	prog, err := ebpf.NewProgram(&ebpf.ProgramSpec{Type: ebpf.XDP, License: "Apache-2.0", Instructions: code})
	if err != nil {
		return nil, fmt.Errorf("the program that sends: %w", err)
	}
	frame := make([]byte, frameLength)
	copy(frame, data)
	return func(packets, rate int) error {
		return paced(packets, rate, func(n int) error {
			_, err := prog.Run(&ebpf.RunOptions{Data: frame, Repeat: uint32(n), Flags: unix.BPF_F_TEST_XDP_LIVE_FRAMES})
			return err
		})
	}, nil
}

// paced calls send with parts of packets, so that it is so many a second.
func paced(packets, rate int, send func(n int) error) error {
	part := 4096
	if rate > 0 {
		part = min(max(rate/500, 16), 1024) // two milliseconds', or a quarter of a small ring
	}
	began := time.Now()
	for sent := 0; sent < packets; {
		n := min(part, packets-sent)
		if err := send(n); err != nil {
			return err
		}
		sent += n
		if rate > 0 {
			time.Sleep(time.Until(began.Add(time.Duration(float64(sent) / float64(rate) * 1e9))))
		}
	}
	return nil
}

// replayed returns traffic of captures, again and again, each time with other outer IPv4
// addresses: the packets leave through a socket.
func replayed(paths []string) (traffic, error) {
	src, err := pcapfile.Open(pcapfile.Config{Paths: paths})
	if err != nil {
		return nil, err
	}
	defer func() { _ = src.Close() }()
	var all [][]byte
	var b capture.Batch
	for err = src.Next(&b); err == nil; err = src.Next(&b) {
		for _, p := range b.Packets {
			if p.Link == capture.LinkEthernet && len(p.Data) >= 34 && len(p.Data) <= 1514 {
				all = append(all, append([]byte(nil), p.Data...))
			}
		}
	}
	if !errors.Is(err, io.EOF) || len(all) == 0 {
		return nil, fmt.Errorf("reading captures: %d packets that can be sent: %w", len(all), err)
	}
	va, err := net.InterfaceByName("va")
	if err != nil {
		return nil, err
	}
	fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	to := &unix.SockaddrLinklayer{Ifindex: va.Index}
	at := 0
	return func(packets, rate int) error {
		return paced(packets, rate, func(n int) error {
			for range n {
				f := all[at%len(all)]
				if f[12] == 8 && f[13] == 0 {
					f[27]++
					f[31]++
				}
				at++
				if err := unix.Sendto(fd, f, 0, to); err != nil && !errors.Is(err, unix.ENOBUFS) {
					return err
				}
			}
			return nil
		})
	}, nil
}
