package sink

import (
	"cmp"
	"crypto/sha256"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"

	"telltale/alert"
	"telltale/alert/format"
)

// Entry is one receiver in the configuration: one item of the list sinks.
type Entry struct {
	// Name tells it from others in messages and in the outbox. Default: the type.
	Name string `yaml:"name"`
	// Type is the kind of receiver.
	Type string `yaml:"type"`
	// Format is how Alerts are written. Default: the type's first.
	Format string `yaml:"format"`
	// Filter says which Alerts it is given; its fields stand beside the others.
	alert.Filter `yaml:",inline"`
	// Batch is the most records handed over at once, 1 to 4096. Default 256.
	Batch int `yaml:"batch"`
	// ResendSpan and ResendRecords are what is sent again after a lost connection to a
	// receiver that does not acknowledge.
	ResendSpan    time.Duration `yaml:"resend_span"`
	ResendRecords int           `yaml:"resend_records"`
	// Protocols are those of the observation log: dns, tls ... Empty is all. Only in
	// entries of the list observations.
	Protocols []string `yaml:"protocols"`

	node  ast.Node          // where it stands in the file, for messages
	rest  yaml.MapSlice     // settings of the type
	files [sha256.Size]byte // content of the files they name, when the sink was made
}

// maxBatch bounds the records of one Send.
const maxBatch = 4096

// common are the keys that every type knows.
var common = []string{
	"name", "type", "format", "kinds", "classes", "vendors", "policies", "min_severity",
	"batch", "resend_span", "resend_records", "protocols",
}

// UnmarshalYAML keeps what only the type understands for Decode.
func (e *Entry) UnmarshalYAML(decode func(any) error) (err error) {
	type plain Entry
	var at place
	var all yaml.MapSlice
	if err := errors.Join(decode(&at), decode(&all)); err != nil {
		return err
	}
	if len(ast.Filter(ast.AliasType, at.Node)) > 0 { // only decode knows what they stand for
		if at.Node, err = yaml.ValueToNode(all); err != nil {
			return err
		}
	}
	if err := yaml.NodeToValue(at.Node, (*plain)(e)); err != nil {
		return err
	}
	e.node = at.Node
	e.rest = slices.DeleteFunc(all, func(i yaml.MapItem) bool {
		return slices.Contains(common, fmt.Sprint(i.Key))
	})
	return nil
}

// place is where something stands in a file.
type place struct{ ast.Node }

// UnmarshalYAML implements yaml.NodeUnmarshaler.
func (p *place) UnmarshalYAML(n ast.Node) error {
	p.Node = n
	return nil
}

// Decode reads the settings of the type into v, a pointer to a struct with yaml tags.
// What the struct does not have is an error.
func (e *Entry) Decode(v any) error {
	all, ok := e.node.(*ast.MappingNode)
	if !ok {
		return nil // there is nothing
	}
	own := *all
	own.Values = slices.DeleteFunc(slices.Clone(all.Values), func(i *ast.MappingValueNode) bool {
		return slices.Contains(common, i.Key.String())
	})
	if err := yaml.NodeToValue(&own, v, yaml.Strict()); err != nil {
		return errors.New(yaml.FormatError(err, false, true))
	}
	return nil
}

// Equal says that two entries, of which sinks were made, made the same: settings, and the
// content of files of credentials, are equal.
func (e *Entry) Equal(o *Entry) bool {
	a, b := *e, *o
	a.node, b.node = nil, nil
	return fmt.Sprintf("%#v", a) == fmt.Sprintf("%#v", b)
}

// Wrap says of err that it is about e, the entry at index i of its list.
func (e *Entry) Wrap(i int, err error) error {
	return fmt.Errorf("sink %d (%s): %w", i+1, cmp.Or(e.Name, e.Type), err)
}

// names are what may stand in a file name, a subject and a table.
var names = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$`)

// Targets makes the sinks of a configuration, and returns all that is wrong with it.
func Targets(list []Entry) ([]alert.Target, error) {
	var targets []alert.Target
	var errs []error
	seen := map[string]bool{}
	for i := range list {
		t, err := list[i].target()
		if err == nil && seen[t.Name] {
			err = errors.New("the name is taken: give each sink one of its own")
		}
		if err != nil {
			errs = append(errs, list[i].Wrap(i, err))
			continue
		}
		seen[t.Name] = true
		targets = append(targets, t)
	}
	if err := errors.Join(errs...); err != nil {
		for _, t := range targets {
			_ = t.Sink.Close()
		}
		return nil, err
	}
	return targets, nil
}

// target makes the sink of one entry.
func (e *Entry) target() (t alert.Target, err error) {
	kind, ok := typeNamed(e.Type)
	if !ok {
		return t, fmt.Errorf("unknown type %q: use one of %s", e.Type, typeNames())
	}
	f, err := e.defaults(kind)
	if err := errors.Join(err, e.validate(kind)); err != nil {
		return t, err
	}
	e.files = e.named()
	s, err := kind.New(e)
	if err != nil {
		return t, err
	}
	return alert.Target{
		Name: e.Name, Sink: s, Encode: f.Append, Filter: e.Filter, Batch: e.Batch,
		Window: alert.Window{Records: e.ResendRecords, Span: e.ResendSpan},
	}, nil
}

// defaults fills in what was not given and finds the format.
func (e *Entry) defaults(kind Type) (format.Format, error) {
	if e.Name == "" {
		e.Name = e.Type
	}
	if e.Format == "" {
		e.Format = "native"
		if len(kind.Formats) > 0 {
			e.Format = kind.Formats[0]
		}
	}
	if e.ResendRecords == 0 {
		e.ResendRecords = kind.Window.Records
	}
	if e.ResendSpan == 0 {
		e.ResendSpan = kind.Window.Span
	}
	if len(kind.Formats) > 0 && !slices.Contains(kind.Formats, e.Format) {
		return format.Format{}, fmt.Errorf("format %q is not for this type: use one of %s", e.Format, strings.Join(kind.Formats, ", "))
	}
	return format.ByName(e.Format)
}

func (e *Entry) validate(kind Type) error {
	errs := []error{e.Filter.Validate()}
	bad := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	if !names.MatchString(e.Name) {
		bad("name %q: use up to 64 letters, digits, dots, hyphens and underscores", e.Name)
	}
	if e.Batch < 0 || e.Batch > maxBatch {
		bad("batch must be 1 to %d, not %d", maxBatch, e.Batch)
	}
	if e.ResendRecords < 0 || e.ResendSpan < 0 {
		bad("resend_records and resend_span must not be negative")
	}
	if kind.Acked && (e.ResendRecords > 0 || e.ResendSpan > 0) {
		bad("resend_records and resend_span are for receivers that do not acknowledge: remove them")
	}
	if len(e.Protocols) > 0 {
		bad("protocols belong to entries of observations: remove them")
	}
	return errors.Join(errs...)
}
