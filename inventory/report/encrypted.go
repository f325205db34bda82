package report

import (
	"fmt"
	"strings"
	"text/tabwriter"
)

// maxEncrypted is the number of uses of encrypted resolvers printed.
const maxEncrypted = 20

// encrypted writes who asks resolvers in secret: names asked for there are not seen.
func (s *Summary) encrypted(b *strings.Builder) {
	list := s.Coverage.Encrypted
	if len(list) == 0 {
		return
	}
	fmt.Fprintf(b, "Encrypted DNS (%d): what these hosts ask there is not seen\n", len(list))
	t := tabwriter.NewWriter(b, 0, 8, 2, ' ', 0)
	row(t, "HOST\tRESOLVER\tOPERATOR\tKIND\tCONNECTIONS\tFIRST SEEN (UTC)\tLAST SEEN (UTC)")
	for _, u := range list[:min(len(list), maxEncrypted)] {
		row(t, "%s\t%s\t%s\t%s\t%d\t%s\t%s", u.Host, u.Resolver, dash(u.Operator), u.Kind, u.Connections, stamp(u.First), stamp(u.Last))
	}
	_ = t.Flush() // into memory
	if more := len(list) - maxEncrypted; more > 0 {
		fmt.Fprintf(b, "and %d more\n", more)
	}
	b.WriteByte('\n')
}
