package alert

import (
	"telltale/detect"
)

// Rule names what an Alert is an instance of: pack id and class, as in
// "kaspersky/installed", or the kind and what it is about. It holds nothing of the
// traffic, so receivers may count and map by it.
func (a *Alert) Rule() string {
	f := a.Finding
	if f == nil {
		return string(a.Kind)
	}
	switch f.Topic {
	case detect.AboutLookalike, detect.AboutSinkhole:
		return f.Vendor + "/" + f.Topic.String()
	case detect.AboutForeign:
		return "foreign/" + place(f)
	case detect.AboutEncryptedDNS:
		return string(EncryptedDNS)
	}
	return f.Vendor + "/" + f.Class.String()
}

// Title says in a few words what an Alert tells. Like Rule it holds nothing of the
// traffic.
func (a *Alert) Title() string {
	f := a.Finding
	if f == nil {
		return string(a.Kind)
	}
	title := ""
	switch f.Topic {
	case detect.AboutLookalike:
		title = "look-alike of " + f.Vendor
	case detect.AboutSinkhole:
		title = "sinkhole of " + f.Vendor + " contacted"
	case detect.AboutForeign:
		title = "foreign network range " + place(f)
	case detect.AboutEncryptedDNS:
		title = "encrypted DNS in use"
	default:
		title = f.Vendor
		if f.Product != "" {
			title += " " + f.Product
		}
		title += " " + f.Class.String()
	}
	if a.Kind == FindingCleared {
		title += ", cleared"
	}
	return title
}

// place names the range of a foreign Finding: its registry country, or why it is
// watched where there is none.
func place(f *detect.Finding) string {
	if f.Foreign == nil {
		return "unknown"
	}
	if f.Foreign.Country != "" {
		return f.Foreign.Country
	}
	return f.Foreign.Reason
}
