package checker

import (
	"fmt"
	"slices"
	"strings"

	"github.com/twiceless/twiceless/checker/isolation"
	"github.com/twiceless/twiceless/sim/history"
)

// isolated judges, for each store of a database:
//
//	∀ anomaly:  no committed transaction takes part in it whose level rules it out
//
// The anomalies and the graph are those of package isolation. A transaction that asked for read committed may have what it
// read overwritten under it, and may miss what others do meanwhile, so no rw edge begins there; the rest holds for all
// levels. The order of the versions is exact: each write states which version it replaced. If two replaced the same one, the
// first goes on with the order, and of the other nothing follows.
//
// Assumes that KindTransacted states every transaction that wrote, and that a client reads what it says. Phantoms are not
// judged: a read is of a row, also of a missing one, by its key. Sessions and real time are not judged either: no level that
// a database is asked for promises them.
//
// A store has at most one finding: the gravest anomaly by the table of package isolation, the others named beside it.
// Cost: linear but for sorting, and a budget of steps for telling read skew from a long fork. What that leaves open is
// undecided, if nothing else is found. Exercised: committed transactions of which one depends on another.
func isolated() Checker {
	return overLedger(Checker{
		Name:       "isolation",
		Doc:        "committed transactions of a database keep the level of isolation that they asked for",
		Properties: []history.Property{history.PropIsolation},
		Weight:     history.Guaranteed,
	}, judgeIsolation)
}

// cycleBudget is how many steps the search for cycles of one store may take: less than a second.
const cycleBudget = 2_000_000

// transactions is what the facts of one store say, as the graph of package isolation wants it.
type transactions struct {
	name    string
	h       isolation.History
	facts   []*history.Fact // by transaction
	objects map[string]int32
	names   []string          // by object
	version []map[int64]int32 // by object, the index of a stated number
	after   []map[int32]int32 // by object and version, the first version that replaced it; Initial = none
	unread  int64             // facts that say nothing that can be read
}

func judgeIsolation(l *ledger) Report {
	r := newReport()
	if len(l.byKind[history.KindTransacted]) == 0 {
		return r
	}
	var stores []*transactions
	byName := map[string]*transactions{}
	for f := range l.kinds(history.KindTransacted) {
		s := byName[f.Resource]
		if s == nil {
			s = &transactions{name: f.Resource, objects: map[string]int32{}}
			byName[f.Resource] = s
			stores = append(stores, s)
		}
		s.take(f)
	}
	for _, s := range stores {
		s.judge(&r)
	}
	return r
}

// take adds a transaction, if it can be read: one that says to have made a version that another one has made cannot.
func (s *transactions) take(f *history.Fact) {
	accesses, err := history.ParseAccesses(f.Value)
	level := isolation.Level(f.Op)
	if err != nil || level != isolation.ReadCommitted && level != isolation.Serializable || !s.fresh(accesses) {
		s.unread++
		return
	}
	number := int32(len(s.facts))
	t := isolation.Transaction{ReadCommitted: level == isolation.ReadCommitted, Session: isolation.NoSession, Call: int64(number), Return: isolation.Never}
	if f.Outcome == history.Failed {
		t.Outcome = isolation.Aborted
	}
	for i := range accesses {
		a := &accesses[i]
		o := s.object(a.Object)
		op := isolation.Op{Write: a.Write, Key: o, Version: s.versionOf(o, a.Version)}
		if a.Write {
			s.h.Keys[o].Writers[op.Version] = number
			if before := s.versionOf(o, a.Before); s.after[o][before] == isolation.Initial {
				s.after[o][before] = op.Version
			}
		}
		t.Ops = append(t.Ops, op)
	}
	s.h.Transactions = append(s.h.Transactions, t)
	s.facts = append(s.facts, f)
}

// fresh says whether nobody has made the versions that are made here.
func (s *transactions) fresh(accesses []history.Access) bool {
	for i := range accesses {
		a := &accesses[i]
		if o := s.object(a.Object); a.Write && s.h.Keys[o].Writers[s.versionOf(o, a.Version)] != isolation.Nobody {
			return false
		}
	}
	return true
}

func (s *transactions) object(name string) int32 {
	o, ok := s.objects[name]
	if !ok {
		o = int32(len(s.names))
		s.objects[name] = o
		s.names = append(s.names, name)
		s.version = append(s.version, map[int64]int32{0: isolation.Initial})
		s.after = append(s.after, map[int32]int32{})
		s.h.Keys = append(s.h.Keys, isolation.Key{Writers: []int32{isolation.Nobody}})
	}
	return o
}

func (s *transactions) versionOf(o int32, number int64) int32 {
	v, ok := s.version[o][number]
	if !ok {
		k := &s.h.Keys[o]
		v = int32(len(k.Writers))
		k.Writers = append(k.Writers, isolation.Nobody)
		s.version[o][number] = v
	}
	return v
}

// judge finds what there is in a store.
func (s *transactions) judge(r *Report) {
	for o := range s.h.Keys {
		s.order(int32(o))
	}
	var all []isolation.Found
	for _, find := range [...]func(*isolation.History) isolation.Found{s.unwritten, isolation.AbortedReads, isolation.IntermediateReads,
		isolation.DirtyUpdates, isolation.FutureReads, isolation.InternalReads, isolation.LostUpdates} {
		if f := find(&s.h); f.Count > 0 {
			all = append(all, f)
		}
	}
	cycles := isolation.FindCycles(&s.h, cycleBudget)
	all = append(all, cycles.Found...)
	exercised, undecided := cycles.Linked, s.unread
	switch {
	case len(all) > 0:
		exercised = max(exercised, 1)
		r.find(s.finding(all))
	case len(cycles.Undecided) > 0:
		undecided++
	}
	count(r.Exercised, exercised)
	count(r.Undecided, undecided)
}

// count adds to what is counted; a property that is in no map was not exercised.
func count(counts map[history.Property]int64, n int64) {
	if n > 0 {
		counts[history.PropIsolation] += n
	}
}

// order follows the versions of an object from the first on. Each is made by one write, which replaced one version, and none
// makes Initial: so what is reached from there is no circle.
func (s *transactions) order(o int32) {
	k := &s.h.Keys[o]
	for v := s.after[o][isolation.Initial]; v != isolation.Initial; v = s.after[o][v] {
		k.Order = append(k.Order, v)
	}
}

// unwritten finds reads of versions that no transaction has written. Where a transaction could not be read, it may have
// written them. Count: reads.
func (s *transactions) unwritten(h *isolation.History) isolation.Found {
	f := isolation.Found{Name: isolation.GarbageRead}
	for i := range h.Transactions {
		for _, op := range h.Transactions[i].Ops {
			if s.unread == 0 && h.Transactions[i].Outcome == isolation.Committed && !op.Write && op.Version != isolation.Initial && h.Keys[op.Key].Writers[op.Version] == isolation.Nobody {
				if f.Count++; f.Count == 1 {
					f.Transactions, f.Key, f.Version = []int32{int32(i)}, op.Key, op.Version
				}
			}
		}
	}
	return f
}

// isolationLabels has a row for each anomaly that is found here, the gravest first: of those below it often come. Words are
// of one that is no cycle: {t} is the transaction that shows it, {o} the object, {others} are who else takes part.
var isolationLabels = []struct {
	anomaly string
	label   history.Label
	words   string
}{
	{isolation.GarbageRead, history.LabelDirtyRead, "{t} has read a version of {o} that no transaction has written"},
	{isolation.G0, history.LabelDirtyWrite, ""},
	{isolation.DirtyUpdate, history.LabelDirtyWrite, "{t} has replaced a version of {o} that {others} wrote and rolled back"},
	{isolation.G1a, history.LabelDirtyRead, "{t} has read a version of {o} that {others} wrote and rolled back"},
	{isolation.G1b, history.LabelDirtyRead, "{t} has read a version of {o} that {others} replaced before it committed"},
	{isolation.FutureRead, history.LabelContradiction, "{t} has read a version of {o} that it wrote only later"},
	{isolation.G1c, history.LabelCircularRead, ""},
	{isolation.Internal, history.LabelContradiction, "{t} has read another version of {o} than it had read or written before"},
	{isolation.LostUpdate, history.LabelLostUpdate, "{t} and {others} have read the same version of {o}, and both replaced it"},
	{isolation.GSingle, history.LabelReadSkew, ""},
	{isolation.GNonadjacent, history.LabelLongFork, ""},
	{isolation.G2Item, history.LabelWriteSkew, ""},
}

func rankOf(anomaly string) int {
	for i, row := range isolationLabels {
		if row.anomaly == anomaly {
			return i
		}
	}
	panic("checker: no label for " + anomaly)
}

// finding tells of the gravest anomaly of a store.
func (s *transactions) finding(all []isolation.Found) history.Finding {
	slices.SortStableFunc(all, func(a, b isolation.Found) int { return rankOf(a.Name) - rankOf(b.Name) })
	worst := &all[0]
	var ev evidence
	for _, t := range worst.Transactions[:min(len(worst.Transactions), maxEvidence)] {
		ev.add(s.facts[t].Cause, s.facts[t].ID)
	}
	detail := fmt.Sprintf("%s: %s: %s", s.name, worst.Name, s.tell(worst))
	for i := range all[1:] {
		detail += fmt.Sprintf("; also %s", all[1+i].Name)
	}
	shows := s.facts[worst.Transactions[0]]
	return history.Finding{
		Property: history.PropIsolation,
		Event:    shows.Event,
		Stage:    shows.Stage,
		Label:    isolationLabels[rankOf(worst.Name)].label,
		Evidence: ev.sorted(),
		Detail:   detail,
	}
}

// tell says what happened.
func (s *transactions) tell(f *isolation.Found) string {
	var who []string
	for _, t := range f.Transactions[:min(len(f.Transactions), maxEvidence)] {
		who = append(who, s.who(t))
	}
	words := isolationLabels[rankOf(f.Name)].words
	switch {
	case len(f.Steps) > 0:
		return s.cycle(f.Steps)
	case words == "": // a component of which no cycle was found within the budget
		return "among " + strings.Join(who, ", ")
	}
	return strings.NewReplacer("{t}", who[0], "{o}", s.names[f.Key], "{others}", strings.Join(who[1:], ", ")).Replace(words)
}

// cycle tells the edges of a cycle in words.
func (s *transactions) cycle(steps []isolation.Step) string {
	words := map[string]string{"ww": " has replaced the version of %s of ", "wr": " has read the version of %s of ", "rw": " has replaced the version of %s that was read by "}
	var told []string
	for _, step := range steps {
		told = append(told, s.who(step.To)+fmt.Sprintf(words[step.Kind], s.names[step.Key])+s.who(step.From))
	}
	return strings.Join(told, ", ")
}

// who names a transaction by its fact.
func (s *transactions) who(t int32) string { return fmt.Sprintf("transaction %d", s.facts[t].ID) }
