package proto

import (
	"strings"
	"testing"
)

func ssdpParser() identityParser {
	notify := "NOTIFY * HTTP/1.1\r\nHost: 239.255.255.250:1900\r\nSERVER: Linux/3.10 UPnP/1.0 Hikvision/V5\r\nNT:upnp:rootdevice\r\nNTS: ssdp:alive\r\nUSN: uuid:1::upnp:rootdevice\r\nLOCATION: http://192.0.2.1/d.xml\r\n\r\nrest"
	return identityParser{ssdpParse, func(b []byte) bool { return ssdpMessage(b) != "" }, []identityCase{
		{"notify", notify, `{"message":"notify","server":"Linux/3.10 UPnP/1.0 Hikvision/V5","types":["upnp:rootdevice"],"usn":"uuid:1::upnp:rootdevice","locations":["http://192.0.2.1/d.xml"]}`},
		{"goodbye", strings.Replace(notify, "alive", "byebye", 1), `{"message":"byebye","server":"Linux/3.10 UPnP/1.0 Hikvision/V5","types":["upnp:rootdevice"],"usn":"uuid:1::upnp:rootdevice","locations":["http://192.0.2.1/d.xml"]}`},
		{"response", "HTTP/1.1 200 OK\nST: ssdp:all\nserver: a\n", `{"message":"response","types":["ssdp:all"],"server":"a"}`},
		{"search", "M-SEARCH * HTTP/1.1\r\nST: ssdp:all\r\nUSER-AGENT: VLC\r\n\r\n", `{"message":"search","types":["ssdp:all"],"user_agent":"VLC"}`},
		{"no end of line", "M-SEARCH * HTTP/1.1", `{"message":"search"}`},
		{"quote and control", "M-SEARCH * HTTP/1.1\r\nST: a\"\x01\r\n\r\n", `{"message":"search","types":["a\"\\001"]}`},
		{"another request", "GET / HTTP/1.1\r\n\r\n", "error"},
		{"another answer", "HTTP/1.1 404 Not Found\r\n\r\n", "error"},
	}}
}

func TestSSDP(t *testing.T) {
	p := ssdpParser()
	checkIdentity(t, &p)
}

func FuzzSSDP(f *testing.F) { fuzzIdentity(f, ssdpParser()) }

func wsdParser() identityParser {
	match := `<?xml version="1.0"?><s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"><s:Header><a:MessageID>uuid:7</a:MessageID><a:To>http://schemas.xmlsoap.org/ws/2004/08/addressing/role/anonymous</a:To><a:Action>http://schemas.xmlsoap.org/ws/2005/04/discovery/ProbeMatches</a:Action></s:Header><s:Body><d:ProbeMatches><d:ProbeMatch><a:EndpointReference><a:Address>urn:uuid:5</a:Address></a:EndpointReference><d:Types>dn:NetworkVideoTransmitter tds:Device</d:Types><d:Scopes>
 onvif://www.onvif.org/hardware/DS-2CD2143G2-I
 onvif://www.onvif.org/name/HIKVISION%20DS</d:Scopes><d:XAddrs>http://192.0.2.1/onvif/device_service</d:XAddrs></d:ProbeMatch></d:ProbeMatches></s:Body></s:Envelope>`
	return identityParser{wsdParse, xmlPlausible, []identityCase{
		{"answer", match, `{"message":"probematches","usn":"urn:uuid:5","types":["dn:NetworkVideoTransmitter","tds:Device"],"scopes":["onvif://www.onvif.org/hardware/DS-2CD2143G2-I","onvif://www.onvif.org/name/HIKVISION%20DS"],"locations":["http://192.0.2.1/onvif/device_service"]}`},
		{"hello behind a byte order mark", "\xef\xbb\xbf<Envelope><Action mustUnderstand='1'>http://docs.oasis-open.org/ws-dd/ns/discovery/2009/01/Hello</Action></Envelope>", `{"message":"hello"}`},
		{"cut in a list", "<E><Action>x/Hello</Action><Types>a b", `{"message":"hello"}`},
		{"no action", "<Envelope><Types>a</Types></Envelope>", "error"},
		{"no XML", "hello", "error"},
		{"an open tag", "<", "error"},
	}}
}

func TestWSD(t *testing.T) {
	p := wsdParser()
	checkIdentity(t, &p)
}

func FuzzWSD(f *testing.F) { fuzzIdentity(f, wsdParser()) }

func sadpParser() identityParser {
	return identityParser{sadpParse, xmlPlausible, []identityCase{
		{
			"answer", `<?xml version="1.0" encoding="UTF-8"?>
<ProbeMatch>
<Uuid>13A888A9-F1B1-4020-AE9F-05607682D23B</Uuid>
<Types>inquiry</Types>
<DeviceType>141945</DeviceType>
<DeviceDescription>DS-2CD2385G1-I</DeviceDescription>
<DeviceSN>DS-2CD2385G1-I20200414AAWRE33842150</DeviceSN>
<MAC>28-57-be-01-02-03</MAC>
<IPv4Address>192.0.2.64</IPv4Address>
<SoftwareVersion>V5.6.2build 190701</SoftwareVersion>
<DSPVersion>V7.3 build 190626</DSPVersion>
</ProbeMatch>`,
			`{"mac":"28:57:be:01:02:03","ip":"192.0.2.64","message":"probematch","types":["inquiry","141945"],"model":"DS-2CD2385G1-I","serial":"DS-2CD2385G1-I20200414AAWRE33842150","software":"V5.6.2build 190701","firmware":"V7.3 build 190626"}`,
		},
		{"question", `<?xml version="1.0" encoding="utf-8"?><Probe><Uuid>1</Uuid><Types>inquiry</Types></Probe>`, `{"message":"probe","types":["inquiry"]}`},
		{"a bad address", "<ProbeMatch><MAC>x</MAC><IPv4Address>999.1.1.1</IPv4Address><DeviceSN>1</DeviceSN></ProbeMatch>", `{"message":"probematch","serial":"1"}`},
		{"another document", "<html><body>hi</body></html>", "error"},
		{"no XML", "x", "error"},
	}}
}

func TestSADP(t *testing.T) {
	p := sadpParser()
	checkIdentity(t, &p)
}

func FuzzSADP(f *testing.F) { fuzzIdentity(f, sadpParser()) }

// dhipOldBytes is an answer of the old form with these texts.
func dhipOldBytes(names, lines string) string {
	b := make([]byte, dhipFixed)
	copy(b, "\xb3\x00"+le16(len(names)))
	copy(b[20:], le16(len(lines)))
	copy(b[40:], "IPC-OLD")
	copy(b[56:], "\xc0\x00\x02\x01")
	return string(b) + names + lines
}

func dhipParser() identityParser {
	text := func(json string) string {
		return "\x20\x00\x00\x00DHIP" + strings.Repeat("\x00", 24) + json
	}
	return identityParser{dhipParse, func(b []byte) bool { return dhipText(b) != nil || dhipBinary(b) }, []identityCase{
		{
			"answer", text(`{"mac":"b4:4c:3b:01:02:03","method":"client.notifyDevInfo","params":{"deviceInfo":{"DeviceClass":"IPC","DeviceType":"IPC-HFW2431","HttpPort":80,"IPv4Address":{"DhcpEnable":true,"IPAddress":"192.0.2.1","SubnetMask":"255.255.255.0"},"MachineName":"cam","SerialNo":"4K01","Vendor":"Dahua","Version":"2.800"}}}`),
			`{"mac":"b4:4c:3b:01:02:03","ip":"192.0.2.1","message":"client.notifyDevInfo","types":["IPC"],"model":"IPC-HFW2431","hostname":"cam","serial":"4K01","manufacturer":"Dahua","software":"2.800"}`,
		},
		{"question", text(`{ "method" : "DHDiscover.search", "params" : { "mac" : "", "uni" : 1 } }` + "\n\x00"), `{"message":"DHDiscover.search"}`},
		{"numbers, lists and escapes", text(`{"a":["method","x"],"Version":-2.5,"SerialNo":"a\"b","DeviceType":[]}`), `{"software":"-2.5","serial":"a\\\\\"b"}`},
		{"an open string", text(`{"method":"x`), "error"},
		{"old form", dhipOldBytes("b4:4c:3b:01:02:03IPC-HF", "SerialNo:4K01\r\nVendor:Dahua\r\n"), `{"mac":"b4:4c:3b:01:02:03","ip":"192.0.2.1","message":"answer","model":"IPC-HF","serial":"4K01","manufacturer":"Dahua"}`},
		{"old form, short", dhipOldBytes("b4:4c:3b:01:02:03", ""), `{"mac":"b4:4c:3b:01:02:03","ip":"192.0.2.1","message":"answer","model":"IPC-OLD"}`},
		{"old form without address", dhipOldBytes("no hardware addr.", ""), "error"},
		{"old form, cut", dhipOldBytes("b4:4c:3b:01:02:03IPC-HF", "")[:140], "error"},
		{"no text", text(""), "error"},
	}}
}

func TestDHIP(t *testing.T) {
	p := dhipParser()
	checkIdentity(t, &p)
}

func FuzzDHIP(f *testing.F) { fuzzIdentity(f, dhipParser()) }
