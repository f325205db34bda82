package feeds

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"
)

func TestShippedFilesFitTheirSchemas(t *testing.T) {
	for _, lib := range shippedLibrary(t).Packs {
		checkSchema(t, "pack.schema.json", lib.ID+".yaml")
	}
	checkSchema(t, "policies.schema.json", "policies.yaml")
}

func TestSchemaRefuses(t *testing.T) {
	schema := loadSchema(t, "pack.schema.json")
	if err := validate(t, schema, []byte(demo)); err != nil {
		t.Fatalf("a good pack is refused: %v", err)
	}
	for name, text := range map[string]string{
		"an unknown field":         demo + "colour: red\n",
		"a country in small":       strings.Replace(demo, "country: US", "country: us", 1),
		"a port without listener":  strings.Replace(demo, "kind: suffix", "kind: port", 1),
		"products of a name":       strings.Replace(demo, "    function: web", "    products: {a: b}\n    function: web", 1),
		"a class that is a stage":  strings.Replace(demo, "implies: visited", "implies: resolved", 1),
		"an entry without sources": strings.Replace(demo, "    sources: [doc]\n", "", 1),
	} {
		if validate(t, schema, []byte(text)) == nil {
			t.Errorf("%s is accepted", name)
		}
	}
}

// TestSchemaListsEveryWord holds the words of the schema against those of the code.
func TestSchemaListsEveryWord(t *testing.T) {
	raw, err := os.ReadFile("packs/pack.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	var doc struct {
		Defs struct {
			Function  struct{ Enum []Function }
			Indicator struct {
				Properties struct{ Kind struct{ Enum []string } }
			}
		} `json:"$defs"`
	}
	if err := json.Unmarshal(raw, &doc); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(Functions(), doc.Defs.Function.Enum); d != "" {
		t.Errorf("functions: -code +schema\n%s", d)
	}
	var kinds []string
	for k := KindSuffix; k <= KindCertificate; k++ {
		kinds = append(kinds, k.String())
	}
	if d := cmp.Diff(kinds, doc.Defs.Indicator.Properties.Kind.Enum); d != "" {
		t.Errorf("kinds: -code +schema\n%s", d)
	}
}

func checkSchema(t *testing.T, schema, file string) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("packs", file))
	if err != nil {
		t.Fatal(err)
	}
	if err := validate(t, loadSchema(t, schema), data); err != nil {
		t.Errorf("%s: %v", file, err)
	}
}

func loadSchema(t *testing.T, name string) *jsonschema.Schema {
	t.Helper()
	s, err := jsonschema.NewCompiler().Compile(filepath.Join("packs", name))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func validate(t *testing.T, s *jsonschema.Schema, data []byte) error {
	t.Helper()
	js, err := yaml.YAMLToJSON(data)
	if err != nil {
		t.Fatal(err)
	}
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(js))
	if err != nil {
		t.Fatal(err)
	}
	return s.Validate(v)
}

// TestShippedIndicators pins how many indicators of each kind and class a pack has.
func TestShippedIndicators(t *testing.T) {
	var b strings.Builder
	for _, p := range shippedLibrary(t).Packs {
		fmt.Fprintf(&b, "%s %s: %d indicators, %d behaviours, %d look-alikes, %d sinkholes, %d traps, %d policies\n",
			p.ID, p.Country, len(p.Indicators), len(p.Walks), len(p.Lookalikes), len(p.Sinkholes), len(p.Traps), len(p.Policies))
		count := make(map[string]int)
		for _, i := range p.Indicators {
			class := i.Implies.String()
			if i.Misleading {
				class = "misleading"
			}
			count[class+" "+i.Kind.String()]++
		}
		keys := make([]string, 0, len(count))
		for k := range count {
			keys = append(keys, k)
		}
		slices.Sort(keys)
		for _, k := range keys {
			fmt.Fprintf(&b, "  %s %d\n", k, count[k])
		}
	}
	golden(t, "packs.golden", b.String())
}

func TestTrapsHold(t *testing.T) {
	lib, s := shippedLibrary(t), shippedSet(t)
	for _, p := range lib.Packs {
		for _, trap := range p.Traps {
			for _, name := range []string{trap.Name, "www." + trap.Name} {
				for _, m := range s.Name([]byte(name), nil) {
					if m.Vendor.ID == p.ID && !m.Lookalike {
						t.Errorf("%s: %s is matched by %s", p.ID, name, m.Indicator.ID)
					}
				}
			}
		}
	}
}

func TestPoliciesAndPacksAgree(t *testing.T) {
	lib := shippedLibrary(t)
	for _, q := range lib.Policies {
		for _, p := range lib.Packs {
			if named := slices.Contains(p.Policies, q.ID); named != q.Binding(p.ID) {
				t.Errorf("%s and %s: pack says %v, policy says %v", p.ID, q.ID, named, q.Binding(p.ID))
			}
		}
	}
}

// TestSharedTraps runs the measured traps kept beside the repository.
func TestSharedTraps(t *testing.T) {
	var doc struct {
		Constructed struct {
			MustNotMatch   []string `yaml:"must_not_match"`
			MustNotMatchAs []struct {
				Name      string `yaml:"name"`
				NotVendor string `yaml:"not_vendor"`
			} `yaml:"must_not_match_as"`
			MustMatch []string `yaml:"must_match"`
		} `yaml:"constructed"`
	}
	if err := yaml.Unmarshal(sharedFacts(t, "vendors", "_traps.yaml"), &doc); err != nil {
		t.Fatal(err)
	}
	c, s := doc.Constructed, shippedSet(t)
	if len(c.MustNotMatch) == 0 || len(c.MustMatch) == 0 {
		t.Fatal("no traps read")
	}
	for _, n := range c.MustNotMatch {
		for _, m := range s.Name([]byte(n), nil) {
			if !m.Lookalike {
				t.Errorf("%s is matched by %s", n, m.Indicator.ID)
			}
		}
	}
	for _, n := range c.MustNotMatchAs {
		for _, m := range s.Name([]byte(n.Name), nil) {
			if m.Vendor.ID == n.NotVendor {
				t.Errorf("%s is matched by %s", n.Name, m.Indicator.ID)
			}
		}
	}
	for _, n := range c.MustMatch {
		name, err := Canonical(n)
		want := "kaspersky"
		switch {
		case strings.HasSuffix(name, ".mi.com"):
			want = "xiaomi"
		case strings.HasSuffix(name, ".qq.com"):
			want = "tencent"
		}
		if m := s.Name([]byte(name), nil); err != nil || len(m) != 1 || m[0].Vendor.ID != want || m[0].Lookalike {
			t.Errorf("%s gives %v, %v, want %s", n, ids(m), err, want)
		}
	}
}

// TestUpdaterCapture holds the pack against the updater's real traffic.
func TestUpdaterCapture(t *testing.T) {
	raw, s := sharedFacts(t, "captures", "lbnl_detect-kaspersky.pcap"), shippedSet(t)
	_, request, ok := bytes.Cut(raw, []byte("GET "))
	if !ok {
		t.Fatal("no request in the capture")
	}
	target, _, _ := bytes.Cut(request, []byte(" "))
	if m := s.Path(target, nil); len(m) != 1 || m[0].Indicator.Implies != Installed {
		t.Errorf("path %s gives %v", target, ids(m))
	}
	_, agent, _ := bytes.Cut(request, []byte("User-Agent: "))
	agent, _, _ = bytes.Cut(agent, []byte("\r\n"))
	if m := s.UserAgent(agent, nil); len(m) != 1 || m[0].Vendor.ID != "kaspersky" {
		t.Errorf("User-Agent %s gives %v", agent, ids(m))
	}
	_, answer, _ := bytes.Cut(request, []byte("HTTP/1.1 200"))
	_, body, _ := bytes.Cut(answer, []byte("\r\n\r\n"))
	m := s.Body(body[:1024], nil)
	if d := cmp.Diff([]string{"kaspersky:body_magic:KLD2", `kaspersky:body_text:Item="Updater;Version;App;Arch;SrvPath;Name;DSKM"`}, ids(m)); d != "" {
		t.Fatalf("body: -want +got\n%s", d)
	}
	for _, want := range []string{"Kaspersky Anti-Virus", "Kaspersky Internet Security", "Kaspersky Endpoint Security", "Kaspersky VPN Secure Connection"} {
		if !slices.Contains(m[1].Products(), want) {
			t.Errorf("%s is missing in %v", want, m[1].Products())
		}
	}
}

func TestShippedNamesGiveTheRightClass(t *testing.T) {
	s := shippedSet(t)
	for name, want := range map[string]string{
		"s13.upd.kaspersky.com":                       "kaspersky installed",
		"dc1-file.ksn.kaspersky-labs.com":             "kaspersky installed",
		"dnl-07.geo.kaspersky.com":                    "kaspersky installed",
		"ksn-a-stat-geo.kaspersky-labs.com":           "kaspersky installed",
		"gc.kis.v2.scr.kaspersky-labs.com":            "kaspersky visited misleading",
		"securelist.com":                              "kaspersky visited misleading",
		"www.kaspersky.com":                           "kaspersky visited",
		"downloads1.kaspersky-labs.com":               "kaspersky likely",
		"dev.us.ezviz7.com":                           "hikvision device",
		"nonsense-flood-label.stage.ezviz7.com":       "hikvision likely",
		"grs.dbankcloud.com":                          "huawei device",
		"obs.eu-de.myhuaweicloud.com":                 "huawei visited misleading",
		"mon-va.tiktokv.com":                          "bytedance installed",
		"analytics.tiktok.com":                        "bytedance visited misleading",
		"www.tiktok.com":                              "bytedance visited",
		"api.browser.yandex.net":                      "yandex installed",
		"mc.yandex.ru":                                "yandex visited",
		"v10.events.data.microsoft.com":               "microsoft installed",
		"browser.events.data.microsoft.com":           "microsoft visited misleading",
		"customer.blob.core.windows.net":              "",
		"bucket.storage.yandexcloud.net":              "",
		"connectivitycheck.platform.hicloud.com":      "huawei device",
		"connectivitycheck.platform.hihonorcloud.com": "",
		"eu.ot.io.mi.com":                             "xiaomi device",
		"deot.io.mi.com":                              "xiaomi device",
		"analytics.ff.avast.sec.miui.com":             "xiaomi device",
		"www.miui.com":                                "xiaomi visited",
		"dotomi.com":                                  "",
		"szlong.weixin.qq.com":                        "tencent installed",
		"mp.weixin.qq.com":                            "tencent visited",
		"ulogs.umeng.com":                             "alibaba visited misleading",
		"alt3-mtalk.google.com":                       "google installed",
		"fonts.gstatic.com":                           "",
		"13-courier.push.apple.com":                   "apple device",
		"wps.apple.com":                               "apple device",
		"www.icloud.com":                              "apple visited",
		"ivanticloud.com":                             "",
		"update.msk4.drweb.com":                       "drweb installed",
		"download.geo.drweb.com":                      "drweb visited",
		"heroku.com":                                  "",
		"aic-ngfts.lge.com":                           "lg device",
		"us04xmppapi.zoom.us":                         "zoom installed",
		"us02web.zoom.us":                             "zoom visited",
		"ioc-gw-prod-us-1a.sentinelone.net":           "sentinelone installed",
		"usea1-017.sentinelone.net":                   "sentinelone likely",
		"n-euw1-devs.tplinkcloud.com":                 "tp-link device",
		"home.tplinkdns.com":                          "tp-link visited misleading",
		"openapi.tuyaeu.com":                          "tuya visited",
		"m2.tuyaeu.com":                               "tuya device",
		"iotaccess.easy4ipcloud.com":                  "dahua device",
		"www.vivo.com.br":                             "",
		"life360.com":                                 "",
		"relay-1a2b3c.net.anydesk.com":                "anydesk installed",
		"router7.teamviewer.com":                      "teamviewer installed",
		"api.deepseek.com":                            "deepseek likely",
		"www.facebook.com":                            "meta visited",
		"connect.facebook.net":                        "meta visited misleading",
		"p16-sign-va.tiktokcdn.com":                   "bytedance visited",
	} {
		var got []string
		for _, m := range s.Name([]byte(name), nil) {
			g := m.Vendor.ID + " " + m.Indicator.Implies.String()
			if m.Indicator.Misleading {
				g += " misleading"
			}
			got = append(got, g)
		}
		if g := strings.Join(got, ", "); g != want {
			t.Errorf("%s: got %q, want %q", name, g, want)
		}
	}
}
