package reports

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"

	"github.com/twiceless/twiceless/sim/history"
)

// Cell is one stack under one fault kind: what its measuring runs add up to. Its fields are those of results.json.
type Cell struct {
	Stack     string  `json:"stack"`
	Fault     string  `json:"fault"`
	Runs      int     `json:"runs"`
	FaultsHit int     `json:"faults_hit"` // runs whose fault fired and touched work in flight
	Offered   int64   `json:"offered"`
	Accepted  int64   `json:"accepted"`
	Buckets   Buckets `json:"buckets"`

	Duplicates        int64   `json:"duplicates"` // critical excess
	DuplicatesByClass Classes `json:"duplicates_by_class"`
	Transient         int64   `json:"transient"`
	Losses            int64   `json:"losses"`
	LostSilent        int64   `json:"lost_silent"`
	LostKnown         int64   `json:"lost_known"`
	Partial           int64   `json:"partial"`
	Stuck             int64   `json:"stuck"`
	Parked            int64   `json:"parked"`
	ParkedAfter       int64   `json:"parked_after_replay"`
	Late              int64   `json:"late"`
	Degraded          int64   `json:"degraded"`
	Reorders          int64   `json:"reorders"`
	Phantoms          int64   `json:"phantoms"`
	Suppressed        int64   `json:"suppressed"`
	Redelivered       int64   `json:"redelivered"`
	RunsWithDuplicate int     `json:"runs_with_duplicate"`
	RunsWithLoss      int     `json:"runs_with_loss"`
	Worst             Worst   `json:"worst_run"`

	DuplicatesPerFault Interval `json:"duplicates_per_fault"`
	LossesPerFault     Interval `json:"losses_per_fault"`
	PDuplicate         Interval `json:"p_duplicate"`
	PLoss              Interval `json:"p_loss"`

	Latency         Latency  `json:"latency_ms"`
	Recovery        Recovery `json:"recovery_ms"`
	CallsPerIntent  float64  `json:"calls_per_intent"`
	WritesPerIntent float64  `json:"writes_per_intent"`

	Contract string  `json:"contract"`
	Case     *string `json:"case"`

	notifyWorst, reorderWorst, parkedWorst, refusedWorst int64 // per run, for tables
	cannotHappen                                         bool
	sequential                                           bool // its runs stopped when they said enough
}

// Worst is the largest damage that one run of a cell took.
type Worst struct {
	Duplicates int64 `json:"duplicates"`
	Losses     int64 `json:"losses"`
}

// Classes are counts by effect class.
type Classes struct {
	Critical int64 `json:"critical"`
	State    int64 `json:"state"`
	Notify   int64 `json:"notify"`
	Derived  int64 `json:"derived"`
}

// Latency is in ms from the intended arrival: before the fault, and in it. 0 = no sample.
type Latency struct {
	P50        float64 `json:"p50"`
	P99        float64 `json:"p99"`
	P99InFault float64 `json:"p99_in_fault"`
}

// Recovery is in ms from the end of the fault to the last late effect. 0 = none.
type Recovery struct {
	P50 float64 `json:"p50"`
	P99 float64 `json:"p99"`
}

// Buckets are the intents by where they ended; they sum to the offered ones.
type Buckets [history.BucketCount]int64

// MarshalJSON writes all buckets by name, in the order in which they are tried.
func (b Buckets) MarshalJSON() ([]byte, error) {
	var out bytes.Buffer
	for i, n := range b {
		sep := byte(',')
		if i == 0 {
			sep = '{'
		}
		out.WriteByte(sep)
		fmt.Fprintf(&out, "%q:%d", history.Bucket(i), n)
	}
	out.WriteByte('}')
	return out.Bytes(), nil
}

// Cells returns one cell per stack and fault kind, by stack and then by column. Cells without runs are there too.
func Cells(in Input) []Cell { return newChart(in).cells }

// cell is a Cell with the rows it is made of.
type cell struct {
	Cell
	rows []*history.Row // by seed, without repetition
}

func plain(cells []cell) []Cell {
	out := make([]Cell, len(cells))
	for i := range cells {
		out[i] = cells[i].Cell
	}
	return out
}

// sums groups the measuring rows and adds them up, without estimates.
func sums(in Input) []cell {
	byPair := map[[2]string][]*history.Row{}
	for i := range in.Rows {
		if r := &in.Rows[i]; r.Plan == history.Measuring {
			pair := [2]string{r.Stack, r.Fault}
			byPair[pair] = append(byPair[pair], r)
		}
	}
	cells := make([]cell, 0, len(in.Stacks)*len(in.Faults))
	for _, s := range in.Stacks {
		for _, k := range in.Faults {
			pair := [2]string{s.Name, k.Name}
			c := cell{Cell: Cell{Stack: s.Name, Fault: k.Name, Contract: in.CellContracts[pair]}, rows: distinct(byPair[pair])}
			c.cannotHappen, c.sequential = in.CannotHappen[pair], in.Precision > 0
			if path, ok := in.Cases[pair]; ok {
				c.Case = &path
			}
			c.add()
			cells = append(cells, c)
		}
	}
	return cells
}

func distinct(rows []*history.Row) []*history.Row {
	slices.SortStableFunc(rows, func(a, b *history.Row) int { return cmp.Compare(a.Seed, b.Seed) })
	return slices.CompactFunc(rows, func(a, b *history.Row) bool { return a.Seed == b.Seed })
}

func (c *cell) add() {
	c.Runs = len(c.rows)
	for _, r := range c.rows {
		c.addRow(r)
	}
	b := &c.Buckets
	c.Duplicates = c.DuplicatesByClass.Critical
	c.LostSilent, c.LostKnown = b[history.LostSilent], b[history.LostKnown]
	c.Losses = c.LostSilent + c.LostKnown
	c.Partial, c.Stuck = b[history.Partial], b[history.StuckB]
	c.Late, c.Degraded = b[history.Late], b[history.Degraded]
	switch {
	case c.Contract != "":
	case c.Runs == 0 || !c.exercised():
		c.Contract = "vacuous"
	default:
		c.Contract = "unknown"
	}
}

func (c *cell) addRow(r *history.Row) {
	c.FaultsHit += one(r.FaultsHit > 0)
	c.Offered += r.Offered
	c.Accepted += r.Accepted
	for i, n := range r.Buckets {
		c.Buckets[i] += n
	}
	c.DuplicatesByClass.Critical += r.Excess[history.Critical]
	c.DuplicatesByClass.State += r.Excess[history.State]
	c.DuplicatesByClass.Notify += r.Excess[history.Notify]
	c.DuplicatesByClass.Derived += r.Excess[history.Derived]
	c.Transient += r.Transient
	c.Parked += r.Parked
	c.ParkedAfter += r.ParkedAfter
	c.Reorders += r.Reorders
	c.Phantoms += r.Phantoms
	c.Suppressed += r.Suppressed
	c.Redelivered += r.Redelivered
	c.RunsWithDuplicate += one(r.Excess[history.Critical] > 0)
	c.RunsWithLoss += one(r.Losses() > 0)
	c.Worst.Duplicates = max(c.Worst.Duplicates, r.Excess[history.Critical])
	c.Worst.Losses = max(c.Worst.Losses, r.Losses())
	c.notifyWorst = max(c.notifyWorst, r.Excess[history.Notify])
	c.reorderWorst = max(c.reorderWorst, r.Reorders)
	c.parkedWorst = max(c.parkedWorst, r.Parked)
	c.refusedWorst = max(c.refusedWorst, r.Buckets[history.RefusedB])
}

// touched is the number of runs that a zero rests on: those whose fault met work in flight, all of the control.
func (c *Cell) touched() int {
	if c.Fault == Control {
		return c.Runs
	}
	return c.FaultsHit
}

// exercised says whether a clean cell says anything at all.
func (c *Cell) exercised() bool { return c.touched() > 0 }

// estimate fills in what is computed rather than counted.
func (c *cell) estimate() {
	var calm, inFault [history.LatencyBuckets]int64
	var recoveries []int64
	var calls, writes int64
	for _, r := range c.rows {
		for i := range calm {
			calm[i] += int64(r.Calm[i])
			inFault[i] += int64(r.InFault[i])
		}
		if r.Recovery >= 0 {
			recoveries = append(recoveries, r.Recovery)
		}
		calls += r.Calls
		writes += r.Writes
	}
	slices.Sort(recoveries)
	c.DuplicatesPerFault = c.mean(criticalExcess)
	c.LossesPerFault = c.mean(lostIntents)
	c.PDuplicate, c.PLoss = c.share(c.RunsWithDuplicate), c.share(c.RunsWithLoss)
	c.Latency = Latency{latencyQuantile(&calm, 0.5), latencyQuantile(&calm, 0.99), latencyQuantile(&inFault, 0.99)}
	c.Recovery = Recovery{timeQuantile(recoveries, 0.5), timeQuantile(recoveries, 0.99)}
	c.CallsPerIntent = ratio(calls, c.Offered)
	c.WritesPerIntent = ratio(writes, c.Offered)
}

// mean is the mean of a count over the cell's runs.
func (c *cell) mean(count counter) Interval {
	counts := make([]int64, len(c.rows))
	for i, r := range c.rows {
		counts[i] = count(r)
	}
	iv := mean(counts, c.touched())
	if c.sequential && iv.Value == 0 {
		iv.Hi = c.share(0).Hi
	}
	return iv
}

// share is the share of k of the cell's runs, with an interval that holds for the way in which their number came about.
func (c *cell) share(k int) Interval {
	switch {
	case !c.sequential:
		return share(k, c.Runs, c.touched())
	case k == 0:
		return Interval{Hi: rounded(openAt(c.touched(), true))}
	}
	lo, hi := sequence(k, c.Runs)
	return Interval{ratio(int64(k), int64(c.Runs)), rounded(lo), rounded(hi)}
}

// outside says that the cell's faults exceed what the stack says it withstands.
func (c *Cell) outside() bool { return c.Contract == "outside" }

func one(b bool) int {
	if b {
		return 1
	}
	return 0
}
