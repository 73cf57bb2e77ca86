package history

// Fact is one domain fact. Facts are values; the strings in them are shared, never changed.
//
// The first block is what every fact has. The second is detail whose meaning the kind states (kinds.go).
type Fact struct {
	ID          int64   // 1, 2, 3 … in order of recording
	Time        int64   // ns since the start of the world, global time
	Node        string  // role-n of the node where it happened; "" = the world itself
	Incarnation int32   // boots of that node so far, from 1; 0 = the world itself
	Kind        Kind    //
	Cause       int64   // id of the fact that led here; 0 = none
	Event       string  // intent, for instance order-117; "" = none
	Stage       string  // stage of the flow; "" = none
	Attempt     int32   // the n-th time the world sees this action (event, stage, service.op), from 1; 0 = not an action
	Fence       int64   // generation, lease token or producer epoch under which it acted; -1 = none
	Outcome     Outcome //

	Resource string // topic/partition, service, group, store, object
	Op       string // operation at the resource
	Key      string // business key
	Value    string // argument or result of a judged operation
	Offset   int64  // position in a log; -1 = none
	Until    int64  // a time this fact speaks of; 0 = none
	Hash     uint64 // payload hash of an effect; 0 = none
	Changed  bool   // whether state moved
	Class    Class  // class of an effect
	Note     string // file:line, reason, text of a fault

	// Site is file:line of the code that did this, where somebody asked for sites; "" = unknown. It is no part of
	// what happened: digests leave it out.
	Site string
}

// Requirement is one effect that an intent needs.
type Requirement struct {
	Stage    string `json:"stage"`
	Resource string `json:"resource"`
	Class    Class  `json:"-"`
	ClassTag string `json:"class"`
}

// Header says what a history is a history of. It is the first line of a history file.
type Header struct {
	Format   string        `json:"format"`   // always "twiceless-history"
	Version  int           `json:"version"`  // FormatVersion
	Epoch    int           `json:"epoch"`    // model epoch
	Scenario string        `json:"scenario"` // name
	Hash     string        `json:"hash"`     // scenario hash
	Stack    string        `json:"stack"`
	Seed     uint64        `json:"seed,string"`
	Plan     []string      `json:"plan"`              // text of each fault
	Planted  []string      `json:"planted,omitempty"` // names of the bugs that the world was built with
	Requires []Requirement `json:"requires"`
	Ordered  bool          `json:"ordered"`        // the scenario promises nothing by this; checkers count reorders per key
	Chaos    [2]int64      `json:"chaos"`          // begin and end of the chaos phase, ns
	Deadline int64         `json:"deadline"`       // ns from the intended arrival after which done is late; 0 = never
	Heal     int64         `json:"heal,omitempty"` // ns after the last fault within which all work is to come to an end; 0 = nothing is said of that
}

// FormatVersion of history files.
const FormatVersion = 1

// History is the append-only list of facts of one run. The zero value is an empty history without a header.
// It is not safe for concurrent use: one world writes it, then judges read it.
type History struct {
	Header Header
	Facts  []Fact
	limit  int
	over   bool
	digest uint64
}

// DefaultLimit is the number of facts a run may record before it stops with a named limit.
const DefaultLimit = 4 << 20

// Reset empties the history and keeps its memory. limit 0 means DefaultLimit.
func (h *History) Reset(limit int) {
	if limit == 0 {
		limit = DefaultLimit
	}
	clear(h.Facts) // drop the strings of the run before
	*h = History{Facts: h.Facts[:0], limit: limit, digest: digestSeed}
}

// Record appends a fact, gives it the next id and returns that id. Beyond the limit nothing is recorded and
// Full turns true: the kernel then ends the run and names the limit.
func (h *History) Record(f Fact) int64 {
	if h.limit == 0 {
		h.limit, h.digest = DefaultLimit, digestSeed
	}
	if len(h.Facts) >= h.limit {
		h.over = true
		return int64(len(h.Facts))
	}
	f.ID = int64(len(h.Facts)) + 1
	if f.Cause < 0 || f.Cause >= f.ID {
		panic("history: a fact's cause must lie before it")
	}
	h.Facts = append(h.Facts, f)
	h.digest = foldFact(h.digest, &h.Facts[len(h.Facts)-1])
	return f.ID
}

// Full says whether a fact was refused because of the limit.
func (h *History) Full() bool { return h.over }

// Len is the number of facts.
func (h *History) Len() int { return len(h.Facts) }

// At returns the fact with that id; ids start at 1. It panics when there is none.
func (h *History) At(id int64) *Fact { return &h.Facts[id-1] }

// Digest folds every field of every fact in order, but for the source positions of deaths and calls: they are not part of what
// happened, and move with every edit of a file. Else two histories are equal exactly if their text is, and unequal
// histories have unequal digests but for a chance of 2^-64.
func (h *History) Digest() uint64 { return h.digest }

const digestSeed = 0x7477696365_6c6573

func foldFact(d uint64, f *Fact) uint64 {
	d = fold(d, uint64(f.Time))
	d = fold(d, uint64(f.Kind)|uint64(f.Outcome)<<8|uint64(f.Class)<<16|uint64(b2i(f.Changed))<<24|uint64(uint32(f.Incarnation))<<32)
	d = fold(d, uint64(f.Cause)<<32|uint64(uint32(f.Attempt)))
	d = fold(d, uint64(f.Fence))
	d = fold(d, uint64(f.Offset))
	d = fold(d, uint64(f.Until))
	d = fold(d, f.Hash)
	note := f.Note
	if f.Kind == KindUnwound || f.Kind == KindPanicked {
		note = "" // file and line
	}
	for _, s := range [...]string{f.Node, f.Event, f.Stage, f.Resource, f.Op, f.Key, f.Value, note} {
		d = foldString(d, s)
	}
	return d
}

func fold(d, w uint64) uint64 {
	d ^= w
	d *= 0x9E3779B97F4A7C15
	return d ^ d>>29
}

func foldString(d uint64, s string) uint64 {
	d = fold(d, uint64(len(s)))
	for len(s) >= 8 {
		d = fold(d, uint64(s[0])|uint64(s[1])<<8|uint64(s[2])<<16|uint64(s[3])<<24|
			uint64(s[4])<<32|uint64(s[5])<<40|uint64(s[6])<<48|uint64(s[7])<<56)
		s = s[8:]
	}
	var w uint64
	for i := range len(s) {
		w |= uint64(s[i]) << (8 * i)
	}
	return fold(d, w)
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}
