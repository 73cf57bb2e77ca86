package rng

// Constants of SplitMix64 (Steele, Lea, Flood 2014) and one odd multiplier
// that makes Combine depend on the order of its words.
const (
	gamma    = 0x9e3779b97f4a7c15
	mixA     = 0xbf58476d1ce4e5b9
	mixB     = 0x94d049bb133111eb
	orderMul = 0xd1342543de82ef95

	fnvOffset = 0xcbf29ce484222325
	fnvPrime  = 0x100000001b3
)

// Mix is the SplitMix64 finaliser: a bijection of the 64-bit words in which
// every input bit affects every output bit. Mix(0) is 0.
func Mix(x uint64) uint64 {
	x = (x ^ x>>30) * mixA
	x = (x ^ x>>27) * mixB
	return x ^ x>>31
}

// Hash returns the FNV-1a 64 hash of the bytes of s, passed through Mix. The
// empty string has a hash like any other.
func Hash(s string) uint64 {
	h := uint64(fnvOffset)
	for i := 0; i < len(s); i++ {
		h = (h ^ uint64(s[i])) * fnvPrime
	}
	return Mix(h)
}

// Combine folds one word into h. It depends on order: folding a then b differs
// from folding b then a. For a fixed h it is a bijection in word, and for a
// fixed word a bijection in h. With word = 0, 1, 2… it is a SplitMix64 sequence.
func Combine(h uint64, word uint64) uint64 {
	return Mix(h*orderMul + (word+1)*gamma)
}

// ActionOf returns the Action word of a Key: the hashes of the event, the stage
// and the operation ("service.op"), combined in this order. Every part may be
// empty; ("ab", "c", op) and ("a", "bc", op) differ.
func ActionOf(event, stage, op string) uint64 {
	return Combine(Combine(Hash(event), Hash(stage)), Hash(op))
}

// Purpose says what a draw decides. The table is closed; the numbers are part
// of every recorded case, so new purposes are added at the end only. The zero
// value is invalid: a Key with it panics when drawn from.
type Purpose uint8

// The purposes.
const (
	Arrival        Purpose = iota + 1 // when an event arrives
	EntityKey                         // which entity an event is about
	Size                              // how large a message or record is
	RequestLatency                    // network latency towards the service
	ReplyLatency                      // network latency of the reply
	Loss                              // whether a message is lost
	Error                             // whether an operation fails
	ServiceTime                       // how long a service works
	DiskTime                          // how long a disk operation takes
	Torn                              // where a write tears in a crash
	Jitter                            // back-off and timer jitter
	Target                            // which replica, node or partition is chosen
	Background                        // heartbeats, polls and scans

	purposeEnd // one past the last purpose
)

// purposeTable holds the name of each purpose; it is never written.
var purposeTable = [purposeEnd]string{
	"", "arrival", "entity-key", "size", "request-latency", "reply-latency",
	"loss", "error", "service-time", "disk-time", "torn", "jitter", "target",
	"background",
}

// Valid reports whether p is one of the purposes above.
func (p Purpose) Valid() bool { return p > 0 && p < purposeEnd }

// String returns the name of p, such as "request-latency", or "invalid-purpose"
// for the zero value and for numbers outside the table.
func (p Purpose) String() string {
	if !p.Valid() {
		return "invalid-purpose"
	}
	return purposeTable[p]
}

// Key names one domain action. A draw is a pure function of (key, step): it
// does not depend on what else was drawn, before or after.
type Key struct {
	Seed    uint64  // of the run; any value, 0 included
	Purpose Purpose // what the draw decides; zero panics
	Action  uint64  // from ActionOf, or a Combine of (link, kind, counter)
	Attempt uint32  // the n-th time the world sees this action, from 0
}

// prefix folds all of k but the step, in one round for speed: purpose and attempt
// are spread by an odd multiplier and added to the action. Two actions, being
// hashes, meet with probability 2^-64. It panics if the purpose is invalid.
func (k Key) prefix() uint64 {
	if k.Purpose-1 >= purposeEnd-1 {
		panic("rng: draw from a Key without a valid Purpose")
	}
	return Combine(k.Seed, k.Action+(uint64(k.Purpose)<<32|uint64(k.Attempt))*mixB)
}

// At returns the raw 64-bit draw of the given step, counted from 0 within the
// action. It panics if k.Purpose is invalid.
func (k Key) At(step uint32) uint64 {
	return Combine(k.prefix(), uint64(step))
}

// Source returns the draws of k in order, beginning with step 0: the i-th
// Uint64 equals k.At(i). It panics if k.Purpose is invalid.
func (k Key) Source() Draws { return Draws{prefix: k.prefix()} }

// Source is where 64-bit draws come from: *Draws and *Stream.
type Source interface {
	// Uint64 returns the next draw, uniform over all 64-bit words.
	Uint64() uint64
}

// Draws yields the draws of one Key in order. It is a small value: a copy
// continues on its own from the same step. It comes from Key.Source only.
type Draws struct {
	prefix uint64
	step   uint32
}

// Uint64 returns the draw of the current step and moves to the next one. The
// step wraps to 0 after 2^32 draws.
func (d *Draws) Uint64() uint64 {
	u := Combine(d.prefix, uint64(d.step))
	d.step++
	return u
}
