package generate

import "time"

// Ports of Kaspersky Security Center, as its support pages list them.
const (
	portServer   = 13000 // Network Agent to server, TLS
	portOld      = 14000 // the same without TLS; others use it too
	portProxy    = 13111 // KSN proxy over TCP
	portProxyUDP = 15111
	portAgent    = 15000 // the server wakes the agent, UDP
)

// LANPorts returns what the agents of a management product do within their own network,
// where no name is said: each host in another way, some of them without an answer.
func LANPorts() (*Capture, error) {
	t := newTrace(59)
	server := host(100)
	for i, play := range []func(l *lanTalk){
		func(l *lanTalk) { l.agent(portServer); l.opaque(portProxy) },
		func(l *lanTalk) { l.agent(portServer); l.ask(portProxyUDP) },
		func(l *lanTalk) { l.agent(portServer) },
		func(l *lanTalk) { l.dial(portServer).refuse() },
		func(l *lanTalk) { l.dial(portServer).syn() },
		func(l *lanTalk) { l.agent(portServer); l.dial(portProxy).refuse() },
		func(l *lanTalk) { l.opaque(portOld) },
		func(l *lanTalk) { l.wake(true) },
		func(l *lanTalk) { l.wake(false) },
	} {
		play(&lanTalk{trace: t, at: start().Add(time.Duration(i) * 10 * time.Second), client: endpoint{host(i), 0}, server: endpoint{server, 0}})
	}
	return t.finish()
}

// lanTalk is what a host and the server say to each other.
type lanTalk struct {
	*trace
	at             time.Time // of the next connection
	client, server endpoint
}

// dial prepares a connection to a port of the server.
func (l *lanTalk) dial(port uint16) *dialogue {
	l.server.port = port
	d := l.trace.dial(l.at, l.client, l.server)
	l.at = l.at.Add(time.Second)
	return d
}

// agent speaks TLS without a name.
func (l *lanTalk) agent(port uint16) {
	d := l.dial(port)
	d.open()
	d.send(l.namelessHello(versionTLS12))
	d.reply(l.certificateFlight([]string{"ksc.corp.example"}))
	d.send(l.application(200))
	d.reply(l.application(400))
	d.end()
}

// opaque speaks a protocol that is not read.
func (l *lanTalk) opaque(port uint16) {
	d := l.dial(port)
	d.open()
	d.send(l.bytes(120))
	d.reply(l.bytes(300))
	d.end()
}

// ask is a question and an answer in datagrams.
func (l *lanTalk) ask(port uint16) {
	client, server := endpoint{l.client.addr, 52000}, endpoint{l.server.addr, port}
	l.datagram(l.at, client, server, l.bytes(80))
	l.datagram(l.at.Add(2*time.Millisecond), server, client, l.bytes(140))
}

// wake is the server's call of an agent.
func (l *lanTalk) wake(answered bool) {
	agent, server := endpoint{l.client.addr, portAgent}, endpoint{l.server.addr, 53000}
	l.datagram(l.at, server, agent, l.bytes(40))
	if answered {
		l.datagram(l.at.Add(2*time.Millisecond), agent, server, l.bytes(24))
	}
}
