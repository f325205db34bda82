package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"telltale/feeds"
	"telltale/testdata/generate"
)

// loads are names that browsers ask for when people visit pages of vendors, or of others
// that embed something of them.
var loads = [...]string{
	"www.kaspersky.com", "gc.kis.v2.scr.kaspersky-labs.com", "my.kaspersky.com", "www.tiktok.com", "vt.tiktok.com",
	"p16-sign-va.tiktokcdn.com", "v16-webapp.tiktokcdn-eu.com", "sf16-website-login.neutral.ttwstatic.com",
	"analytics.tiktok.com", "lf16-tiktok-web.tiktokcdn-us.com", "mc.yandex.ru", "yastatic.net", "an.yandex.ru",
	"static.whatsapp.net", "connect.facebook.net", "scontent.xx.fbcdn.net", "www.facebook.com", "graph.facebook.com",
	"hm.baidu.com", "ss0.bdstatic.com", "api.map.baidu.com", "g.alicdn.com", "www.aliexpress.com", "mmstat.com", "cnzz.com",
	"www.dingtalk.com", "mp.weixin.qq.com", "res.wx.qq.com", "wx.qq.com", "web.wechat.com", "www.qq.com",
	"us02web.zoom.us", "log-gateway.zoom.us", "st1.zoom.us", "slackb.com", "a.slack-edge.com", "www.icloud.com",
	"is1-ssl.mzstatic.com", "www.apple.com", "metrics.apple.com", "img.kwcdn.com", "matk.temu.com", "www.temu.com",
	"vk.com", "sun9-1.userapi.com", "top-fwz1.mail.ru", "web.max.ru", "www.samsung.com", "www.samsungknox.com",
	"nmetrics.samsung.com", "www.mi.com", "account.xiaomi.com", "www.miui.com", "www.teamviewer.com",
	"download.teamviewer.com", "anydesk.com", "download.anydesk.com", "chat.deepseek.com", "cdn.deepseek.com",
	"www.dell.com", "downloads.dell.com", "www.hp.com", "ftp.hp.com", "us.download.nvidia.com", "www.adobe.com",
	"p13n.adobe.io", "dpm.demdex.net", "fls-na.amazon.com", "aax-eu.amazon-adsystem.com", "falcon.crowdstrike.com",
	"www.avast.com", "download.geo.drweb.com", "vms.drweb.com", "users.v8.1c.ru", "www.hikvision.com",
	"consumer.huawei.com", "plugins.jetbrains.com", "www.roku.com", "www.sonos.com", "www.playstation.com",
	"pixel.mtrcs.samba.tv", "www.rustore.ru", "www.360.cn", "www.vivo.com", "www.oppo.com", "www.coloros.com",
	"www.tp-link.com", "openapi.tuyaeu.com", "download.lenovo.com", "www.wps.com", "www.mcafee.com", "www.norton.com",
	"ts-ocsp.ws.symantec.com", "www.trendmicro.com", "www.bitdefender.com", "www.eset.com", "www.group-ib.com", "f6.ru",
}

// TestLoadsOfPagesAreVisits: what pages make a browser ask for is no product, in whatever
// order it comes.
func TestLoadsOfPagesAreVisits(t *testing.T) {
	c, err := generate.Visits(300, loads[:], 5)
	vendors := map[string]bool{}
	for _, f := range judged(t, c.PCAP, err) {
		class := f[strings.LastIndexByte(f, ' ')+1:]
		if k, err := feeds.ParseClass(class); err != nil || k > feeds.Visited {
			t.Errorf("%s", f)
		}
		vendors[strings.Fields(f)[1]] = true
	}
	if len(vendors) < 40 {
		t.Errorf("visits to %d vendors were seen, want at least 40", len(vendors))
	}
}

// installs are programs and devices, and what is to be concluded of the host they are on.
var installs = [...]struct {
	vendor, product string
	class           feeds.Class
	program         generate.Program
}{
	{"adobe", "Acrobat", feeds.Installed, generate.Program{Names: []string{"armmf.adobe.com", "acroipm2.adobe.com"}}},
	{"anydesk", "AnyDesk", feeds.Installed, generate.Program{Names: []string{"boot.net.anydesk.com", "relay-77.net.anydesk.com"}}},
	{"avast", "Avast Antivirus", feeds.Installed, generate.Program{Names: []string{"shepherd.ff.avast.com", "filerep.ff.avast.com"}}},
	{"bitdefender", "Bitdefender GravityZone", feeds.Installed, generate.Program{Names: []string{"cloud-ecs.gravityzone.bitdefender.com"}}},
	{"bytedance", "TikTok", feeds.Installed, generate.Program{Names: []string{"log16-normal.tiktokv.eu", "tnc16.tiktokv.eu"}}},
	{"crowdstrike", "CrowdStrike Falcon", feeds.Installed, generate.Program{Names: []string{"ts01-b.cloudsink.net", "lfodown01-b.cloudsink.net"}}},
	{"dell", "Dell SupportAssist", feeds.Installed, generate.Program{Names: []string{"saservices.dell.com", "saupdates.dell.com"}}},
	{"drweb", "Dr.Web Anti-virus", feeds.Installed, generate.Program{Names: []string{"update.msk5.drweb.com"}, Agent: "DrWebUpdate-6.00.15 (windows: 6.1.7601)"}},
	{"eset", "ESET PROTECT", feeds.Installed, generate.Program{Names: []string{"update.eset.com", "epns.eset.com"}}},
	{"github-copilot", "GitHub Copilot", feeds.Installed, generate.Program{Names: []string{"api.individual.githubcopilot.com"}}},
	{"kaspersky", "", feeds.Installed, generate.Program{Names: []string{"s03.upd.kaspersky.com", "ksn-url-geo.kaspersky-labs.com"}}},
	{"kingsoft", "WPS Office", feeds.Installed, generate.Program{Names: []string{"params.wps.com", "api-ad-adapter.wps.com"}}},
	{"lenovo", "Lenovo Vantage", feeds.Installed, generate.Program{Names: []string{"filedownload.csw.lenovo.com", "api.uds.lenovo.com"}}},
	{"mcafee", "Trellix Endpoint Security", feeds.Installed, generate.Program{Names: []string{"rest.gti.trellix.com"}}},
	{"meta", "WhatsApp", feeds.Installed, generate.Program{Names: []string{"g.whatsapp.net", "e4.whatsapp.net"}}},
	{"microsoft", "Defender", feeds.Installed, generate.Program{Names: []string{"wdcp.microsoft.com", "definitionupdates.microsoft.com"}}},
	{"mozilla", "Firefox", feeds.Installed, generate.Program{Names: []string{"incoming.telemetry.mozilla.org", "push.services.mozilla.com"}}},
	{"onec", "1C:Enterprise", feeds.Installed, generate.Program{Names: []string{"update-api.1c.ru"}, Agent: "1C+Enterprise/8.3"}},
	{"qihoo360", "360 Total Security", feeds.Installed, generate.Program{Names: []string{"qup.f.cloud.360safe.com", "dl.360safe.com"}}},
	{"sentinelone", "SentinelOne agent", feeds.Installed, generate.Program{Names: []string{"ioc-gw-prod-us-1a.sentinelone.net", "usea1-017.sentinelone.net"}}},
	{"teamviewer", "TeamViewer", feeds.Installed, generate.Program{Names: []string{"router3.teamviewer.com", "configdl.teamviewer.com"}}},
	{"tencent", "WeChat", feeds.Installed, generate.Program{Names: []string{"szlong.weixin.qq.com", "extshort.weixin.qq.com"}}},
	{"trendmicro", "Trend Vision One", feeds.Installed, generate.Program{Names: []string{"upload.xdr.trendmicro.com", "api.xbc.trendmicro.com"}}},
	{"zoom", "Zoom Workplace", feeds.Installed, generate.Program{Names: []string{"us04xmppapi.zoom.us", "zpns.zoom.us"}}},
	{"dahua", "Dahua cameras and recorders", feeds.Device, generate.Program{Names: []string{"www.easy4ipcloud.com", "iotaccess.easy4ipcloud.com"}}},
	{"lg", "LG webOS TV", feeds.Device, generate.Program{Names: []string{"eic.cdpbeacon.lgtvcommon.com", "eic-ngfts.lge.com"}}},
	{"oppo", "OPPO, realme and OnePlus phones", feeds.Device, generate.Program{Names: []string{"sau-server-eu.allawnos.com", "conn2.coloros.com"}}},
	{"roku", "Roku", feeds.Device, generate.Program{Names: []string{"scribe.logs.roku.com", "sw-update.cs.roku.com"}}},
	{"samsung", "Samsung smart TV", feeds.Device, generate.Program{Names: []string{"log-ingestion-eu.samsungacr.com"}}},
	{"tuya", "Tuya devices", feeds.Device, generate.Program{Names: []string{"a1.tuyaeu.com", "m1.tuyaeu.com"}}},
	{"vivo", "vivo phones", feeds.Device, generate.Program{Names: []string{"eu-stsdk.vivoglobal.com"}}},
	{"xiaomi", "Xiaomi phones", feeds.Device, generate.Program{Names: []string{"tracking.intl.miui.com", "update.intl.miui.com"}}},
}

// TestProgramsAreNamed: traffic in the shape of an updater gives the vendor, the class and
// the product, and nothing else of that strength on the host.
func TestProgramsAreNamed(t *testing.T) {
	var list []generate.Program
	for _, i := range installs {
		list = append(list, i.program)
	}
	c, err := generate.Programs(list, 2, time.Hour, 9)
	if err != nil {
		t.Fatal(err)
	}
	found := strongest(t, c.PCAP)
	for n, i := range installs {
		host := generate.ProgramHost(n).String()
		want := []string{i.vendor + "/" + i.product + "/" + i.class.String()}
		if !slices.Contains(found[host], want[0]) {
			t.Errorf("%s: found %q, want %q", host, found[host], want)
		}
		for _, f := range found[host] {
			if !strings.HasPrefix(f, i.vendor+"/") {
				t.Errorf("%s has %s: also found %s", host, i.vendor, f)
			}
		}
	}
}

// strongest replays a capture and returns by host what is installed, or the device, as
// vendor/product/class.
func strongest(t *testing.T, pcap []byte) map[string][]string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "made.pcap")
	if err := os.WriteFile(path, pcap, 0o644); err != nil {
		t.Fatal(err)
	}
	status, alerts, errs := call(t, "replay", "--watch-country=none", path)
	if status != exitOK {
		t.Fatalf("exit status %d\n%s", status, errs)
	}
	found := map[string][]string{}
	for line := range strings.Lines(alerts) {
		var a struct {
			Vendor, Product string
			Class           feeds.Class
			Host            struct{ IP string }
		}
		if err := json.Unmarshal([]byte(line), &a); err != nil {
			t.Fatal(err)
		}
		if f := a.Vendor + "/" + a.Product + "/" + a.Class.String(); a.Class >= feeds.Device && !slices.Contains(found[a.Host.IP], f) {
			found[a.Host.IP] = append(found[a.Host.IP], f)
		}
	}
	return found
}
