package reports

import (
	"cmp"
	"io"
	"slices"
	"strings"

	"github.com/twiceless/twiceless/sim/history"
)

// WriteTimeline draws the story that WriteStory tells as an SVG sequence diagram: one lane a node, time downwards, the
// same moments in the same words. It is self-contained: no script, no style sheet, no font, nothing to fetch.
func WriteTimeline(w io.Writer, h *history.History, f history.Finding, opt StoryOptions) error {
	t := newTeller(h, f)
	sc := &scene{t: t, headline: t.headline(opt.Amount), title: strings.Join(title(h, opt), " · "), reason: reason(f.Label)}
	moments, left := t.chosen()
	sc.left = left
	sc.findLanes(moments)
	sc.place(moments)
	sc.findArrows()
	sc.findSpells()
	_, err := w.Write(sc.draw())
	return err
}

// scene is a story with places, in pixels; it knows nothing of SVG.
type scene struct {
	t                       *teller
	headline, title, reason string
	left                    int // facts without room

	lanes  []lane
	steps  []step
	arrows []arrow
	spells []spell
	bottom int // where lanes end
}

// lane is the life of one node.
type lane struct {
	node string
	x    int
}

// step is one moment at its height.
type step struct {
	moment
	y, height int
	idle      int64 // ns cut out before it; 0 = none
	lane      int   // -1 = of no node
	text      []string
	effect    int // the n-th application of an effect too many or missing; 0 = none
}

// arrow is a message: from a lane and height to another lane.
type arrow struct {
	from, to int // lanes
	y0, y1   int
	stop     int // how far before the lane its head ends
	reply    bool
	lost     bool // it never arrived
}

// Where arrows end: at a point, or at the larger mark of an effect.
const (
	stopPoint  = 6
	stopEffect = 11
)

// spell is the time in which a fault is on, on one lane.
type spell struct {
	lane, number int
	y0, y1       int
	since, until bool // goes on above the first, below the last moment
	named        bool // the last lane of the fault: words stand beside it
}

// Sizes of a scene.
const (
	sceneLeft  = 82  // the column of times
	sceneText  = 400 // the column of words
	sceneTop   = 62  // title
	sceneHeads = 34  // names of lanes
	stepHeight = 27
	lineHeight = 15
	idleHeight = 26

	// A stretch without a moment that is at least this long is cut, in ns.
	idleLeast = 1_000_000_000
)

// findLanes gives every node of the story a lane, in the order in which an event meets roles.
func (sc *scene) findLanes(moments []moment) {
	var nodes []string
	add := func(node string) {
		if node != "" && !slices.Contains(nodes, node) {
			nodes = append(nodes, node)
		}
	}
	for _, m := range moments {
		add(m.fact.Node)
		switch m.fact.Kind {
		case history.KindFaultBegan:
			for _, node := range targets(m.fact) {
				add(node)
			}
		case history.KindApplied, history.KindDelivered, history.KindSuppressed:
			if m.fact.Cause > 0 {
				add(sc.t.h.At(m.fact.Cause).Node)
			}
		}
	}
	if sc.t.ending() != "" {
		add(sc.server())
	}
	roles := sc.roles()
	slices.SortFunc(nodes, func(a, b string) int { return cmp.Or(cmp.Compare(roles[a], roles[b]), strings.Compare(a, b)) })
	gap := 110
	if n := len(nodes); n > 0 {
		gap = max(84, min(gap, (880-sceneLeft-sceneText)/n))
	}
	for i, node := range nodes {
		sc.lanes = append(sc.lanes, lane{node, sceneLeft + gap/2 + i*gap})
	}
}

// server is a node that applies effects at the finding's resource; "" if the history knows none.
func (sc *scene) server() string {
	resource := sc.t.resource()
	for i := range sc.t.h.Facts {
		if fact := &sc.t.h.Facts[i]; fact.Kind == history.KindApplied && fact.Resource == resource {
			return fact.Node
		}
	}
	return ""
}

// roles ranks nodes by what they are seen doing: producers, logs, consumers, services, the rest.
func (sc *scene) roles() map[string]int {
	const never = 9
	ranks := map[string]int{}
	for i := range sc.t.h.Facts {
		fact, rank := &sc.t.h.Facts[i], never
		switch fact.Kind {
		case history.KindOffered, history.KindAccepted, history.KindRefused, history.KindUncertain:
			rank = 1
		case history.KindAppended, history.KindCommitted, history.KindGeneration:
			rank = 2
		case history.KindDelivered, history.KindCalled, history.KindAssigned:
			rank = 3
		case history.KindApplied, history.KindSuppressed, history.KindReversed:
			rank = 4
		}
		if known, ok := ranks[fact.Node]; !ok || rank < known {
			ranks[fact.Node] = rank
		}
	}
	return ranks
}

// laneOf is the lane of a node; -1 if it has none.
func (sc *scene) laneOf(node string) int {
	return slices.IndexFunc(sc.lanes, func(l lane) bool { return l.node == node })
}

// laneOfRole is the lane of the only node of a role here; -1 if there are none or several.
func (sc *scene) laneOfRole(role string) int {
	found := -1
	for i, l := range sc.lanes {
		if name, _, ok := cutLast(l.node, "-"); ok && name == role {
			if found >= 0 {
				return -1
			}
			found = i
		}
	}
	return found
}

func cutLast(s, sep string) (before, after string, found bool) {
	if i := strings.LastIndex(s, sep); i >= 0 {
		return s[:i], s[i+len(sep):], true
	}
	return s, "", false
}

// place sets the moments below each other. Heights are those of the words: time is cut where nothing happens.
func (sc *scene) place(moments []moment) {
	y := sceneTop + sceneHeads + 14
	effects := 0
	var last int64
	for i, m := range moments {
		s := step{moment: m, lane: sc.laneOf(m.fact.Node)}
		if i > 0 && m.sub == 0 && m.fact.Time-last >= idleLeast {
			s.idle = m.fact.Time - last
			y += idleHeight
		}
		last = m.fact.Time
		if m.fact.Kind == history.KindApplied && m.mark != "" {
			effects++
			s.effect = effects
		}
		words := strings.TrimPrefix(m.what, "✗ ") // drawn, not written: few fonts have it
		if m.who != "" {
			words = m.who + "  " + words
		}
		s.text = fit(words, 12, sceneText-16, 4)
		s.y = y + stepHeight/2
		lines := len(s.text)
		if m.mark != "" {
			lines++
		}
		s.height = max(stepHeight, lines*lineHeight+10)
		y += s.height
		sc.steps = append(sc.steps, s)
	}
	sc.bottom = y + 6
}

// told is the step of a fact; -1 if the story does not tell it.
func (sc *scene) told(id int64) int {
	return slices.IndexFunc(sc.steps, func(s step) bool { return s.id == id && s.sub == 0 })
}

// findArrows draws a message wherever a fact was caused on another node, and where one is missing.
func (sc *scene) findArrows() {
	for i := range sc.steps {
		s := &sc.steps[i]
		if s.lane < 0 {
			continue
		}
		if s.sub > 0 {
			sc.missingCommit(s)
			continue
		}
		switch s.fact.Kind {
		case history.KindApplied, history.KindSuppressed, history.KindReversed, history.KindAppended, history.KindCommitted:
			sc.message(s, true, false)
		case history.KindDelivered: // it was caused when the log took it, not sent then
			sc.message(s, false, false)
		case history.KindAccepted:
			sc.message(s, false, true)
		case history.KindReturned:
			sc.reply(s)
		}
	}
}

// message is an arrow from the cause of a step. It leaves when the cause took place, if that is told, or when it arrives.
func (sc *scene) message(s *step, leaves, reply bool) {
	if s.fact.Cause == 0 {
		return
	}
	cause := sc.t.h.At(s.fact.Cause)
	from := sc.laneOf(cause.Node)
	if from < 0 || from == s.lane {
		return
	}
	y := s.y
	if i := sc.told(cause.ID); leaves && i >= 0 && sc.steps[i].y < s.y {
		y = sc.steps[i].y
	}
	stop := stopPoint
	if s.mark != "" {
		stop = stopEffect
	}
	sc.arrows = append(sc.arrows, arrow{from: from, to: s.lane, y0: y, y1: s.y, stop: stop, reply: reply})
}

// reply is the way back of a call. A service that applied nothing refused: then the way there is drawn too.
func (sc *scene) reply(s *step) {
	if s.fact.Cause == 0 {
		return
	}
	service, applied := sc.laneOfRole(s.fact.Resource), -1
	for i := range sc.steps {
		if at := &sc.steps[i]; at.fact.Cause == s.fact.Cause && at.lane >= 0 && at.lane != s.lane && at.id < s.id {
			service, applied = at.lane, i
		}
	}
	if service < 0 || service == s.lane {
		return
	}
	back := arrow{from: service, to: s.lane, y0: s.y, y1: s.y, stop: stopPoint, reply: true}
	call := sc.told(s.fact.Cause)
	switch {
	case s.fact.Outcome == history.Indeterminate && applied < 0:
		return // nobody here knows which way was lost
	case s.fact.Outcome == history.Indeterminate:
		back.y0, back.y1, back.lost = sc.steps[applied].y, sc.steps[applied].y+stepHeight*2/3, true
	case applied < 0 && call >= 0:
		back.y0 = (sc.steps[call].y + s.y) / 2
		sc.arrows = append(sc.arrows, arrow{from: s.lane, to: service, y0: sc.steps[call].y, y1: back.y0})
	}
	sc.arrows = append(sc.arrows, back)
}

// missingCommit is the arrow of a commit that never arrived.
func (sc *scene) missingCommit(s *step) {
	log := -1
	if s.fact.Kind == history.KindCommitting && sc.t.place.Cause > 0 {
		log = sc.laneOf(sc.t.h.At(sc.t.place.Cause).Node)
	}
	if log >= 0 && log != s.lane {
		sc.arrows = append(sc.arrows, arrow{from: s.lane, to: log, y0: s.y, y1: s.y, lost: true})
	}
}

// findSpells finds when faults were on, on the lanes that are here.
func (sc *scene) findSpells() {
	if len(sc.steps) == 0 {
		return
	}
	first, last := sc.steps[0].id, sc.steps[len(sc.steps)-1].id
	for i := range sc.t.h.Facts {
		fact := &sc.t.h.Facts[i]
		number, ok := sc.t.faults[fact.ID]
		if !ok {
			continue
		}
		end, over := sc.t.ends[fact.ID]
		if fact.ID > last || over && end < first {
			continue
		}
		s := spell{number: number, y0: sc.below(fact.ID), since: fact.ID < first, until: !over || end > last}
		s.y1 = sc.bottom
		if !s.until {
			s.y1 = max(sc.below(end)+8, s.y0+16)
		}
		for i, l := range sc.lanes {
			if slices.Contains(targets(fact), l.node) {
				s.lane, s.named = i, true
				if n := len(sc.spells); n > 0 && sc.spells[n-1].number == number {
					sc.spells[n-1].named = false
				}
				sc.spells = append(sc.spells, s)
			}
		}
	}
}

// below is the height of a fact: its own, or just below the last moment before it.
func (sc *scene) below(id int64) int {
	y := sceneTop + sceneHeads + 4
	for i := range sc.steps {
		switch s := &sc.steps[i]; {
		case s.id == id && s.sub == 0:
			return s.y
		case s.id < id:
			y = s.y + stepHeight/2
		}
	}
	return y
}
