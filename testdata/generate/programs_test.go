package generate

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func TestProgramsAreFoundInThePackets(t *testing.T) {
	list := []Program{{Names: []string{"update.example.com", "api.example.com"}}, {Names: []string{"a.example.net"}, Agent: "Updater/1.0"}}
	c, err := Programs(list, 3, time.Hour, 1)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(c.Contacts, parse(t, c.PCAP).contacts(t), cmpopts.EquateComparable(Contact{})); diff != "" {
		t.Errorf("contacts (-claimed +in the packets):\n%s", diff)
	}
	if n := bytes.Count(c.PCAP, []byte("User-Agent: Updater/1.0")); n != 3 {
		t.Errorf("%d fetches over HTTP, want 3", n)
	}
	for _, contact := range c.Contacts {
		second := strings.HasSuffix(contact.Name, ".example.net") || contact.Protocol == "http"
		if second != (contact.Client == ProgramHost(1)) {
			t.Errorf("%v is on the wrong host", contact)
		}
	}
}

func TestProgramsRefuses(t *testing.T) {
	good := []Program{{Names: []string{"example.com"}}}
	for _, c := range []struct {
		list   []Program
		rounds int
		every  time.Duration
	}{{nil, 1, time.Hour}, {good, 0, time.Hour}, {good, 1, time.Second}, {[]Program{{}}, 1, time.Hour}} {
		if _, err := Programs(c.list, c.rounds, c.every, 0); err == nil {
			t.Errorf("%+v: no error", c)
		}
	}
}
