package format

import (
	"encoding/json"
	"os"
	"regexp"
	"strings"
	"testing"

	"telltale/alert"
)

// columns are the names that receivers of CEF give its keys.
var columns = map[string]string{
	// Microsoft Sentinel's CommonSecurityLog
	"DeviceVendor": "header 1", "DeviceEventClassID": "header 4", "DeviceEventCategory": "cat", "SourceIP": "src", "DestinationIP": "dst",
	"DestinationHostName": "dhost", "DeviceCustomString1": "cs1", "DeviceCustomString2": "cs2", "DeviceCustomString5": "cs5", "DeviceCustomString6": "cs6",
	"FlexString1": "flexString1", "ExtID": "externalId", "Message": "msg",
	// ArcSight
	"deviceVendor": "header 1", "deviceEventClassId": "header 4", "deviceEventCategory": "cat", "deviceCustomString1": "cs1", "deviceCustomString2": "cs2",
	"sourceAddress": "src",
}

// TestPagesNameWhatThereIs: the fields that the pages of receivers search by are in the
// events, and the rules and values they name are ones that are given.
func TestPagesNameWhatThereIs(t *testing.T) {
	for page, c := range map[string]struct {
		form string
		name string              // of fields, as the page writes them
		key  func(string) string // what the encoder calls it
		few  int                 // names there must be at least
	}{
		"splunk.md":         {"native", `\b(?:contact|host|gap|facts|names)(?:\.[a-z_]+|\{\}(?:\.[a-z_]+)?)|\b(?:by |latest\(|max\(|dedup )([a-z_]+)(?:[^.a-z_{]|$)`, func(s string) string { return strings.ReplaceAll(s, "{}", "") }, 10},
		"elastic.md":        {"ecs", ecsNames, same, 12},
		"opensearch.md":     {"ecs", ecsNames, same, 2},
		"wazuh.md":          {"eve", `\b(?:data\.)?(?:alert\.[a-z_.]+[a-z]|src_ip)\b`, func(s string) string { return strings.TrimPrefix(s, "data.") }, 6},
		"security-onion.md": {"eve", `\brule\.metadata\.[a-z_]+`, func(s string) string { return strings.Replace(s, "rule.", "alert.", 1) }, 3},
		"graylog.md":        {"native", `\btelltale_[a-z_]+[a-z]\b`, func(s string) string { return strings.TrimPrefix(s, "telltale_") }, 6},
		"qradar.md":         {"leef", `\btelltale[A-Z][A-Za-z]+`, same, 3},
		"sentinel.md":       {"cef", `\b(?:Device|Source|Destination|Flex)[A-Za-z0-9]+|\b(?:ExtID|Message)\b`, func(s string) string { return columns[s] }, 10},
		"arcsight.md":       {"cef", `\b(?:c[sn][1-6]|c6a[1-4]|flex[A-Z][a-z]+[12]|externalId|src|dst|spt|dpt|smac|dhost|proto|app|device[A-Z][A-Za-z0-9]+|sourceAddress|rt)\b`, arcsightKey, 18},
	} {
		text, err := os.ReadFile("../../docs/siem/" + page)
		if err != nil {
			t.Fatal(err)
		}
		known := map[string]bool{}
		note := func(a *alert.Alert) {
			for k := range fields(t, form(t, c.form), a) {
				k = strings.TrimPrefix(regexp.MustCompile(`\[\d+\]`).ReplaceAllString(k, ""), ".")
				if page == "graylog.md" { // which joins the names of nested fields, and lists into one text
					k = strings.ReplaceAll(k, ".", "_")
				}
				known[k] = true
			}
		}
		someAlerts("text", note)
		for _, a := range goldenAlerts() {
			note(a)
		}
		seen := map[string]bool{}
		for _, m := range regexp.MustCompile(c.name).FindAllStringSubmatch(string(text), -1) {
			name := m[0]
			if len(m) > 1 && m[1] != "" {
				name = m[1]
			}
			if name == "telltale.alert" || name == "telltale.yaml" {
				continue // data set and file
			}
			seen[name] = true
			if key := c.key(name); !known[key] {
				t.Errorf("%s: %s (%s) is no field of %s", page, name, key, c.form)
			}
		}
		if len(seen) < c.few {
			t.Errorf("%s: %d names of fields found: %v", page, len(seen), seen)
		}
		pageValues(t, page, string(text))
	}
}

// TestSplunkSampleIsReal: the event that Splunk's page shows is one that a case raises.
func TestSplunkSampleIsReal(t *testing.T) {
	page, err := os.ReadFile("../../docs/siem/splunk.md")
	if err != nil {
		t.Fatal(err)
	}
	alerts, err := os.ReadFile("../../testdata/case/updater/alerts.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	_, sample, _ := strings.Cut(string(page), "## Looks like\n```\n")
	sample, _, _ = strings.Cut(sample, "```")
	pairs := regexp.MustCompile(`([a-z_.{}]+)=(?:"([^"]+?)(?: \.\.\.)?"|(\S+))`).FindAllStringSubmatch(sample, -1)
	if len(pairs) < 7 {
		t.Fatalf("%d fields in %q", len(pairs), sample)
	}
	missing := "nothing was read"
	for line := range strings.Lines(string(alerts)) {
		var v any
		if err := json.Unmarshal([]byte(line), &v); err != nil {
			t.Fatal(err)
		}
		all := map[string]string{}
		values(v, "", all)
		missing = ""
		for _, p := range pairs {
			if key := "." + strings.ReplaceAll(p[1], "{}", "[0]"); !strings.HasPrefix(all[key], p[2]+p[3]) {
				missing = p[0]
			}
		}
		if missing == "" {
			return
		}
	}
	t.Errorf("no alert has %s", missing)
}

const ecsNames = `\b(?:event|rule|source|destination|host|related|threat)\.[a-z_.]+[a-z]\b|\btelltale\.[a-z_]+`

func same(s string) string { return s }

// arcsightKey returns the key of a field by either of its names.
func arcsightKey(s string) string {
	if k := columns[s]; k != "" {
		return k
	}
	return s
}

// pageValues checks kinds, classes, rules and numbers of signatures that a page names.
func pageValues(t *testing.T, page, text string) {
	t.Helper()
	rules, numbers, classes := map[string]bool{}, map[string]bool{}, map[string]bool{}
	someAlerts("text", func(a *alert.Alert) {
		rules[a.Rule()], rules[string(a.Kind)] = true, true
		var e struct {
			Alert struct {
				ID json.Number `json:"signature_id"`
			}
		}
		if err := json.Unmarshal(form(t, "eve").Append(nil, a), &e); err != nil {
			t.Fatal(err)
		}
		numbers[e.Alert.ID.String()] = true
		if a.Finding != nil {
			classes[a.Finding.Class.String()] = true
		}
	})
	for _, m := range regexp.MustCompile(`\b(?:finding|health)\.[a-z]+\b|\b(?:kaspersky|foreign)/[A-Za-z]+`).FindAllString(text, -1) {
		if !rules[m] {
			t.Errorf("%s: there is no %s", page, m)
		}
	}
	for _, m := range regexp.MustCompile(`\b1861\d\d\d\b`).FindAllString(text, -1) {
		if !numbers[m] {
			t.Errorf("%s: there is no signature %s", page, m)
		}
	}
	for _, m := range regexp.MustCompile(`(?i)class(?:["=: ]|\bIN\b|\b==)*\(?"?([a-z]+)"?(?: OR |, | or )"?([a-z]+)"?\)`).FindAllStringSubmatch(text, -1) {
		for _, c := range m[1:] {
			if !classes[c] {
				t.Errorf("%s: there is no class %s", page, c)
			}
		}
	}
}
