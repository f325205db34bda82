package feeds

// Indicator is one line of vendor knowledge. It is read-only once loaded.
type Indicator struct {
	// ID is vendor:kind:value. It stays the same as long as the value does.
	ID      string
	Vendor  string // id of the pack
	Product string // product or product family, empty if any of the vendor's
	Kind    Kind
	Value   string

	Function   Function
	Implies    Class // the most a contact can show by itself
	Confidence Confidence
	Sources    []string // ids in the pack's source map
	// Seen is the date (YYYY-MM-DD) that the newest source states, or on which it
	// was consulted where it states none.
	Seen string
	Note string

	// Shared marks a value that others than the vendor use too: a port anybody may
	// choose, a name or range that serves customers.
	Shared bool
	// Misleading marks a value whose contact is known to prove nothing, whatever else
	// is seen. It is matched so that it can be explained, and never raises a Finding.
	Misleading bool
	// Listener is set for ports.
	Listener Listener
	// Feed is the name of the list an Indicator stands for, empty for one of a pack.
	// Its Value is "@" and that name, whichever entry of the list is met.
	Feed string
	// Families maps texts in a matched body to product families, sorted by Token.
	Families []Family

	File string // pack file, for messages
	Line int    // 1-based line of the entry in File
}

// Doubtful reports whether i never shows more than Likely, whatever it claims.
func (i *Indicator) Doubtful() bool { return i.Confidence == Low || i.Unchecked() }

// Unchecked reports whether memory is the only source.
func (i *Indicator) Unchecked() bool {
	for _, s := range i.Sources {
		if s != Recalled {
			return false
		}
	}
	return len(i.Sources) > 0
}

// Family is a product family and the text that stands for it in a body.
type Family struct {
	Token string
	Name  string
}

// Match is one Indicator met by what was looked up.
type Match struct {
	Indicator *Indicator // never nil
	Vendor    *Vendor    // never nil
	Kind      Kind       // of the Indicator
	// Start is where in the name looked up the listed name begins; 0 for all else.
	Start uint16
	// Lookalike marks a name that imitates the vendor: no contact with the vendor.
	Lookalike bool
	// Sinkhole marks contact with a malware trap the vendor runs: the host is
	// infected, it does not run the vendor's software.
	Sinkhole bool
	// Families has bit i set if Indicator.Families[i] was named in the body.
	Families uint64
}

// Products returns the product families named in the body, else the Indicator's product.
func (m Match) Products() []string {
	var out []string
	for i, f := range m.Indicator.Families {
		if m.Families&(1<<i) != 0 {
			out = append(out, f.Name)
		}
	}
	if out == nil && m.Indicator.Product != "" {
		out = append(out, m.Indicator.Product)
	}
	return out
}
