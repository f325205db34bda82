package capture

import "net/netip"

// Proto names the protocol an Observation was decoded from.
type Proto uint8

// Protocols, in the order their names are listed to users.
const (
	ProtoNone Proto = iota
	ProtoDNS
	ProtoMDNS
	ProtoLLMNR
	ProtoTLS
	ProtoQUIC
	ProtoHTTP
	ProtoFlow
	ProtoX509
	ProtoSOCKS
	ProtoPROXY
	ProtoSMTP
	ProtoIMAP
	ProtoPOP3
	ProtoFTP
	ProtoXMPP
	ProtoLDAP
	ProtoPostgreSQL
	ProtoMySQL
	ProtoDTLS
	ProtoDHCP
	ProtoDHCPv6
	ProtoARP
	ProtoNDP
	ProtoNBNS  // NetBIOS name service
	ProtoNBDGM // NetBIOS datagrams: browser announcements
	ProtoLLDP
	ProtoCDP
	ProtoSSDP
	ProtoWSD  // WS-Discovery
	ProtoSADP // discovery of Hikvision devices
	ProtoDHIP // discovery of Dahua devices
	protoCount
)

// ProtoCount is the number of values of Proto, for tables indexed by it.
const ProtoCount = int(protoCount)

var protoNames = [protoCount]string{
	"", "dns", "mdns", "llmnr", "tls", "quic", "http", "flow",
	"x509", "socks", "proxy", "smtp", "imap", "pop3", "ftp", "xmpp", "ldap", "postgresql", "mysql",
	"dtls",
	"dhcp", "dhcpv6", "arp", "ndp", "nbns", "nbdgm", "lldp", "cdp", "ssdp", "wsd", "sadp", "dhip",
}

// String returns the lower-case name used in all output.
func (p Proto) String() string {
	if p < protoCount {
		return protoNames[p]
	}
	return ""
}

// Kind tells a question from its answer and from the record of a flow.
type Kind uint8

// Kinds of Observation.
const (
	Request  Kind = iota // the client asked: DNS query, ClientHello, HTTP request
	Response             // the server answered: DNS response, HTTP response, certificate
	FlowOpen             // a flow had its first exchange: data from the server was seen
	FlowEnd              // a flow is over or was given up; carries its totals
	Identify             // a host told, or was told, who it is
)

// String returns the lower-case name used in all output.
func (k Kind) String() string {
	return [...]string{"request", "response", "open", "end", "identity", "", "", ""}[k&7]
}

// Observation says "this client asked for, or talked to, this name or address",
// with its proof. One is made for every question of a DNS message, every
// ClientHello, every HTTP request and response, every message by which a host tells who
// it is, and at the first exchange and the end of every flow.
//
// The byte slices and the pointers in it belong to the Log that holds it.
type Observation struct {
	Time   int64  // packet time, nanoseconds since 1970-01-01 UTC
	Packet uint64 // ordinal of the packet that completed the message
	// Order is the ordinal of the packet during whose processing this was made; the
	// stream of Observations is sorted by it. It differs from Packet where a flow ends
	// by time. At the end of the stream it is past every ordinal.
	Order uint64
	// Flow is the ordinal of the first packet of the flow, which names the flow in
	// the whole stream. 0 for messages that are not tracked as a flow (DNS over UDP).
	Flow uint64

	Proto Proto
	Kind  Kind
	// Transport is the IANA protocol number below: 6 TCP, 17 UDP, 0 where there is none.
	Transport uint8

	// Client is who asked, by its innermost address: for a DNS response the address
	// it was sent to.
	Client netip.AddrPort
	Server netip.AddrPort
	// Proxied is the client as a PROXY header at the start of the flow tells it; Client
	// is then the proxy. Not valid where there was none.
	Proxied netip.AddrPort
	// ClientMAC is the client's hardware address as seen on this link, zero if there
	// is none. Behind a router it is the router's.
	ClientMAC [6]byte
	// ServerMAC is the same of the server's side: of the server itself, or of the router
	// on the way to it.
	ServerMAC [6]byte
	// VLAN is the innermost 802.1Q VLAN id, 0 if untagged.
	VLAN uint16
	// Tunnel is the innermost encapsulation the packet was in, nil if there was none;
	// for flow the one of its first packet.
	Tunnel *Tunnel

	// Name is the name asked for in its canonical form: lower case, no trailing dot,
	// bytes other than printable ASCII as \DDD (RFC 4343 §2.1); "." is the root.
	// Empty where the message carries none.
	Name []byte

	DNS   *DNS         // set for dns, mdns, llmnr
	TLS   *ClientHello // set for tls, quic and dtls requests
	HTTP  *HTTP        // set for http
	ID    *Identity    // set for kind Identify
	End   *FlowState   // set for flow
	Cert  *Certificate // set for x509
	SOCKS *SOCKS       // set for socks
}

// Tunnel is an encapsulation around a packet.
type Tunnel struct {
	Kind string // vxlan, gre, erspan ...; docs/decoding.md lists them
	// ID is the number in its header: network identifier, key, session, endpoint. 0 if
	// the header has none.
	ID uint32
	// Src and Dst are the ends of the tunnel in the direction of the packet, invalid
	// where it does not lie in an IP packet.
	Src, Dst netip.Addr
}

// DNS is what is kept of a DNS message (RFC 1035).
type DNS struct {
	ID        uint16
	RCode     uint16 // with the extended bits of EDNS (RFC 6891 §6.1.3)
	Type      uint16 // of the question, host byte order
	Class     uint16 // of the question, without the mDNS unicast bit
	Opcode    uint8
	Truncated bool     // TC bit
	Malformed bool     // the message ended or broke after what is reported here
	EDE       []uint16 // extended DNS errors (RFC 8914)
	Answers   []Answer // answer section; with the first question of a message only
}

// Answer is one resource record of the answer section.
type Answer struct {
	Name   []byte // owner, canonical as Observation.Name
	Type   uint16
	TTL    uint32     // seconds
	Addr   netip.Addr // A, AAAA
	Target []byte     // CNAME, NS, PTR, SRV, MX, HTTPS, SVCB: the name it points to
	ECH    []byte     // HTTPS, SVCB: ECHConfigList (RFC 9848), raw
}

// ClientHello is what is kept of a TLS ClientHello (RFC 8446 §4.1.2), over TCP, QUIC or
// DTLS (RFC 6347 §4.2.1).
type ClientHello struct {
	LegacyVersion uint16
	Version       uint16   // highest version offered, GREASE left out; 0xfeff, 0xfefd, 0xfefc are DTLS 1.0, 1.2, 1.3
	Versions      []uint16 // supported_versions as sent, GREASE left out
	ALPN          [][]byte // protocol names as sent, raw bytes
	JA4           [36]byte // FoxIO JA4, ASCII; zero if the hello is cut, or the Log brief
	// Ciphers is a digest of the cipher suites offered, GREASE left out, whatever their
	// order: it tells TLS stacks apart as that part of JA4 does. 0 if the hello is cut.
	Ciphers     uint64
	Length      uint32 // bytes of the handshake message
	HasSNI      bool
	ESNI        bool // the draft extension 0xffce
	ECH         ECH
	QUICVersion uint32 // 0 over TCP
}

// ECH is what the encrypted_client_hello extension (0xfe0d, RFC 9849) shows.
type ECH struct {
	Present  bool
	Inner    bool // type inner: never on the wire of an honest client
	KDF      uint16
	AEAD     uint16
	ConfigID uint8
	// PayloadLen is the length of the encrypted payload in bytes.
	PayloadLen uint16
}

// HTTP is what is kept of an HTTP message (RFC 9112, RFC 9113).
type HTTP struct {
	Method    []byte
	Target    []byte // request target as sent
	UserAgent []byte
	Port      uint16 // port in the Host header or the authority, 0 if none
	Major     uint8  // 2 for HTTP/2, else 0
	Minor     uint8  // 0 for HTTP/1.0, 1 for HTTP/1.1
	HostIsIP  bool
	Partial   bool // the header section was not seen to its end

	Status      uint16 // responses
	ContentType []byte
	Server      []byte
	Body        []byte // first bytes of the response body
	// Connect says that it answers a CONNECT over HTTP/1: a proxy speaks, not the server
	// that was asked for.
	Connect bool
}

// Certificate is what is kept of the certificate of a TLS server (RFC 5280), which is in
// the clear up to TLS 1.2. Observation.Name is the first of Names, else the common name of
// the subject if it is made like a host name.
type Certificate struct {
	Subject []byte   // common name of the subject, raw bytes
	Org     []byte   // organisation of the subject, raw bytes; nil if it names none
	Issuer  []byte   // common name of the issuer, else its organisation, raw bytes
	Names   [][]byte // dNSName of subjectAltName, canonical as Observation.Name; may begin with "*."
	More    bool     // there are names beyond those kept
	// Asked says that the hello of the flow carried a server_name: then that names the
	// server, and the certificate only lists what else it serves.
	Asked bool
}

// SOCKS is what is kept of a SOCKS request (RFC 1928 §4, SOCKS 4 and 4a).
type SOCKS struct {
	Version  uint8 // 4 or 5
	Command  uint8 // 1 connect, 2 bind, 3 UDP associate
	Port     uint16
	HostIsIP bool // the name is an address literal
}

// Outcome says how far a flow came: an attempt is not an exchange.
type Outcome uint8

// Outcomes in rising order.
const (
	Attempted Outcome = iota // the client sent, nothing came back
	Refused                  // the server answered with RST or a fatal alert, or by ICMP
	Accepted                 // the transport was set up, no data from the server was seen
	Exchanged                // data was seen both ways, or the handshake was answered
)

// String returns the lower-case name used in all output.
func (o Outcome) String() string {
	return [...]string{"attempted", "refused", "accepted", "exchanged"}[o&3]
}

// Unnamed says why no name is known for a flow from its own bytes.
type Unnamed uint8

// Reasons a flow has no name of its own.
const (
	Named       Unnamed = iota
	NoPayload           // nothing but headers was seen from the client
	Midstream           // the capture began after the flow
	NoSNI               // a hello without server_name
	Incomplete          // a hello was begun and not finished within the limits
	Gap                 // bytes before the end of the hello were lost or cut
	Undecrypted         // QUIC of an unknown version, or an Initial that does not open
	Opaque              // no protocol known here
	ServerOnly          // only the server's side was seen
	unnamedCount
)

var unnamedNames = [unnamedCount]string{"named", "no_payload", "midstream", "no_sni", "incomplete", "gap", "undecrypted", "opaque", "server_only"}

// UnnamedReasons is the number of values of Unnamed, for tables indexed by it.
const UnnamedReasons = int(unnamedCount)

// String returns the lower-case name used in all output.
func (u Unnamed) String() string {
	if u < unnamedCount {
		return unnamedNames[u]
	}
	return ""
}

// FlowState is the record of a flow so far.
type FlowState struct {
	Start      int64  // time of the first packet
	BytesOut   uint64 // transport payload bytes sent by the client, from packet headers
	BytesIn    uint64 // transport payload bytes sent by the server
	PacketsOut uint64
	PacketsIn  uint64
	App        Proto // protocol recognised in it, ProtoNone if none
	Outcome    Outcome
	Unnamed    Unnamed
	OneSided   bool // packets of one direction only were seen
	// Conflict says that segments that overlap differ: the sender, or somebody between,
	// shows different bytes to different readers. The first ones were read.
	Conflict bool
	// Prefiltered says that packets of bulk were held back in the kernel: packets, and
	// bytes over UDP, are those that were not, and bytes over TCP are by sequence numbers.
	Prefiltered bool
}

// ProtoNames returns the names of all protocols that have Observations of their own; the
// others are only named as FlowState.App.
func ProtoNames() []string {
	var names []string
	for p := ProtoDNS; p < protoCount; p++ {
		if p < ProtoSMTP || p > ProtoMySQL {
			names = append(names, p.String())
		}
	}
	return names
}
