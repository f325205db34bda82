package decode

// Add adds the counts of o, those of another Decoder.
func (s *Stats) Add(o Stats) {
	if s.First == 0 || o.First != 0 && o.First < s.First {
		s.First = o.First
	}
	s.Last = max(s.Last, o.Last)
	for i := range s.Reasons {
		s.Reasons[i] += o.Reasons[i]
	}
	f, g := &s.Fragments, &o.Fragments
	f.Fragments += g.Fragments
	f.Duplicate += g.Duplicate
	f.Malformed += g.Malformed
	f.Cut += g.Cut
	f.Late += g.Late
	f.Begun += g.Begun
	f.Complete += g.Complete
	f.TimedOut += g.TimedOut
	f.Evicted += g.Evicted
	f.Overlapping += g.Overlapping
	f.NoRoom += g.NoRoom
	f.Held += g.Held
	f.HeldBytes += g.HeldBytes
}
