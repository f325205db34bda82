package prefilter

// ways is the number of places a flow's hash leads to.
const ways = 2

// way is what is remembered of one direction of a flow. The epochs are those in which
// a packet without and one with data passed.
type way struct {
	tag   uint32 // 0 if free
	start uint32 // sequence number that the window lies around
	ack   uint32
	data  uint32
}

// table is the memory of a Model; in the kernel it is an array map.
type table struct {
	sets [][ways]way
}

func newTable(flows int) *table { return &table{sets: make([][ways]way, flows/ways)} }

// find returns the place of the flow with that hash and whether it was there. A new
// one gets the first place, what was there the second.
func (t *table) find(hash uint64) (w *way, known bool) {
	s := &t.sets[hash&uint64(len(t.sets)-1)]
	tag := uint32(hash>>32) | 1
	for i := range s {
		if s[i].tag == tag {
			return &s[i], true
		}
	}
	s[1] = s[0]
	s[0] = way{tag: tag}
	return &s[0], false
}
