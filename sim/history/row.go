package history

import (
	"strconv"
	"strings"
)

// Bucket is where an intent ends. Each intent ends in exactly one.
type Bucket uint8

// The buckets, in the order in which they are tried.
const (
	Duplicated Bucket = iota
	Partial
	Degraded
	Late
	Done
	RefusedB
	ParkedB
	StuckB
	AbsentUnknown
	LostKnown
	LostSilent
	BucketCount
)

// bucketTable names the buckets in files.
var bucketTable = [BucketCount]string{"duplicated", "partial", "degraded", "late", "done", "refused", "parked", "stuck", "absent_unknown", "lost_known", "lost_silent"}

// String is the bucket's name in files.
func (b Bucket) String() string { return bucketTable[b] }

// LatencyBuckets is the number of log-spaced latency buckets: bucket i counts latencies in
// [LatencyEdge(i), LatencyEdge(i+1)), the last one everything above.
const LatencyBuckets = 64

// LatencyEdge is the lower edge of a bucket in ns: 0 for bucket 0, then three buckets per doubling from 1 ms, to
// half an hour.
// The edges are integers, the same on every machine.
func LatencyEdge(i int) int64 {
	if i <= 0 {
		return 0
	}
	// 1 ms · 2^((i-1)/3), with the third steps of a doubling as integer per mille.
	third := [3]int64{1000, 1260, 1587}
	j := i - 1
	return (int64(1_000_000) << (j / 3)) / 1000 * third[j%3]
}

// LatencyBucket is the bucket of a latency in ns.
func LatencyBucket(ns int64) int {
	lo, hi := 0, LatencyBuckets-1
	for lo < hi {
		mid := (lo + hi + 1) / 2
		if LatencyEdge(mid) <= ns {
			lo = mid
		} else {
			hi = mid - 1
		}
	}
	return lo
}

// Latencies are counts per bucket.
type Latencies [LatencyBuckets]int32

// Plan types of a row.
const (
	Measuring = "measuring"
	Hunting   = "hunting"
	Poisson   = "poisson" // many faults, as often as an exposure profile says times a multiplier; no cell counts them
)

// HuntFault stands in rows and cases of hunting plans for the fault kind: such a plan may hold several kinds, or none.
const HuntFault = "hunt"

const poissonPrefix = "poisson-x"

// PoissonFault stands in rows and cases of Poisson plans for the fault kind: all kinds of a profile may be in them.
func PoissonFault(multiplier int64) string { return poissonPrefix + strconv.FormatInt(multiplier, 10) }

// ParsePoissonFault reads what PoissonFault writes.
func ParsePoissonFault(name string) (multiplier int64, ok bool) {
	n, err := strconv.ParseInt(strings.TrimPrefix(name, poissonPrefix), 10, 64)
	return n, err == nil && n > 0 && PoissonFault(n) == name
}

// Row is the flat record of one run: integers only. Its first six fields are its key.
type Row struct {
	Scenario string `json:"scenario"` // scenario hash
	Epoch    int    `json:"epoch"`
	Stack    string `json:"stack"`
	Fault    string `json:"fault"`
	Plan     string `json:"plan"` // measuring, hunting or poisson
	Seed     uint64 `json:"seed"`

	Offered  int64              `json:"offered"`
	Accepted int64              `json:"accepted"`
	Buckets  [BucketCount]int64 `json:"buckets"` // sum to Offered

	Excess      [ClassCount]int64 `json:"excess"` // by class, index 0 unused
	Transient   int64             `json:"transient"`
	Phantoms    int64             `json:"phantoms"`
	Reorders    int64             `json:"reorders"`
	Suppressed  int64             `json:"suppressed"`
	Redelivered int64             `json:"redelivered"`
	Parked      int64             `json:"parked"`              // when the first drain ended, before any operator came
	ParkedAfter int64             `json:"parked_after_replay"` // at the end: the bucket parked
	FaultsFired int64             `json:"faults_fired"`
	FaultsHit   int64             `json:"faults_hit"` // fired and touched work in flight
	Calls       int64             `json:"calls"`
	Writes      int64             `json:"writes"`  // records that any component wrote to a disk: log, positions, rows, marks
	Outside     bool              `json:"outside"` // the plan lies outside the stack's envelope

	Violations map[string]int64 `json:"violations"` // by property
	Undecided  map[string]int64 `json:"undecided"`
	Exercised  map[string]int64 `json:"exercised"`
	Seen       map[string]int64 `json:"seen"`         // by noted property: counted, promised by nobody
	Prints     []string         `json:"fingerprints"` // sorted, distinct

	Events     int64  `json:"events"`      // kernel events
	IdleEvents int64  `json:"idle_events"` // of them background
	SimTime    int64  `json:"sim_time"`    // ns
	BusyTime   int64  `json:"busy_time"`   // consumer ns with work in hand during chaos, all members
	Stop       string `json:"stop"`
	Digest     string `json:"digest"` // 16 hex digits

	Calm     Latencies `json:"calm"`
	InFault  Latencies `json:"in_fault"`
	After    Latencies `json:"after"`
	Recovery int64     `json:"recovery"` // ns from the end of the last fault to the last late effect; -1 = no fault
}

// Key is what identifies a row: two rows with one key must be equal.
type Key struct {
	Scenario           string
	Epoch              int
	Stack, Fault, Plan string
	Seed               uint64
}

// Key returns the first six fields.
func (r *Row) Key() Key { return Key{r.Scenario, r.Epoch, r.Stack, r.Fault, r.Plan, r.Seed} }

// Losses are the intents lost with or without a trace.
func (r *Row) Losses() int64 { return r.Buckets[LostKnown] + r.Buckets[LostSilent] }
