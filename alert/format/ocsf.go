package format

import (
	"net/netip"
	"strconv"

	"telltale/alert"
	"telltale/capture"
	"telltale/detect"
	"telltale/feeds"
)

var _ = register(Format{Name: "ocsf", About: "OCSF 1.8 Detection Finding", encode: ocsf})

// Numbers of OCSF 1.8.
const (
	ocsfVersion = "1.8.0"

	ocsfFindings         = 2    // category
	ocsfDetectionFinding = 2004 // class

	ocsfCreate, ocsfUpdate, ocsfClose = 1, 2, 3 // activities of a finding

	ocsfNew, ocsfInProgress, ocsfResolved = 1, 2, 4 // statuses of a finding

	ocsfObserved = 3  // action
	ocsfDetected = 15 // disposition

	ocsfHostname, ocsfIP, ocsfMAC = 1, 2, 3 // types of observables

	ocsfRule = 1 // type of analytic
)

// ocsf appends an event of class Detection Finding with the profiles security_control
// and host. Times are milliseconds since 1970 UTC.
func ocsf(dst []byte, a *alert.Alert) []byte {
	o := object{append(dst, '{')}
	activity, status := ocsfActivity(a.Kind)
	o.number("activity_id", activity)
	o.number("category_uid", ocsfFindings)
	o.number("class_uid", ocsfDetectionFinding)
	o.number("type_uid", ocsfDetectionFinding*100+activity)
	o.number("severity_id", ocsfSeverity(a.Severity))
	o.number("status_id", status)
	o.signed("time", millis(a.Time))
	o.text("message", message(a))
	if a.Finding != nil {
		o.truth("is_alert")
	}
	o.ocsfMetadata(a, "security_control", "host")
	o.number("action_id", ocsfObserved)
	o.number("disposition_id", ocsfDetected)
	o.ocsfInfo(a)
	f := a.Finding
	if f == nil {
		o.ocsfBookkeeping(a)
		return append(o.b, '}')
	}
	o.number("confidence_id", ocsfConfidence(f.Class))
	o.number("count", max(1, f.Attempts+f.Exchanges))
	o.signed("start_time", millis(f.FirstSeen))
	o.signed("end_time", millis(f.LastSeen))
	o.open("device")
	o.number("type_id", 0)
	o.text("ip", f.Host.Addr.String())
	o.some("mac", macText(f.Host.MAC))
	o.some("hostname", f.Host.Name)
	o.close()
	if f.Contact.Server.IsValid() {
		o.list("evidences", 1, func(int) { o.ocsfEvidence(f) })
	}
	o.ocsfObservables(f)
	o.ocsfOwn(a)
	return append(o.b, '}')
}

// ocsfActivity returns activity and status of a finding.
func ocsfActivity(k alert.Kind) (activity, status uint64) {
	switch k {
	case alert.FindingRaised, alert.FindingSummary, alert.FindingReopened:
		return ocsfUpdate, ocsfInProgress
	case alert.FindingCleared:
		return ocsfClose, ocsfResolved
	}
	return ocsfCreate, ocsfNew
}

func ocsfSeverity(s alert.Severity) uint64 {
	switch s {
	case alert.High:
		return 4
	case alert.Medium:
		return 3
	case alert.Low:
		return 2
	}
	return 1
}

// ocsfConfidence is low, medium or high by how far the class carries.
func ocsfConfidence(c feeds.Class) uint64 {
	switch {
	case c >= feeds.Device:
		return 3
	case c >= feeds.Likely:
		return 2
	}
	return 1
}

func (o *object) ocsfMetadata(a *alert.Alert, profiles ...string) {
	o.open("metadata")
	o.text("version", ocsfVersion)
	o.text("uid", a.ID)
	o.number("sequence", a.Seq)
	o.text("event_code", string(a.Kind))
	o.some("log_provider", a.Sensor)
	o.open("product")
	o.text("name", "telltale")
	o.text("vendor_name", "telltale")
	o.some("version", a.Program)
	o.close()
	o.strings("profiles", profiles)
	o.close()
}

func (o *object) ocsfInfo(a *alert.Alert) {
	o.open("finding_info")
	f := a.Finding
	if f != nil {
		o.text("uid", f.ID)
		o.signed("first_seen_time", millis(f.FirstSeen))
		o.signed("last_seen_time", millis(f.LastSeen))
	} else {
		o.text("uid", a.ID)
	}
	o.text("title", a.Title())
	o.text("desc", message(a))
	o.open("analytic")
	o.number("type_id", ocsfRule)
	o.text("uid", a.Rule())
	o.text("name", a.Title())
	o.some("version", a.Packs)
	o.close()
	o.close()
}

// ocsfEvidence appends the latest contact.
func (o *object) ocsfEvidence(f *detect.Finding) {
	c := &f.Contact
	o.b = append(o.b, '{')
	o.ocsfEndpoint("src_endpoint", c.Client, f)
	o.ocsfEndpoint("dst_endpoint", c.Server, f)
	o.ocsfConnection(c)
	if c.Name != "" && c.Proto == capture.ProtoDNS {
		o.open("query")
		o.text("hostname", c.Name)
		o.close()
	}
	o.close()
}

func (o *object) ocsfEndpoint(key string, end netip.AddrPort, f *detect.Finding) {
	c := &f.Contact
	o.open(key)
	o.text("ip", end.Addr().String())
	if end.Port() != 0 {
		o.number("port", uint64(end.Port()))
	}
	if end == c.Server && c.Proto != capture.ProtoDNS && !isAddress(c.Name) {
		o.some("hostname", c.Name)
	}
	if p := f.Foreign; p != nil && p.Addr == end.Addr() {
		if p.ASN != 0 {
			o.open("autonomous_system")
			o.number("number", uint64(p.ASN))
			o.some("name", p.ASName)
			o.close()
		}
		if p.Country != "" {
			o.open("location")
			o.text("country", p.Country)
			o.close()
		}
	}
	o.close()
}

func (o *object) ocsfConnection(c *detect.Contact) {
	o.open("connection_info")
	o.number("direction_id", 0) // what is inbound is the receiver's to say
	o.some("protocol_name", transport(c.Transport))
	if c.Transport != 0 {
		o.number("protocol_num", uint64(c.Transport))
	}
	o.number("protocol_ver_id", ipVersion(c))
	o.some("community_uid", communityID(c))
	o.close()
}

func (o *object) ocsfObservables(f *detect.Finding) {
	type observable struct {
		name, value string
		kind        uint64
	}
	all := []observable{{"device.ip", f.Host.Addr.String(), ocsfIP}}
	if mac := macText(f.Host.MAC); mac != "" {
		all = append(all, observable{"device.mac", mac, ocsfMAC})
	}
	if c := &f.Contact; c.Server.IsValid() {
		all = append(all, observable{"evidences[0].dst_endpoint.ip", c.Server.Addr().String(), ocsfIP})
		if c.Name != "" && c.Proto == capture.ProtoDNS {
			all = append(all, observable{"evidences[0].query.hostname", c.Name, ocsfHostname})
		} else if c.Name != "" && !isAddress(c.Name) {
			all = append(all, observable{"evidences[0].dst_endpoint.hostname", c.Name, ocsfHostname})
		}
	}
	o.list("observables", len(all), func(i int) {
		o.b = append(o.b, '{')
		o.text("name", all[i].name)
		o.number("type_id", all[i].kind)
		o.text("value", all[i].value)
		o.close()
	})
}

// ocsfBookkeeping appends the numbers by which a receiver checks that nothing is missing.
func (o *object) ocsfBookkeeping(a *alert.Alert) {
	o.open("unmapped")
	o.some("epoch", epochText(a))
	for _, n := range bookkeeping(a) {
		o.text(n.name, strconv.FormatUint(n.value, 10))
	}
	o.close()
}

// ocsfOwn appends what the class has no attribute for.
func (o *object) ocsfOwn(a *alert.Alert) {
	f := a.Finding
	o.open("unmapped")
	o.some("epoch", epochText(a))
	o.some("vendor", f.Vendor)
	o.some("product", f.Product)
	o.text("class", f.Class.String())
	o.text("attempts", strconv.FormatUint(f.Attempts, 10))
	o.text("exchanges", strconv.FormatUint(f.Exchanges, 10))
	o.strings("functions", functionNames(f))
	o.strings("names", f.Names)
	o.strings("facts", factTexts(f))
	o.strings("roles", f.Roles)
	o.strings("policies", policyIDs(f))
	o.close()
}
