package feeds

import "fmt"

// Function is what the thing an Indicator describes is for.
type Function string

// Functions.
const (
	FuncUpdate       Function = "update"
	FuncActivation   Function = "activation"
	FuncLicensing    Function = "licensing"
	FuncReputation   Function = "reputation"
	FuncTelemetry    Function = "telemetry"
	FuncCrash        Function = "crash"
	FuncConfig       Function = "config"
	FuncCloud        Function = "cloud"
	FuncP2P          Function = "p2p"
	FuncPush         Function = "push"
	FuncManagement   Function = "management"
	FuncDiscovery    Function = "discovery"
	FuncConnectivity Function = "connectivity"
	FuncDNS          Function = "dns"
	FuncVPN          Function = "vpn"
	FuncAccount      Function = "account"
	FuncDownload     Function = "download"
	FuncWeb          Function = "web"
	FuncCDN          Function = "cdn"
	FuncAds          Function = "ads"
	FuncInjected     Function = "injected"
	FuncMail         Function = "mail"
	FuncNetwork      Function = "network"
	FuncHardware     Function = "hardware"
	FuncSinkhole     Function = "sinkhole"
	FuncLookalike    Function = "lookalike"
)

var functions = [...]struct {
	name    Function
	meaning string
}{
	{FuncUpdate, "program, database or firmware updates"},
	{FuncActivation, "activation of a licence by the product"},
	{FuncLicensing, "checks of licences and certificates"},
	{FuncReputation, "cloud look-ups of files, addresses and names made by the product"},
	{FuncTelemetry, "usage and event data sent by the product"},
	{FuncCrash, "crash and error reports"},
	{FuncConfig, "settings and region look-up fetched by the product"},
	{FuncCloud, "back end of the product's own service"},
	{FuncP2P, "rendezvous and relays of devices"},
	{FuncPush, "push messages to the product"},
	{FuncManagement, "agents and servers of a managed fleet"},
	{FuncDiscovery, "finding devices on the local network"},
	{FuncConnectivity, "captive-portal and connectivity checks of a device"},
	{FuncDNS, "name resolution run by the vendor"},
	{FuncVPN, "the vendor's VPN service"},
	{FuncAccount, "log-in and user portals, by product or browser"},
	{FuncDownload, "installers and tools fetched by people"},
	{FuncWeb, "web sites, and names of the vendor with no known purpose"},
	{FuncCDN, "content delivery, shared by products and embeds"},
	{FuncAds, "advertising and counters on other parties' pages and apps"},
	{FuncInjected, "put into web pages by the product, and copied with them"},
	{FuncMail, "mail relays"},
	{FuncNetwork, "the vendor's own addresses"},
	{FuncHardware, "identity of a device on the local network"},
	{FuncSinkhole, "servers that catch malware: contact means infection, not use"},
	{FuncLookalike, "names made to be taken for the vendor's"},
}

// Functions returns all functions in the order they are documented.
func Functions() []Function {
	out := make([]Function, len(functions))
	for i, f := range functions {
		out[i] = f.name
	}
	return out
}

// Meaning returns what the function stands for, in a few words.
func (f Function) Meaning() string {
	for _, d := range functions {
		if d.name == f {
			return d.meaning
		}
	}
	return ""
}

// UnmarshalText implements encoding.TextUnmarshaler and refuses unknown functions.
func (f *Function) UnmarshalText(b []byte) error {
	*f = Function(b)
	if f.Meaning() == "" {
		return fmt.Errorf("unknown function %q: see packs/README.md for the list", b)
	}
	return nil
}

// Confidence is how far an entry is to be trusted.
type Confidence string

// Confidences.
const (
	High   Confidence = "high"
	Medium Confidence = "medium"
	Low    Confidence = "low"
)

// UnmarshalText implements encoding.TextUnmarshaler and refuses unknown values.
func (c *Confidence) UnmarshalText(b []byte) error {
	*c = Confidence(b)
	switch *c {
	case High, Medium, Low:
		return nil
	}
	return fmt.Errorf("unknown confidence %q: use high, medium or low", b)
}

// Listener says which end of a management or device protocol listens on a port.
type Listener string

// Listeners.
const (
	ListenCloud  Listener = "cloud"  // the vendor's service in the Internet
	ListenServer Listener = "server" // a management server in the operator's network
	ListenAgent  Listener = "agent"  // the managed host or the device itself
	ListenPeer   Listener = "peer"   // every member of a group on the local network
)

// UnmarshalText implements encoding.TextUnmarshaler and refuses unknown values.
func (l *Listener) UnmarshalText(b []byte) error {
	*l = Listener(b)
	switch *l {
	case ListenCloud, ListenServer, ListenAgent, ListenPeer:
		return nil
	}
	return fmt.Errorf("unknown listener %q: use cloud, server, agent or peer", b)
}
