package proto

import (
	"bytes"
	"encoding/binary"
	"strconv"

	"telltale/capture"
)

var _ = registerDatagram(Datagram{
	Proto: capture.ProtoNBDGM, Order: 23, Ports: []uint16{138},
	Match: func(_, _ uint16, b []byte) bool {
		return len(b) > nbdgmHeader && b[0] >= nbdgmUnique && b[0] <= nbdgmBroadcast
	},
	Parse: nbdgmParse,
})

const (
	nbdgmHeader    = 14 // bytes, RFC 1002 §4.4.2
	nbdgmUnique    = 0x10
	nbdgmBroadcast = 0x12
)

// nbdgmParse reads a NetBIOS datagram (RFC 1002 §4.4): the sender's name and address,
// and what the sender announces to the browser service.
func nbdgmParse(b []byte, _ bool, log *capture.Log) error {
	if len(b) < nbdgmHeader || b[0] < nbdgmUnique || b[0] > nbdgmBroadcast {
		return errIdentity
	}
	source, end, ok := nbnsRead(b, nbdgmHeader)
	if !ok {
		return errIdentity
	}
	id := identity{log: log}
	id.text(capture.FieldMessage, "datagram")
	id.netbios(&source, false)
	id.setAddr4(b[4:8])
	if target, end, ok := nbnsRead(b, end); ok {
		nbdgmAnnouncement(&id, b[end:], &target)
	}
	id.report(capture.ProtoNBDGM)
	return nil
}

// nbdgmAnnouncement reads an announcement of the browser service, a transaction of SMB
// to its mailslot (MS-CIFS §2.2.4.33, MS-BRWS §2.2.1).
func nbdgmAnnouncement(id *identity, smb []byte, target *nbnsName) {
	const (
		dataCount    = 55 // offsets in the SMB message
		dataOffset   = 57
		transaction  = "\xffSMB\x25"
		mailslot     = `\MAILSLOT\BROWSE`
		fixed        = 32 // of an announcement
		host, master = 1, 15
	)
	if len(smb) < dataOffset+2 || !bytes.HasPrefix(smb, []byte(transaction)) || !bytes.Contains(smb[dataOffset:], []byte(mailslot)) {
		return
	}
	off, n := int(binary.LittleEndian.Uint16(smb[dataOffset:])), int(binary.LittleEndian.Uint16(smb[dataCount:]))
	if off > len(smb) {
		return
	}
	b := smb[off:min(len(smb), off+n)]
	if len(b) < fixed || b[0] != host && b[0] != master {
		return
	}
	id.add(capture.FieldDomain, target.text())
	var buf [8]byte
	version := strconv.AppendUint(buf[:0], uint64(b[22]), 10)
	version = append(version, '.')
	id.add(capture.FieldSoftware, strconv.AppendUint(version, uint64(b[23]), 10))
	comment, _, _ := bytes.Cut(b[fixed:], []byte{0})
	id.add(capture.FieldDescription, comment)
}
