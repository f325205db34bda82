package importer

import (
	"encoding/csv"
	"errors"
	"io"
	"slices"
	"strings"

	"telltale/feeds"
)

var _ = register(Format{
	Name: "csv", Help: "a table with a header, parted by comma, semicolon, tab or bar", Order: 110,
	Reach: feeds.ReachSuffix,
	looks: func(h *head) bool { _, ok := csvHead(string(h.text)); return ok && !h.json() },
	read:  readCSV,
})

// csvColumns are the names of columns that hold entries, as common feeds call them.
var csvColumns = [...]string{
	"domain", "domain_name", "hostname", "host", "fqdn", "indicator", "indicator_value", "ioc",
	"ioc_value", "value", "url", "ip", "ip_address", "dst_ip", "address", "cidr", "network", "prefix",
}

const csvDelimiters = ",;\t|"

// csvHead finds the header of a table: the first line that names a known column. It
// may be the comment before the data, as abuse.ch writes it.
func csvHead(text string) (delimiter rune, ok bool) {
	for line := range strings.Lines(text) {
		if d, columns := csvHeader(line); len(columns) > 0 {
			return d, true
		}
		if line = strings.TrimSpace(line); line != "" && line[0] != '#' {
			return 0, false
		}
	}
	return 0, false
}

// csvHeader returns the places of the columns with entries in a header.
func csvHeader(line string) (delimiter rune, columns []int) {
	line = strings.TrimSpace(strings.TrimLeft(strings.TrimPrefix(line, "\ufeff"), "# "))
	for _, d := range csvDelimiters {
		names := strings.Split(line, string(d))
		if len(names) < 2 {
			continue
		}
		for i, n := range names {
			n = strings.ReplaceAll(strings.ToLower(strings.Trim(strings.TrimSpace(n), `"'`)), " ", "_")
			if slices.Contains(csvColumns[:], n) {
				columns = append(columns, i)
			}
		}
		if len(columns) > 0 {
			return d, columns
		}
	}
	return 0, nil
}

// readCSV takes the columns that are named like entries.
func readCSV(in *input, out *sink) error {
	var columns []int
	var delimiter rune
	for len(columns) == 0 {
		line, ok := in.next(out)
		delimiter, columns = csvHeader(string(line))
		if !ok || len(columns) == 0 && len(line) > 0 && line[0] != '#' {
			return errors.New("no header: the first line must name a column like domain, hostname, ip, url or indicator")
		}
	}
	r := csv.NewReader(in.r)
	r.Comma, r.Comment, r.FieldsPerRecord, r.LazyQuotes, r.ReuseRecord = delimiter, '#', -1, true, true
	begun := in.line
	for !out.full() {
		record, err := r.Read()
		var wrong *csv.ParseError
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case errors.As(err, &wrong):
			out.bad(begun+wrong.Line, "%v", wrong.Err)
			continue
		case err != nil:
			return err
		}
		n, _ := r.FieldPos(0)
		in.line = begun + n
		readRecord(in.line, record, columns, out)
	}
	return nil
}

func readRecord(line int, record []string, columns []int, out *sink) {
	found := false
	for _, c := range columns {
		if c >= len(record) {
			continue
		}
		if v := strings.TrimSpace(record[c]); v != "" && v != "-" {
			found = true
			out.value(line, v, out.reach)
		}
	}
	if !found {
		out.bad(line, "no entry in column %d of %d", columns[0]+1, len(record))
	}
}
