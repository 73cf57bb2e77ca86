package isolation

import "slices"

// Level of isolation, by the name that Adya, Bailis or Cerone gave it.
type Level string

// The levels.
const (
	ReadUncommitted       Level = "read-uncommitted"
	ReadCommitted         Level = "read-committed"
	ReadAtomic            Level = "read-atomic"
	CursorStability       Level = "cursor-stability"
	ConsistentView        Level = "consistent-view"
	SnapshotIsolation     Level = "snapshot-isolation"
	RepeatableRead        Level = "repeatable-read"
	Serializable          Level = "serializable"
	StrongSessionSnapshot Level = "strong-session-snapshot-isolation"
	StrongSnapshot        Level = "strong-snapshot-isolation"
	StrongSession         Level = "strong-session-serializable"
	StrictSerializable    Level = "strict-serializable"
)

// levels has a row for each level, weaker ones first, with the levels that it implies directly. They are no chain:
// snapshot isolation permits write skew, which repeatable read does not, and repeatable read permits a read of what the
// transaction itself has overwritten, which read atomic does not.
var levels = []struct {
	level   Level
	implies []Level
}{
	{ReadUncommitted, nil},
	{ReadCommitted, []Level{ReadUncommitted}},
	{ReadAtomic, []Level{ReadCommitted}},
	{CursorStability, []Level{ReadCommitted}},
	{ConsistentView, []Level{CursorStability}},
	{SnapshotIsolation, []Level{ConsistentView, ReadAtomic}},
	{RepeatableRead, []Level{CursorStability}},
	{Serializable, []Level{SnapshotIsolation, RepeatableRead}},
	{StrongSessionSnapshot, []Level{SnapshotIsolation}},
	{StrongSnapshot, []Level{StrongSessionSnapshot}},
	{StrongSession, []Level{Serializable, StrongSessionSnapshot}},
	{StrictSerializable, []Level{StrongSession, StrongSnapshot}},
}

// Levels are all levels, weaker ones first.
func Levels() []Level {
	var out []Level
	for i := range levels {
		out = append(out, levels[i].level)
	}
	return out
}

// Implies says whether whatever keeps l keeps weaker, too.
func (l Level) Implies(weaker Level) bool {
	if l == weaker {
		return true
	}
	i := slices.IndexFunc(levels, func(r struct {
		level   Level
		implies []Level
	}) bool {
		return r.level == l
	})
	return i >= 0 && slices.ContainsFunc(levels[i].implies, func(m Level) bool { return m.Implies(weaker) })
}

// The anomalies that are no cycle, and the classes of cycles.
const (
	DuplicateElements = "duplicate-elements"
	GarbageRead       = "garbage-read"
	IncompatibleOrder = "incompatible-order"
	G1a               = "G1a"
	G1b               = "G1b"
	DirtyUpdate       = "dirty-update"
	FutureRead        = "future-read"
	Internal          = "internal"
	LostUpdate        = "lost-update"

	G0           = "G0"
	G1c          = "G1c"
	GSingle      = "G-single"
	GNonadjacent = "G-nonadjacent"
	G2Item       = "G2-item"
)

// Anomaly is what a level may rule out.
type Anomaly struct {
	Name string
	Doc  string  // its definition in a sentence
	Not  []Level // the weakest levels that rule it out, none of which implies another
}

// anomalies has a row for each anomaly, sorted by the weakest level that rules it out. Elle's cyclic-versions is not among
// them: an order of versions here is a list, so it has no circle.
//
// G-single rules out repeatable read beside consistent view: its one rw edge is that of an item.
var anomalies = []Anomaly{
	{DuplicateElements, "a read shows one element twice", []Level{ReadUncommitted}},
	{GarbageRead, "a read shows what no transaction wrote", []Level{ReadUncommitted}},
	{G0, "a cycle of ww edges: writes of transactions are interleaved", []Level{ReadUncommitted}},
	{G1a, "a read shows what an aborted transaction wrote", []Level{ReadCommitted}},
	{G1b, "a read shows what its writer overwrote in the same transaction", []Level{ReadCommitted}},
	{G1c, "a cycle of ww and wr edges: information flows in a circle", []Level{ReadCommitted}},
	{DirtyUpdate, "a committed write comes on top of one of an aborted transaction", []Level{ReadCommitted}},
	{FutureRead, "a transaction reads what it writes only later", []Level{ReadCommitted}},
	{IncompatibleOrder, "two reads of a key, neither of which is a prefix of the other", []Level{ReadCommitted}},
	{Internal, "a read contradicts what the transaction itself has read or written before", []Level{ReadAtomic}},
	{LostUpdate, "two committed transactions read the same version of a key, and both wrote it", []Level{CursorStability}},
	{GSingle, "a cycle with exactly one rw edge: read skew", []Level{ConsistentView, RepeatableRead}},
	{GNonadjacent, "a cycle with several rw edges, none next to another: long fork", []Level{SnapshotIsolation, RepeatableRead}},
	{G2Item, "a cycle with two rw edges next to each other: write skew", []Level{RepeatableRead}},
	{G0 + bySession, "a G0 that needs the order of a session", []Level{StrongSessionSnapshot}},
	{G1c + bySession, "a G1c that needs the order of a session", []Level{StrongSessionSnapshot}},
	{GSingle + bySession, "a G-single that needs the order of a session", []Level{StrongSessionSnapshot}},
	{GNonadjacent + bySession, "a G-nonadjacent that needs the order of a session", []Level{StrongSessionSnapshot}},
	{G2Item + bySession, "a G2-item that needs the order of a session", []Level{StrongSession}},
	{G0 + byRealtime, "a G0 that needs the order of real time", []Level{StrongSnapshot}},
	{G1c + byRealtime, "a G1c that needs the order of real time", []Level{StrongSnapshot}},
	{GSingle + byRealtime, "a G-single that needs the order of real time", []Level{StrongSnapshot}},
	{GNonadjacent + byRealtime, "a G-nonadjacent that needs the order of real time", []Level{StrongSnapshot}},
	{G2Item + byRealtime, "a G2-item that needs the order of real time", []Level{StrictSerializable}},
}

// What a class is called where the edges of the data alone do not close the cycle.
const (
	bySession  = "-session"
	byRealtime = "-realtime"
)

// Anomalies is the table of anomalies.
func Anomalies() []Anomaly { return slices.Clone(anomalies) }

// Violates says whether an anomaly of the table breaks a level.
func (l Level) Violates(anomaly string) bool {
	i := slices.IndexFunc(anomalies, func(a Anomaly) bool { return a.Name == anomaly })
	return i >= 0 && slices.ContainsFunc(anomalies[i].Not, l.Implies)
}

// Boundary says what a set of anomalies means: not are the weakest levels that it breaks, none of which implies another,
// alsoNot the stronger ones that follow. Both are empty if there is no anomaly.
func Boundary(names []string) (not, alsoNot []Level) {
	broken := slices.DeleteFunc(Levels(), func(l Level) bool { return !slices.ContainsFunc(names, l.Violates) })
	for _, l := range broken {
		if slices.ContainsFunc(broken, func(w Level) bool { return w != l && l.Implies(w) }) {
			alsoNot = append(alsoNot, l)
		} else {
			not = append(not, l)
		}
	}
	return not, alsoNot
}
