package blackbox

import (
	"slices"

	"github.com/twiceless/twiceless/checker/isolation"
	"github.com/twiceless/twiceless/checker/ops"
)

// listAppend judges transactions that append to lists and read them:
//
//	no anomaly that the level rules out is among the reads, nor among the cycles of the graph of transactions
//
// The graph and its classes are those of package isolation. The order of a key's versions comes from the reads: each element
// is appended once, so a read of n elements shows n versions in their order. Inference takes nothing for granted:
//
//   - An operation that failed aborted: who has read an element of it has read what never was (G1a).
//   - One of unknown outcome committed if an acknowledged read shows an element of it; otherwise it is left out. What it
//     says that it has read means nothing. If it aborted after all, what was read of it was G1a: a cycle through it is
//     then told by the wrong name, but each level from read committed on is broken either way.
//   - null, of an acknowledged read, is the empty list: nothing was ever appended.
//   - Appends that no read shows come after all that one shows. Among themselves their order is unknown.
//   - Where two reads of a key are of different orders (incompatible-order), the order is what all reads of it agree on.
//     A read with an element twice gives none.
//   - Of a read that ends in elements which the transaction itself has appended, what is below them counts.
//   - Who asked in one process asked in one session. Of an operation of unknown outcome nothing follows in time.
//
// So what is found is there, if reads and outcomes are told truly; what no read shows is not found: see Why. Cost: linear in
// the elements read, and in operations but for sorting; the budget is for cycles to show, see isolation.FindCycles.
// Exercised: committed transactions that depend on another one, or another one on them. Without one: vacuous.
func listAppend() Model {
	m := Model{
		Name:      "list-append",
		Doc:       "transactions that append to lists and read them keep a level of isolation",
		Functions: []Function{{"txn", `list of ["append", key, element] and ["r", key, null, then the list]`}},
		New: func(_ ops.Header, o Options, p *ops.Problems) Judge {
			return &listAppendJudge{problems: p, level: levelOf(o), budget: o.Budget, numbers: map[ops.Atom]int32{}, sessions: map[string]int32{}}
		},
	}
	for _, l := range isolation.Levels() {
		m.Levels = append(m.Levels, string(l))
	}
	// By definition: a read is what shows the aborted element below the committed one; and who lost an update has read a
	// version that the other one replaced.
	with := map[string][]string{
		isolation.DirtyUpdate: {isolation.G1a},
		isolation.LostUpdate:  {isolation.GSingle, isolation.G2Item},
	}
	for _, a := range isolation.Anomalies() {
		m.Anomalies = append(m.Anomalies, AnomalyKind{Name: a.Name, Doc: a.Doc, With: with[a.Name]})
	}
	return m
}

// levelOf is the level that has to hold; serializable if none was asked for.
func levelOf(o Options) isolation.Level {
	if o.Level == "" {
		return isolation.Serializable
	}
	return isolation.Level(o.Level)
}

// listAppendJudge numbers keys and elements, and keeps of a read only how long it was, as long as reads agree.
type listAppendJudge struct {
	problems *ops.Problems
	level    isolation.Level
	budget   int64
	numbers  map[ops.Atom]int32 // of keys
	keys     []*listKey
	sessions map[string]int32
	h        isolation.History
	evidence [][]int64 // by transaction
	reads    []listRead

	internal, duplicates tally
}

// listKey is one list.
type listKey struct {
	name     ops.Atom
	versions map[ops.Atom]int32 // by element
	elements []ops.Atom         // by version; that of isolation.Initial says nothing
	writers  []int32            // by version; isolation.Nobody = nobody so far
	lines    []int              // by version, where it was appended
	at       []int32            // by version, which operation of its transaction appended it
	trunk    []int32            // the longest order that reads agreed on when they came; no version twice
	place    []int32            // by version, its index in trunk; noPlace = it is not there
	parted   int                // how many versions of trunk all reads agree on; noPlace = all
	twice    bool               // a read shows an element twice

	// What the transaction that is being taken has to read here.
	by    int32 // the transaction, from 1
	whole bool  // it has read the list: that is base. Otherwise only what it appended since is known
	base  []ops.Value
	own   []ops.Value
}

const noPlace = -1

// listRead is an acknowledged read.
type listRead struct {
	t, key int32
	op     int32   // how many graphed operations of the transaction came before it
	length int32   // how many versions of trunk it begins with
	other  []int32 // the versions after those, where they are not those of trunk
	twice  bool    // it shows an element twice, and has no place in the graph
}

// tally is what is counted while operations are taken.
type tally struct {
	count int64
	t     int32 // of the first, with what it has read
	key   int32
	read  string
}

func (n *tally) note(t, key int32, read ops.Value) {
	if n.count++; n.count == 1 {
		n.t, n.key, n.read = t, key, read.String()
	}
}

// Take notes what a transaction wrote, and, if it is acknowledged, what it has read.
func (j *listAppendJudge) Take(o *ops.Operation) {
	before := j.problems.Len()
	micro := microOps(o, j.problems)
	if j.problems.Len() > before {
		return
	}
	t := int32(len(j.h.Transactions))
	tx := isolation.Transaction{Outcome: map[ops.Type]isolation.Outcome{ops.OK: isolation.Committed, ops.Fail: isolation.Aborted}[o.Outcome],
		Session: j.session(o.Process), Call: o.Call, Return: o.Return}
	if o.Outcome == ops.Info {
		tx.Outcome, tx.Return = isolation.Unknown, isolation.Never
	}
	j.evidence = append(j.evidence, o.Evidence())
	for i, m := range micro {
		key := j.key(m.name)
		k := j.keys[key]
		switch {
		case m.write:
			v := k.version(m.atom)
			if k.lines[v] != 0 {
				j.problems.Add(o.Line, field(i), "%s is appended to %s twice, first in line %d: elements of a list must differ", m.value, m.key, k.lines[v])
				continue
			}
			k.writers[v], k.lines[v], k.at[v] = t, max(o.Line, 1), int32(len(tx.Ops))
			tx.Ops = append(tx.Ops, isolation.Op{Write: true, Key: key, Version: v})
			k.expect(t, m.value)
		case o.Outcome == ops.OK:
			j.read(&tx, t, key, m.value)
		}
	}
	j.h.Transactions = append(j.h.Transactions, tx)
}

// read takes a read of an acknowledged transaction.
func (j *listAppendJudge) read(tx *isolation.Transaction, t, key int32, list ops.Value) {
	k := j.keys[key]
	if !k.expects(t, list.Items) {
		j.internal.note(t, key, list)
	}
	k.by, k.whole, k.base, k.own = t+1, true, list.Items, nil
	r := listRead{t: t, key: key, op: int32(len(tx.Ops))}
	r.length, r.other, r.twice = k.take(k.others(t, list.Items))
	j.reads = append(j.reads, r)
	version := int32(isolation.Initial)
	switch {
	case r.twice:
		k.twice = true
		j.duplicates.note(t, key, list)
		return
	case len(r.other) > 0:
		version = r.other[len(r.other)-1]
	case r.length > 0:
		version = k.trunk[r.length-1]
	}
	tx.Ops = append(tx.Ops, isolation.Op{Key: key, Version: version})
}

func (j *listAppendJudge) session(process string) int32 {
	n, ok := j.sessions[process]
	if !ok {
		n = int32(len(j.sessions))
		j.sessions[process] = n
	}
	return n
}

func (j *listAppendJudge) key(name ops.Atom) int32 {
	n, ok := j.numbers[name]
	if !ok {
		n = int32(len(j.keys))
		j.numbers[name] = n
		k := &listKey{name: name, versions: map[ops.Atom]int32{}, parted: noPlace}
		k.grow(ops.Atom{})
		j.keys = append(j.keys, k)
	}
	return n
}

// version is the number of an element.
func (k *listKey) version(element ops.Atom) int32 {
	v, ok := k.versions[element]
	if !ok {
		v = int32(len(k.elements))
		k.versions[element] = v
		k.grow(element)
	}
	return v
}

func (k *listKey) grow(element ops.Atom) {
	k.elements = append(k.elements, element)
	k.writers = append(k.writers, isolation.Nobody)
	k.lines = append(k.lines, 0)
	k.at = append(k.at, 0)
	k.place = append(k.place, noPlace)
}

// expect notes that a transaction has appended an element.
func (k *listKey) expect(t int32, element ops.Value) {
	if k.by != t+1 {
		k.by, k.whole, k.base, k.own = t+1, false, nil, nil
	}
	k.own = append(k.own, element)
}

// others is a list without what the reader itself appended last: its place in the order is not settled until the
// transaction commits. A database that works on a snapshot and puts appends where they belong at the commit shows [2] to the
// transaction that appended 2, and [1 2] to everybody else, and breaks nothing by that.
func (k *listKey) others(t int32, list []ops.Value) []ops.Value {
	n := len(list)
	for ; n > 0; n-- {
		a, _ := list[n-1].Atom()
		if v, known := k.versions[a]; !known || k.writers[v] != t {
			break
		}
	}
	return list[:n]
}

// expects says whether a transaction may read this list after what it has read and appended itself.
func (k *listKey) expects(t int32, list []ops.Value) bool {
	if k.by != t+1 {
		return true
	}
	rest := len(list) - len(k.own)
	if rest < 0 || !slices.EqualFunc(list[rest:], k.own, sameElement) {
		return false
	}
	return !k.whole || slices.EqualFunc(list[:rest], k.base, sameElement)
}

func sameElement(a, b ops.Value) bool { return a.Kind == b.Kind && a.Int == b.Int && a.Text == b.Text }

// take holds a read against the order so far, which it prolongs if it goes on where that ends. One that parts from the order
// is given as its versions, and so is one with an element twice.
func (k *listKey) take(list []ops.Value) (length int32, other []int32, twice bool) {
	n := 0
	for n < min(len(list), len(k.trunk)) {
		if a, _ := list[n].Atom(); a != k.elements[k.trunk[n]] {
			break
		}
		n++
	}
	if n == len(list) {
		return int32(n), nil, false
	}
	for _, e := range list[n:] {
		a, _ := e.Atom()
		v := k.version(a)
		other = append(other, v)
		twice = twice || k.place[v] != noPlace && k.place[v] < int32(n)
	}
	twice = twice || len(slices.Compact(slices.Sorted(slices.Values(other)))) < len(other)
	switch {
	case twice:
	case n == len(k.trunk):
		for _, v := range other {
			k.place[v] = int32(len(k.trunk))
			k.trunk = append(k.trunk, v)
		}
		return int32(len(list)), nil, false
	case k.parted == noPlace || n < k.parted:
		k.parted = n
	}
	return int32(n), other, twice
}
