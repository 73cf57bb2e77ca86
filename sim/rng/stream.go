package rng

// Stream is a named sequence of draws, for what happens in order to one owner
// (the nemesis, election jitter). Anything that belongs to a domain action uses
// a Key instead. The zero value is a valid stream with no seed and no name;
// a copy continues on its own.
type Stream struct {
	base  uint64
	count uint64
}

// NewStream returns the stream of that seed and name, at its first draw. Two
// names, or two seeds, give unrelated streams; no stream shares draws with a Key.
func NewStream(seed uint64, name string) Stream {
	// Two rounds where a Key has one, so that a Key with Action Hash(name) is apart.
	return Stream{base: Combine(Combine(seed, Hash(name)), 0)}
}

// Uint64 returns the next draw.
func (s *Stream) Uint64() uint64 {
	u := Combine(s.base, s.count)
	s.count++
	return u
}

// Count returns how many draws were taken.
func (s *Stream) Count() uint64 { return s.count }
