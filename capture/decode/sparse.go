package decode

// sparse holds a few values by 16-bit number. A number that is not in it mostly
// costs a single load. At most 255 values.
type sparse[T any] struct {
	first   [256]uint8 // by low byte: place of an entry, + 1
	entries []sparseEntry[T]
}

type sparseEntry[T any] struct {
	value  T
	number uint16
	next   uint8 // place of the next entry with the same low byte, + 1
}

// add puts value in the place of number, before any that was there.
func (s *sparse[T]) add(number uint16, value T) bool {
	first := &s.first[uint8(number)]
	s.entries = append(s.entries, sparseEntry[T]{value: value, number: number, next: *first})
	*first = uint8(len(s.entries))
	return true
}

// find returns the value added last for number, nil if there is none.
func (s *sparse[T]) find(number uint16) *T {
	for i := s.first[uint8(number)]; i != 0; i = s.entries[i-1].next {
		if e := &s.entries[i-1]; e.number == number {
			return &e.value
		}
	}
	return nil
}
