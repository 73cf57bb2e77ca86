package blackbox_test

import (
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/twiceless/twiceless/checker/blackbox"
	"github.com/twiceless/twiceless/checker/isolation"
	"github.com/twiceless/twiceless/checker/ops"
)

// lists is a small database of lists, at a level that it is built with. It keeps what its clients see, as operations, and
// what happened, as versions in their true order.
type lists struct {
	dirty    bool // reads and writes what is not committed (else: snapshots)
	moving   bool // each statement has a snapshot of its own (else: one for the transaction)
	blind    bool // commits on top of what the transaction has not seen (else: first committer wins)
	skew     bool // does not look at commit whether reads still stand
	stale    int  // snapshots are up to so many commits old
	keys     [][]element
	commits  int
	at       int64
	rnd      *rand.Rand
	seen     []ops.Operation
	truth    isolation.History
	versions []int32 // by key, how many there are
	// A committed transaction has read what it could not after what it had read and appended itself.
	surprised bool
}

// element is what a list holds. One of a transaction that aborted stays in the record, not in the list.
type element struct {
	value   int64
	by      int
	commit  int // 0 = not committed
	aborted bool
	version int32
}

// inWork is a transaction in work.
type inWork struct {
	number    int
	program   []ops.Value // micro-operations
	done      []ops.Value
	snapshot  int
	reads     []reading
	appended  []appended
	made      []isolation.Op
	operation ops.Operation
	expected  map[int][]int64 // by key, what it has to read after what it has read and appended itself
	surprised bool            // it has read something else
}

type reading struct {
	key, length int
}

type appended struct {
	key int
	e   element
}

// shown is a list as a transaction sees it.
func (d *lists) shown(c *inWork, key int) (out []element) {
	for _, e := range d.keys[key] {
		if !e.aborted && (d.dirty || e.commit > 0 && e.commit <= c.snapshot) {
			out = append(out, e)
		}
	}
	for _, a := range c.appended {
		if a.key == key && !d.dirty {
			out = append(out, a.e)
		}
	}
	return out
}

func (d *lists) step(c *inWork) {
	if d.moving {
		c.snapshot = d.commits
	}
	m := c.program[len(c.done)]
	key := int(m.Items[1].Int)
	if m.Items[0].Text == "r" {
		list := ops.Value{Kind: ops.List}
		op := isolation.Op{Key: int32(key)}
		all := d.shown(c, key)
		for _, e := range all {
			list.Items = append(list.Items, ops.Value{Kind: ops.Int, Int: e.value})
		}
		for n := len(all); n > 0 && op.Version == isolation.Initial; n-- {
			if all[n-1].by != c.number {
				op.Version = all[n-1].version // what is below its own
			}
		}
		c.note(key, all)
		c.reads = append(c.reads, reading{key, len(all)})
		c.made = append(c.made, op)
		c.done = append(c.done, ops.Value{Kind: ops.List, Items: []ops.Value{m.Items[0], m.Items[1], list}})
		return
	}
	d.versions[key]++
	e := element{value: m.Items[2].Int, by: c.number, version: d.versions[key]}
	d.truth.Keys[key].Writers = append(d.truth.Keys[key].Writers, int32(c.number))
	c.made = append(c.made, isolation.Op{Key: int32(key), Write: true, Version: e.version})
	c.done = append(c.done, m)
	c.appended = append(c.appended, appended{key, e})
	if list, ok := c.expected[key]; ok {
		c.expected[key] = append(slices.Clone(list), e.value)
	}
	if d.dirty {
		d.keys[key] = append(d.keys[key], e)
	}
}

// note holds what a transaction reads against what it has to; of a key that it has not read yet only its own appends are
// known, and they come last.
func (c *inWork) note(key int, all []element) {
	var list, own []int64
	for _, e := range all {
		list = append(list, e.value)
	}
	for _, a := range c.appended {
		if a.key == key {
			own = append(own, a.e.value)
		}
	}
	if before, ok := c.expected[key]; ok {
		c.surprised = c.surprised || !slices.Equal(before, list)
	} else {
		c.surprised = c.surprised || len(own) > len(list) || !slices.Equal(own, list[len(list)-len(own):])
	}
	c.expected[key] = list
}

// commit says whether the transaction is let through.
func (d *lists) commit(c *inWork) bool {
	changed := func(key int) bool {
		return slices.ContainsFunc(d.keys[key], func(e element) bool { return e.by != c.number && e.commit > c.snapshot })
	}
	for _, a := range c.appended {
		if !d.dirty && !d.blind && changed(a.key) {
			return false
		}
	}
	for _, r := range c.reads {
		if !d.dirty && !d.skew && len(c.appended) > 0 && changed(r.key) {
			return false
		}
	}
	d.commits++
	for _, a := range c.appended {
		if !d.dirty {
			a.e.commit = d.commits
			d.keys[a.key] = append(d.keys[a.key], a.e)
		}
	}
	return true
}

// end finishes a transaction, well or not, and lets its client hear of it, or not.
func (d *lists) end(c *inWork, doubts bool) {
	committed := d.rnd.IntN(10) > 0 && d.commit(c)
	for k := range d.keys {
		for i := range d.keys[k] {
			if e := &d.keys[k][i]; e.by == c.number && !committed {
				e.aborted = true
			}
		}
	}
	o := c.operation
	d.at++
	o.Completed, o.Return, o.Outcome = d.at, d.at, ops.Fail
	tx := &d.truth.Transactions[c.number]
	tx.Outcome, tx.Return, tx.Ops = isolation.Aborted, d.at, c.made
	d.surprised = d.surprised || committed && c.surprised
	if committed {
		tx.Outcome, o.Outcome, o.Out = isolation.Committed, ops.OK, ops.Value{Kind: ops.List, Items: c.done}
	}
	if doubts && d.rnd.IntN(6) == 0 {
		o.Outcome, o.Return, o.Out, tx.Return = ops.Info, ops.Never, ops.Value{}, isolation.Never
	}
	d.seen = append(d.seen, o)
}

// play lets random transactions run at random; in most histories one in the end reads all there is.
func (d *lists) play(doubts bool) {
	keys := 1 + d.rnd.IntN(3)
	d.keys, d.versions = make([][]element, keys), make([]int32, keys)
	for range keys {
		d.truth.Keys = append(d.truth.Keys, isolation.Key{Writers: []int32{isolation.Nobody}})
	}
	var open []*inWork
	begun, value := 0, int64(0)
	total := 3 + d.rnd.IntN(6)
	for begun < total || len(open) > 0 {
		if begun < total && (len(open) == 0 || len(open) < 4 && d.rnd.IntN(3) == 0) {
			var program []ops.Value
			for range 1 + d.rnd.IntN(4) {
				key := ops.Value{Kind: ops.Int, Int: int64(d.rnd.IntN(keys))}
				if d.rnd.IntN(2) == 0 {
					program = append(program, ops.Value{Kind: ops.List, Items: []ops.Value{{Kind: ops.Text, Text: "r"}, key, {}}})
					continue
				}
				value++
				program = append(program, ops.Value{Kind: ops.List, Items: []ops.Value{{Kind: ops.Text, Text: "append"}, key, {Kind: ops.Int, Int: value}}})
			}
			open = append(open, d.begin(begun, program))
			begun++
			continue
		}
		i := d.rnd.IntN(len(open))
		if c := open[i]; len(c.done) < len(c.program) {
			d.step(c)
		} else {
			d.end(c, doubts)
			open = slices.Delete(open, i, i+1)
		}
	}
	if d.rnd.IntN(3) > 0 {
		last := d.begin(begun, nil)
		for k := range d.keys {
			last.program = append(last.program, ops.Value{Kind: ops.List, Items: []ops.Value{{Kind: ops.Text, Text: "r"}, {Kind: ops.Int, Int: int64(k)}, {}}})
		}
		for range d.keys {
			d.step(last)
		}
		last.operation.In = ops.Value{Kind: ops.List, Items: last.program}
		d.end(last, doubts)
	}
	for k := range d.keys {
		for _, e := range d.keys[k] {
			d.truth.Keys[k].Order = append(d.truth.Keys[k].Order, e.version)
		}
	}
}

// begin opens a transaction of one of four processes, none of which is in work.
func (d *lists) begin(number int, program []ops.Value) *inWork {
	d.at++
	process := number // a process that has heard nothing of its last operation does not go on
	for i := range d.seen {
		if o := &d.seen[i]; o.Outcome != ops.Info && !slices.ContainsFunc(d.truth.Transactions, func(t isolation.Transaction) bool { return t.Session == int32(i) && t.Call > o.Return }) && d.rnd.IntN(2) == 0 {
			n, _ := strconv.Atoi(o.Process)
			free := !slices.ContainsFunc(d.truth.Transactions, func(t isolation.Transaction) bool { return t.Session == int32(n) && t.Return == 0 })
			if last := slices.IndexFunc(d.truth.Transactions, func(t isolation.Transaction) bool { return t.Session == int32(n) && t.Return == isolation.Never }); free && last < 0 {
				process = n
			}
		}
	}
	c := &inWork{number: number, program: program, snapshot: max(0, d.commits-d.rnd.IntN(d.stale+1)), expected: map[int][]int64{}}
	c.operation = ops.Operation{Process: strconv.Itoa(process), F: "txn", Call: d.at, Invoked: d.at, Return: ops.Never, Completed: ops.NoIndex, Line: number + 1,
		In: ops.Value{Kind: ops.List, Items: program}}
	d.truth.Transactions = append(d.truth.Transactions, isolation.Transaction{Session: int32(process), Call: d.at})
	return c
}

// trulyBroken are the levels that what happened has broken.
func (d *lists) trulyBroken() []isolation.Level {
	h := &d.truth
	names := map[string]bool{isolation.Internal: d.surprised}
	for _, f := range []isolation.Found{isolation.AbortedReads(h), isolation.IntermediateReads(h), isolation.DirtyUpdates(h), isolation.LostUpdates(h)} {
		names[f.Name] = f.Count > 0
	}
	for _, f := range isolation.FindCycles(h, blackbox.DefaultBudget).Found {
		names[f.Name] = true
	}
	// A list holds what is below its last element, too.
	for i := range h.Transactions {
		for _, op := range h.Transactions[i].Ops {
			order := h.Keys[op.Key].Order
			for at := slices.Index(order, op.Version); at >= 0 && !op.Write && h.Transactions[i].Outcome == isolation.Committed; at-- {
				w := h.Keys[op.Key].Writers[order[at]]
				names[isolation.G1a] = names[isolation.G1a] || d.shownAborted(i, w)
			}
		}
	}
	return levelsOf(names)
}

func (d *lists) shownAborted(reader int, writer int32) bool {
	return d.dirty && int(writer) != reader && d.truth.Transactions[writer].Outcome == isolation.Aborted && d.sawIt(reader, int(writer))
}

// sawIt says whether a reader was shown an element of that writer.
func (d *lists) sawIt(reader, writer int) bool {
	for _, o := range d.seen {
		if o.Line != reader+1 {
			continue
		}
		for _, m := range o.Out.Items {
			for _, v := range m.Items[2].Items {
				for k := range d.keys {
					if slices.ContainsFunc(d.keys[k], func(e element) bool { return e.by == writer && e.value == v.Int }) {
						return true
					}
				}
			}
		}
	}
	return false
}

// sawDoubtful says whether an acknowledged read shows what a transaction wrote that aborted without telling.
func (d *lists) sawDoubtful() bool {
	for _, o := range d.seen {
		writer := o.Line - 1
		if o.Outcome != ops.Info || d.truth.Transactions[writer].Outcome != isolation.Aborted {
			continue
		}
		for reader := range d.truth.Transactions {
			if d.sawIt(reader, writer) {
				return true
			}
		}
	}
	return false
}

func levelsOf(names map[string]bool) (out []isolation.Level) {
	for _, l := range isolation.Levels() {
		for _, n := range slices.Sorted(maps.Keys(names)) {
			if names[n] && l.Violates(n) && !slices.Contains(out, l) {
				out = append(out, l)
			}
		}
	}
	return out
}

// listAppendOf is the judge of list-append, by its row of the table.
func listAppendOf(t testing.TB) blackbox.Model {
	t.Helper()
	i := slices.IndexFunc(blackbox.Models(), func(m blackbox.Model) bool { return m.Name == "list-append" })
	require.GreaterOrEqual(t, i, 0)
	return blackbox.Models()[i]
}

func (d *lists) inferred(t *testing.T) *ops.Report {
	var p ops.Problems
	j := listAppendOf(t).New(ops.Header{}, blackbox.Options{Budget: blackbox.DefaultBudget}, &p)
	for i := range d.seen {
		j.Take(&d.seen[i])
	}
	require.NoError(t, p.Error("random"))
	return j.Report()
}

// What is inferred from reads is so, and where reads show everything all of it is found. Random transactions run on a small
// database at each of several levels; clients see what they are told, the truth is in its lists. Full, 35,000 histories:
// TWICELESS_FULL=1.
func TestListAppendAgreesWithTheTruth(t *testing.T) {
	total, revealed := 0, 0
	n := 150
	if os.Getenv("TWICELESS_FULL") != "" {
		n = 5_000
	}
	for _, e := range []struct {
		name string
		db   lists
		kept isolation.Level // the strongest level that the database keeps; "" = none
	}{
		{"strict serializable", lists{}, isolation.StrictSerializable},
		{"strong snapshot isolation", lists{skew: true}, isolation.StrongSnapshot},
		{"snapshot isolation of old snapshots", lists{skew: true, stale: 3}, isolation.SnapshotIsolation},
		{"serializable of old snapshots", lists{stale: 3}, isolation.Serializable},
		{"snapshots without first committer wins", lists{skew: true, blind: true}, isolation.ReadAtomic},
		{"read committed", lists{skew: true, blind: true, moving: true}, isolation.ReadCommitted},
		{"read uncommitted", lists{dirty: true}, ""},
	} {
		t.Run(e.name, func(t *testing.T) {
			found, missed, shows := map[string]int64{}, 0, 0
			for seed := range n {
				d := e.db
				d.rnd = rand.New(rand.NewPCG(uint64(seed), 11))
				doubts := seed%2 == 1
				d.play(doubts)
				truth, r := d.trulyBroken(), d.inferred(t)
				names := map[string]bool{}
				for _, a := range r.Anomalies {
					names[a.Name] = true
					found[a.Name]++
				}
				inferred := levelsOf(names)
				total++
				for _, l := range inferred {
					if l == isolation.ReadUncommitted && d.sawDoubtful() {
						continue // who is said to have committed was read before it aborted
					}
					require.Contains(t, truth, l, "seed %d: %v claims what is not there: %v\n%+v", seed, r.Anomalies, truth, d.seen)
				}
				if e.kept != "" {
					for _, l := range truth {
						require.False(t, e.kept.Implies(l), "seed %d: the database breaks %s", seed, l)
					}
				}
				undone := d.dirty && slices.ContainsFunc(d.truth.Transactions, func(t isolation.Transaction) bool { return t.Outcome == isolation.Aborted })
				if r.Numbers["unread"] == 0 && !doubts && !undone {
					shows++
					require.Equal(t, truth, inferred, "seed %d: reads show everything\n%+v", seed, d.seen)
				} else if len(inferred) < len(truth) {
					missed++
				}
			}
			revealed += shows
			t.Logf("%d histories, %d of them show everything; in %d others not all could be seen; %v", n, shows, missed, found)
		})
	}
	t.Logf("%d random histories: nothing is claimed that is not there, and all is found in the %d that show everything", total, revealed)
}
