package checker

import (
	"iter"
	"math"
	"slices"
	"strings"

	"github.com/twiceless/twiceless/sim/history"
)

// The exactly-once ledger. For each event and each effect (stage, resource) it counts
//
//	applied  = number of KindApplied facts with Changed
//	reversed = number of KindReversed facts with Changed
//	excess   = max(0, applied − reversed − 1)
//	missing  = applied − reversed ≤ 0
//	transient = number of applications that made applied − reversed exceed 1, less the excess that stayed
//
// Required effects are those of the header's Requires, for every offered event. An effect that is applied and not
// required can still be a duplicate, never missing; an application without a class is bookkeeping of a component
// and no effect.
//
// Cost: one pass that numbers events, counting sorts of the facts by event and by kind, one walk over each event's facts:
// linear in the number of facts, some thirteen bytes a fact of memory beside the accounts.
type ledger struct {
	h         *history.History
	effects   []effect             // the required first, in the header's order
	byEffect  map[effectName]int32 // index in effects
	required  int32                // how many are required
	accounts  []account            // by first appearance of the event
	arena     []slot               // the accounts' slots
	byKind    [][]int32            // ids of the facts of each kind, ascending
	number    []int32              // per fact the account of its event, -1 = none
	start     []int32              // facts of account i: ids[start[i]:start[i+1]], ascending
	ids       []int32
	keys      map[string]int32 // business keys by number
	commits   map[string][]*position
	members   []int64 // facts of memberships: evicted, revoked, generation, stopped
	replays   []int64 // facts by which an operator set a position back
	faults    []int64 // facts fault-began
	faultEnds []int64
	stray     []int64         // applications with a class and without an event
	delivery  []int32         // per fact the delivery that led to it, 0 = not looked for, noDelivery = none
	reused    map[place]int64 // the last append at a place, built when a loss asks
	logList   []*partitionLog // built when a checker of logs asks
	logByName map[string]*partitionLog

	queueFacts *queueFacts // built when a checker of queues asks

	transacted map[int64]*history.Fact // the number of each record, and the markers; built when a loss is explained
	ended      map[producerAt][]marker
}

type effectName struct{ stage, resource string }

type effect struct {
	effectName
	class    history.Class
	required bool
	decides  bool // the bucket is decided by it
}

// slot is the account of one effect of one event.
type slot struct {
	effect                   int32
	applied, reversed, rises int32
	first                    int64 // the fact of the first application
	before, extra            int64 // the pair that made the first excess: the application before it and the excess
}

func (s *slot) excess() int64    { return max(0, int64(s.applied-s.reversed)-1) }
func (s *slot) missing() bool    { return s.applied <= s.reversed }
func (s *slot) transient() int64 { return max(0, int64(s.rises)-s.excess()) }

// account is what the facts say about one event. Fields of type int64 without another meaning are the ids of the
// first fact of their kind, 0 = none.
type account struct {
	event, key  string
	keyNumber   int32
	offered     int64
	arrival     int64 // ns, intended
	accepted    int64
	uncertain   int64
	refused     int64
	appended    int64
	delivered   int64
	called      int64
	dropped     int64
	gaveUp      int64
	parked      int64
	letter      int64 // the last fact by which it was parked
	replayed    int64 // the last fact by which an operator published a dead letter of it again
	held        int64 // held where a live component would take it up
	suppressed  int64
	suppressN   int64 // how many suppressions
	redelivered int64 // how many deliveries beyond the first per topic and group
	records     int32 // how many records logs took of it
	slots       []slot
	number      int32
}

// newLedger reads a history.
func newLedger(h *history.History) *ledger {
	l := &ledger{
		h: h, byEffect: map[effectName]int32{}, keys: map[string]int32{}, commits: map[string][]*position{},
		number: make([]int32, h.Len()),
	}
	l.require()
	l.sort()
	l.arena = make([]slot, 0, len(l.accounts)*int(l.required))
	var seen []reading
	for i := range l.accounts {
		seen = l.walk(&l.accounts[i], seen[:0])
	}
	return l
}

// require reads the header's required effects and marks those that decide buckets.
func (l *ledger) require() {
	for i := range l.h.Header.Requires {
		r := &l.h.Header.Requires[i]
		name := effectName{r.Stage, r.Resource}
		if _, twice := l.byEffect[name]; !twice {
			l.byEffect[name] = int32(len(l.effects))
			l.effects = append(l.effects, effect{effectName: name, class: classOf(r), required: true})
		}
	}
	l.required = int32(len(l.effects))
	weighty := false
	for i := range l.effects {
		e := &l.effects[i]
		e.decides = e.class == history.Critical || e.class == history.State
		weighty = weighty || e.decides
	}
	for i := range l.effects {
		l.effects[i].decides = l.effects[i].decides || !weighty
	}
}

// classOf is the class of a requirement; one without a class counts as critical, the strictest.
func classOf(r *history.Requirement) history.Class {
	if r.Class != history.ClassNone {
		return r.Class
	}
	if c, err := history.ParseClass(r.ClassTag); err == nil {
		return c
	}
	return history.Critical
}

// sort lists the facts of each event and those of each kind. It looks at each fact once: a long history is many times
// larger than the caches, and each further look costs as much as the first.
func (l *ledger) sort() {
	kinds := make([]history.Kind, l.h.Len())
	var ofKind [kindCount]int32
	events, ofEvent := l.numberEvents(kinds, &ofKind)
	l.accounts = make([]account, len(events))
	for i, event := range events {
		l.accounts[i].event, l.accounts[i].number = event, int32(i)
	}
	l.sortByKind(kinds, &ofKind)
	l.sortByEvent(ofEvent)
}

// kindCount is how many kinds a fact can have.
const kindCount = math.MaxUint8 + 1

// numberEvents numbers the events, and counts the facts of each event and kind.
func (l *ledger) numberEvents(kinds []history.Kind, ofKind *[kindCount]int32) (events []string, ofEvent []int32) {
	byEvent := map[string]int32{}
	lastEvent, last := "", int32(-1)
	for i := range l.h.Facts {
		f := &l.h.Facts[i]
		l.note(f)
		kinds[i] = f.Kind
		ofKind[f.Kind]++
		l.number[i] = -1
		if f.Event == "" {
			continue
		}
		if f.Event != lastEvent {
			n, known := byEvent[f.Event]
			if !known {
				n = int32(len(ofEvent))
				byEvent[f.Event] = n
				events = append(events, f.Event)
				ofEvent = append(ofEvent, 0)
			}
			lastEvent, last = f.Event, n
		}
		l.number[i] = last
		ofEvent[last]++
	}
	return events, ofEvent
}

// sortByEvent lists the facts of each event.
func (l *ledger) sortByEvent(counts []int32) {
	l.start = make([]int32, len(counts)+1)
	for i, n := range counts {
		l.start[i+1] = l.start[i] + n
	}
	l.ids = make([]int32, l.start[len(counts)])
	next := slices.Clone(l.start)
	for i, n := range l.number {
		if n >= 0 {
			l.ids[next[n]] = int32(i + 1)
			next[n]++
		}
	}
}

// sortByKind lists the facts of each kind, so that a checker walks those that it is about and no others.
func (l *ledger) sortByKind(kinds []history.Kind, counts *[kindCount]int32) {
	ids := make([]int32, len(kinds))
	l.byKind = make([][]int32, kindCount)
	at := int32(0)
	for k, n := range counts {
		l.byKind[k] = ids[at : at : at+n]
		at += n
	}
	for i, k := range kinds {
		l.byKind[k] = append(l.byKind[k], int32(i+1))
	}
}

// kinds walks the facts of some kinds in the order of the history.
func (l *ledger) kinds(kinds ...history.Kind) iter.Seq[*history.Fact] {
	return func(yield func(*history.Fact) bool) {
		if len(kinds) == 1 {
			for _, id := range l.byKind[kinds[0]] {
				if !yield(l.at(int64(id))) {
					return
				}
			}
			return
		}
		rest := make([][]int32, len(kinds))
		for i, k := range kinds {
			rest[i] = l.byKind[k]
		}
		for {
			next := -1
			for i, ids := range rest {
				if len(ids) > 0 && (next < 0 || ids[0] < rest[next][0]) {
					next = i
				}
			}
			if next < 0 || !yield(l.at(int64(rest[next][0]))) {
				return
			}
			rest[next] = rest[next][1:]
		}
	}
}

// note keeps what findings need beside the facts of their own event.
func (l *ledger) note(f *history.Fact) {
	switch f.Kind {
	case history.KindCommitting, history.KindCommitted, history.KindCommitFailed:
		l.noteCommit(f)
	case history.KindEvicted, history.KindRevoked, history.KindGeneration, history.KindStopped:
		l.members = append(l.members, f.ID)
	case history.KindOperated:
		if f.Op == opReset {
			l.replays = append(l.replays, f.ID)
		}
	case history.KindFaultBegan:
		l.faults = append(l.faults, f.ID)
	case history.KindFaultEnded:
		l.faultEnds = append(l.faultEnds, f.ID)
	case history.KindApplied:
		if f.Event == "" && f.Changed && f.Class != history.ClassNone {
			l.stray = append(l.stray, f.ID)
		}
	}
}

// of are the ids of the facts of an account, ascending.
func (l *ledger) of(a *account) []int32 { return l.ids[l.start[a.number]:l.start[a.number+1]] }

// at is a fact by id.
func (l *ledger) at(id int64) *history.Fact { return &l.h.Facts[id-1] }

func once(at *int64, id int64) {
	if *at == 0 {
		*at = id
	}
}

// walk fills an account from its facts. What was delivered is gathered in seen, which is handed from account to account.
func (l *ledger) walk(a *account, seen []reading) []reading {
	from := len(l.arena)
	for _, id := range l.of(a) {
		f := l.at(int64(id))
		switch f.Kind {
		case history.KindOffered:
			if a.offered == 0 {
				l.offer(a, f, from)
			}
		case history.KindApplied, history.KindReversed:
			if f.Changed {
				l.apply(from, f)
			}
		case history.KindDelivered:
			once(&a.delivered, f.ID)
			seen = a.deliver(seen, f)
		case history.KindSuppressed:
			once(&a.suppressed, f.ID)
			a.suppressN++
		case history.KindHeld:
			switch f.Op {
			case "queue", "pending":
				once(&a.held, f.ID)
			case "parked":
				once(&a.parked, f.ID)
				a.letter = f.ID
			}
		case history.KindParked:
			once(&a.parked, f.ID)
			a.letter = f.ID
		case history.KindOperated:
			if f.Op == opReplay {
				a.replayed = f.ID
			}
		case history.KindAppended:
			once(&a.appended, f.ID)
			a.records++
		default:
			if at := a.slotOf(f.Kind); at != nil {
				once(at, f.ID)
			}
		}
	}
	a.slots = l.arena[from:len(l.arena):len(l.arena)]
	return seen
}

// slotOf is where the first fact of a kind is kept.
func (a *account) slotOf(k history.Kind) *int64 {
	switch k {
	case history.KindAccepted:
		return &a.accepted
	case history.KindUncertain:
		return &a.uncertain
	case history.KindRefused:
		return &a.refused
	case history.KindCalled:
		return &a.called
	case history.KindDropped:
		return &a.dropped
	case history.KindGaveUp:
		return &a.gaveUp
	}
	return nil
}

// waits says whether a person finds the event parked: it was, and no operator has taken it up since.
func (a *account) waits() bool { return a.letter > a.replayed }

// offer opens the slots of the required effects. Effects applied before the offer (phantoms) keep their slots.
func (l *ledger) offer(a *account, f *history.Fact, from int) {
	a.offered, a.arrival, a.key = f.ID, f.Until, f.Key
	n, known := l.keys[f.Key]
	if !known {
		n = int32(len(l.keys)) + 1
		l.keys[f.Key] = n
	}
	a.keyNumber = n
	for e := range l.required {
		if l.slotIn(from, e) == nil {
			l.arena = append(l.arena, slot{effect: e})
		}
	}
}

func (l *ledger) slotIn(from int, effect int32) *slot {
	for i := from; i < len(l.arena); i++ {
		if l.arena[i].effect == effect {
			return &l.arena[i]
		}
	}
	return nil
}

// apply counts one application or compensation.
func (l *ledger) apply(from int, f *history.Fact) {
	s := l.slotFor(from, f)
	if s == nil {
		return
	}
	if f.Kind == history.KindReversed {
		s.reversed++
		return
	}
	s.applied++
	once(&s.first, f.ID)
	if s.applied-s.reversed > 1 {
		s.rises++
		once(&s.extra, f.ID)
	}
	if s.extra == 0 {
		s.before = f.ID
	}
}

// slotFor finds or opens the slot of the effect that a fact speaks of; nil when it is no effect.
func (l *ledger) slotFor(from int, f *history.Fact) *slot {
	for i := from; i < len(l.arena); i++ {
		s := &l.arena[i]
		if e := &l.effects[s.effect]; e.resource == f.Resource && e.stage == f.Stage {
			return s
		}
	}
	name := effectName{f.Stage, f.Resource}
	n, known := l.byEffect[name]
	if !known {
		if f.Class == history.ClassNone {
			return nil
		}
		n = int32(len(l.effects))
		l.byEffect[name] = n
		l.effects = append(l.effects, effect{
			effectName: name, class: f.Class,
			decides: f.Class == history.Critical || f.Class == history.State,
		})
	}
	l.arena = append(l.arena, slot{effect: n})
	return &l.arena[len(l.arena)-1]
}

// reading is what a redelivery repeats: a topic read by a group.
type reading struct{ topic, group string }

func (a *account) deliver(seen []reading, f *history.Fact) []reading {
	r := reading{topicOf(f.Resource), f.Op}
	for _, s := range seen {
		if s == r {
			a.redelivered++
			return seen
		}
	}
	return append(seen, r)
}

// topicOf is the topic of a partition.
func topicOf(partition string) string {
	if i := strings.LastIndexByte(partition, '/'); i >= 0 {
		return partition[:i]
	}
	return partition
}
