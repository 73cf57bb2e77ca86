package twiceless

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/twiceless/twiceless/internal/bubble"
	"github.com/twiceless/twiceless/sim"
)

const (
	maxSteps   = 10_000 // calls in one schedule
	maxErrors  = 10     // deliveries of one event in a row that end in an error
	firstPause = 100 * sim.Millisecond

	patience = sim.Hour   // of virtual time: what is waited for comes within it
	linger   = sim.Minute // of virtual time: what goes on after the last delivery ends within it
)

// idemProcess is a process of the consumer: alive, dead, or a zombie, which is one that lives and owns nothing.
type idemProcess struct {
	number int
	group  *bubble.Group
	cuts   *Cuts
	parts  []int // the partitions that it owns; a partition is a key
	dead   bool

	successor bool // it began because another lost its partitions

	event  int  // being delivered, or noEvent
	idle   bool // it was told that there is nothing to do
	errors int  // deliveries in a row of event that ended in an error

	ready   *bubble.Ask // it wants an event
	calls   []*bubble.Ask
	replies []*bubble.Ask
}

const noEvent = -1

// busy says whether it runs code of the team that is at no cut: it sleeps, or waits for something of its own.
func (p *idemProcess) busy() bool {
	return !p.dead && !p.idle && p.ready == nil && len(p.calls)+len(p.replies) == 0
}

func (p *idemProcess) zombie() bool { return len(p.parts) == 0 }

// idemDelivery is what a process is given: an event, and how long it is to wait before it.
type idemDelivery struct {
	event int
	after time.Duration
}

// idemRun is one schedule over one fresh world, in one bubble. Its loop is the scheduler: the team's code stands still
// at its cuts, and the loop decides what is next.
type idemRun struct {
	sub    *idemSubject
	rank   []int // of each event that is delivered: when, if no key or process stands in its way
	limit  int   // deliveries of one event
	strict bool  // an error is a fault: this is the run in which each event is delivered once
	choose func(at int, kinds []turnKind) int

	b     *bubble.Bubble
	world any

	parts [][]int // events of each partition, in order
	pos   []int   // of each partition: the next event
	floor []int   // of each partition: the first event that has not been committed for certain
	count []int   // deliveries of each event
	procs []*idemProcess
	now   *idemProcess // whose turn it is
	steps int
	until sim.Time // the end of lingering, once all is delivered

	options   []turnOption // of the decision being made
	decisions [][]turnKind
	turns     []turn
	log       []idemLine
	fault     string
	state     any
}

// execute runs the schedule to its end. It must be called in a synctest bubble.
func (r *idemRun) execute() {
	r.b = bubble.New()
	r.guarded("System.World", func() { r.world = r.sub.world() })
	if r.fault == "" {
		r.partition()
		r.begin()
		r.drive()
	}
	for _, p := range r.procs {
		if !p.dead {
			r.kill(p)
		}
	}
	r.letEnd()
	if r.fault == "" {
		r.guarded("System.State", func() { r.state = r.sub.state(r.world) })
	}
}

// letEnd has time pass for what the dead processes started: what sleeps wakes, and ends at its next call.
func (r *idemRun) letEnd() {
	for end := r.b.Now().Add(patience); r.b.Now() < end; r.b.Reach(end) {
		r.b.Take()
	}
}

// name is unlike that of any other group of this program, and ends in what all groups of the run have in common.
func (r *idemRun) name(of string) string { return fmt.Sprintf("%s of %p", of, r) }

// places says where goroutines of the run are, in the code of the team. The watchdog calls it too.
func (r *idemRun) places() string {
	mine := func(label string) bool { return strings.Contains(label, r.name("")+" ") }
	left := slices.DeleteFunc(bubble.Left(mine, hiddenHere()...), func(place string) bool { return strings.HasSuffix(place, "an unknown place") })
	if len(left) == 0 {
		return ""
	}
	return " (" + strings.Join(left[:min(len(left), maxPlaces)], ", ") + ")"
}

const maxPlaces = 3

// guarded runs code of the team that is no process.
func (r *idemRun) guarded(what string, run func()) {
	code := r.b.Group(r.name(what)).Go(run)
	for {
		r.b.Settle()
		r.b.Take()
		if code.Ended() {
			break
		}
		if r.b.Reach(r.b.Now().Add(patience)); !r.b.Busy() {
			r.fault = fmt.Sprintf("%s waits for something that never comes%s", what, r.places())
			return
		}
	}
	if why := whyEnded(code); why != "" {
		r.fault = what + " " + why
	}
}

// partition puts the events of each key in a partition.
func (r *idemRun) partition() {
	for event := range r.rank {
		part := r.sub.keys[event]
		for part >= len(r.parts) {
			r.parts = append(r.parts, nil)
		}
		r.parts[part] = append(r.parts[part], event)
	}
	r.pos, r.floor = make([]int, len(r.parts)), make([]int, len(r.parts))
	r.count = make([]int, len(r.rank))
}

// begin starts the first process, or one for the first key and another for the rest.
func (r *idemRun) begin() {
	all := make([]int, len(r.parts))
	for part := range all {
		all[part] = part
	}
	r.options = append(r.options[:0], turnOption{kind: goesOn})
	if len(all) > 1 {
		r.options = append(r.options, turnOption{kind: apart})
	}
	if r.pick().kind == apart {
		first := r.start(all[:1])
		r.start(all[1:])
		r.now = first
	} else {
		r.start(all)
	}
}

// start boots a process that owns the partitions; it is its turn.
func (r *idemRun) start(parts []int) *idemProcess {
	p := &idemProcess{number: len(r.procs) + 1, parts: parts, event: noEvent}
	p.group = r.b.Group(r.name(fmt.Sprintf("process %d", p.number)))
	p.cuts = &Cuts{p: p}
	r.procs = append(r.procs, p)
	r.now = p
	p.group.Go(func() { r.sub.serve(r.world, p) }).Tag = p
	return p
}

// serve is the poll loop of a process.
func (s *idemSubject) serve(world any, p *idemProcess) {
	ctx := p.group.Context()
	handle := s.process(world, p.cuts)
	var err error
	for {
		got, _ := p.group.Ask(context.Background(), "", cutAsk{phase: toDeliver, p: p, err: err})
		d := got.(idemDelivery)
		pause(ctx, d.after)
		err = handle(ctx, d.event)
	}
}

// pause waits; if the process dies meanwhile it goes no further.
func pause(ctx context.Context, d time.Duration) {
	if d == 0 {
		return
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
		runtime.Goexit()
	}
}

// drive makes one decision after the other until nothing is left to do, or something is wrong.
func (r *idemRun) drive() {
	for r.fault == "" {
		r.b.Settle()
		r.takeUp()
		if r.fault != "" {
			return
		}
		switch returning, ready, calling := r.first(hasReply), r.first(isReady), r.calling(); {
		case returning != nil:
			r.afterCall(returning)
		case ready != nil:
			r.afterDelivery(ready)
		case calling != nil:
			r.beforeCall(calling)
		case r.busy() != nil:
			r.mustCome(r.busy())
		default:
			if r.over() {
				return
			}
		}
	}
}

func hasReply(p *idemProcess) bool { return len(p.replies) > 0 }
func isReady(p *idemProcess) bool  { return p.ready != nil }
func hasCall(p *idemProcess) bool  { return len(p.calls) > 0 }

func (r *idemRun) first(is func(*idemProcess) bool) *idemProcess {
	if i := slices.IndexFunc(r.procs, is); i >= 0 {
		return r.procs[i]
	}
	return nil
}

// calling is whose call is next if nothing departs: that of the process whose turn it is, as long as it has one.
func (r *idemRun) calling() *idemProcess {
	if hasCall(r.now) {
		return r.now
	}
	return r.first(hasCall)
}

func (r *idemRun) busy() *idemProcess { return r.first((*idemProcess).busy) }

// takeUp sorts what has happened to the processes that it happened to.
func (r *idemRun) takeUp() {
	t := r.b.Take()
	for _, code := range t.Ended {
		if p := code.Tag.(*idemProcess); !p.dead {
			r.fault = r.during(p) + whyEnded(code)
			return
		}
	}
	for _, a := range t.Asked {
		switch ask := a.What.(cutAsk); ask.phase {
		case toDeliver:
			ask.p.ready = a
		case toCall:
			ask.p.calls = append(ask.p.calls, a)
		case toReturn:
			ask.p.replies = append(ask.p.replies, a)
		}
	}
	for _, a := range t.Quit {
		ask, this := a.What.(cutAsk), func(b *bubble.Ask) bool { return a == b }
		ask.p.calls, ask.p.replies = slices.DeleteFunc(ask.p.calls, this), slices.DeleteFunc(ask.p.replies, this)
		if ask.phase == toCall {
			r.note(idemLine{p: ask.p, call: a})
		}
		a.Answer(nil, a.Ctx.Err())
	}
}

// during says what a process is at, as the beginning of a sentence.
func (r *idemRun) during(p *idemProcess) string {
	if p.event == noEvent {
		return "a process "
	}
	return r.sub.names[p.event] + ": the handler "
}

// wait lets time pass until a process comes to a cut, or for long if none does: those at one may be what it waits for.
func (r *idemRun) wait() { r.b.Reach(r.b.Now().Add(patience)) }

// mustCome waits for a process when no other can move.
func (r *idemRun) mustCome(p *idemProcess) {
	if r.wait(); !r.b.Busy() {
		r.fault = r.during(p) + "waits for something that never comes" + r.places()
	}
}

// over says whether nothing comes any more, after all is delivered and some time has passed.
func (r *idemRun) over() bool {
	if r.until == 0 {
		r.until = r.b.Now().Add(linger)
	}
	r.b.Reach(r.until)
	return r.b.Now() >= r.until
}

// give hands a process its next event, or tells it that there is none.
func (r *idemRun) give(p *idemProcess, after time.Duration) {
	a := p.ready
	p.ready = nil
	p.event = r.next(p)
	p.idle = p.event == noEvent
	if p.idle {
		return // it waits until the end
	}
	r.count[p.event]++
	r.note(idemLine{p: p, event: p.event, delivered: r.count[p.event], retry: after > 0})
	a.Answer(idemDelivery{event: p.event, after: after}, nil)
}

// next is the event of lowest rank that the partitions of a process are at.
func (r *idemRun) next(p *idemProcess) int {
	best := noEvent
	for _, part := range p.parts {
		if r.pos[part] < len(r.parts[part]) {
			if e := r.parts[part][r.pos[part]]; best == noEvent || r.rank[e] < r.rank[best] {
				best = e
			}
		}
	}
	return best
}

// rewound is where the partitions of a process are after it has lost its delivery and the commits of the last back
// events before it. It is not allowed if an event had too many deliveries then, or was committed for certain.
func (r *idemRun) rewound(p *idemProcess, back int) (pos []int, allowed bool) {
	pos = slices.Clone(r.pos)
	if p.event != noEvent && r.count[p.event] >= r.limit {
		return nil, false
	}
	for ; back > 0; back-- {
		last := noEvent
		for _, part := range p.parts {
			if pos[part] > r.floor[part] {
				if e := r.parts[part][pos[part]-1]; last == noEvent || r.rank[e] > r.rank[last] {
					last = e
				}
			}
		}
		if last == noEvent || r.count[last] >= r.limit {
			return nil, false
		}
		pos[r.sub.keys[last]]--
	}
	return pos, true
}

// rewind puts the partitions of a process where they are after a loss; nothing before that is delivered again.
func (r *idemRun) rewind(p *idemProcess, back int) {
	pos, allowed := r.rewound(p, back)
	if !allowed {
		panic("twiceless: a schedule goes back further than the group allows")
	}
	for _, part := range p.parts {
		r.pos[part], r.floor[part] = pos[part], pos[part]
	}
}

// kill ends a process and closes what it had open.
func (r *idemRun) kill(p *idemProcess) {
	p.group.Kill()
	p.cuts.close()
	r.b.Settle()
	p.dead, p.ready, p.calls, p.replies = true, nil, nil, nil
	if p.group.Swallowed() && r.fault == "" {
		r.fault = "a process goes on after its death, call by call" + r.places()
	}
}

// whyEnded says how code ended that should not have, or nothing.
func whyEnded(code *bubble.Run) string {
	if code.Panic != nil {
		return fmt.Sprintf("panics: %v (%s)", code.Panic, lastElement(code.Site))
	}
	if code.Goexit {
		return fmt.Sprintf("ends its goroutine, as t.FailNow and runtime.Goexit do (%s)", lastElement(code.Site))
	}
	return ""
}
