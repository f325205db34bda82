package flow_test

import (
	"path/filepath"
	"strings"
	"testing"
)

// TestIdentityInCaptures: what an independent decoder shows of real messages. The
// numbers are its count of packets; what hosts say is as it prints it.
func TestIdentityInCaptures(t *testing.T) {
	tests := map[string]struct {
		count map[string]int // of protocols that are never dropped
		said  []string
	}{
		"ndpi42_1kxun.pcapng": {map[string]int{"dhcp": 24, "dhcpv6": 10}, []string{
			`"mac":"48:d2:24:63:0a:de","ip":"192.168.5.41","message":"inform","client_id":"0148d224630ade","hostname":"kevin-PC","vendor_class":"MSFT 5.0"`,
			`"mac":"bc:ee:7b:0c:b3:de","message":"discover","vendor_class":"dhcpcd-5.5.6","hostname":"android-f7ca0f571270c52d"`,
			`"mac":"e8:b1:fc:ab:fb:b2","ip":"192.168.5.49","message":"ack"`,
		}},
		"merc_emix.pcap": {map[string]int{"dhcp": 11, "dhcpv6": 10}, []string{
			`"mac":"52:54:00:79:b1:46","message":"solicit","duid":"0001000116cee1c852540079b146","fqdn":"Windows7-3","enterprise":"311","vendor_class":"MSFT 5.0","options":"24,23,17,39"`,
			`"ip":"192.168.122.145","message":"datagram","suffix":"20","hostname":"WINDOWS7-3","domain":"WORKGROUP","software":"6.1"`,
			`"message":"hello","usn":"urn:uuid:a281eb27-fcc6-4a3f-8764-863293301506","types":["wsdp:Device","pub:Computer"]`,
			`"mac":"e0:91:f5:73:8c:c2","router":true,"message":"router_advertisement"`,
			`"server":"UPnP/Tomato 1.28.7500 MIPSR2Toastman-RT K26 USB Ext UPnP/1.0 MiniUPnPd/1.6"`,
		}},
		"tp_teams.pcap": {map[string]int{"dhcp": 7}, []string{
			`"mac":"00:80:8f:9a:ae:bd","message":"discover"`, `"vendor_class":"dhcpcd-6.10.1:Linux-4.9.57-v7+:armv7l:BCM2835"`,
		}},
		"drv_vlan_merc_top-https.pcap": {nil, []string{`"proto":"arp","kind":"identity"`, `"vlan":`}},
		"tcpd_erspan-type-i-3.pcap":    {nil, []string{`"proto":"arp","kind":"identity"`, `"tunnel":{"kind":"erspan"`}},
	}
	for name, c := range tests {
		t.Run(name, func(t *testing.T) {
			out := observe(t, 1, filepath.Join(shared(t), name))
			for p, want := range c.count {
				if got := strings.Count(out, `"proto":"`+p+`","kind":"identity"`); got != want {
					t.Errorf("%d messages of %s, want %d", got, p, want)
				}
			}
			for _, s := range c.said {
				if !strings.Contains(out, s) {
					t.Errorf("not said: %s", s)
				}
			}
		})
	}
}
