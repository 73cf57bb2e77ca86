package blackbox

import (
	"fmt"

	"github.com/twiceless/twiceless/checker/ops"
)

// effectSlot sums up the applications of one intent at one stage.
type effectSlot struct {
	stage, key     int32 // of the first application that is sure
	amount         int64
	sure, unsure   int
	divergent      int // how many sure ones differ from the first
	mayDiverge     bool
	call, returned int64 // the first call and the first return of a sure one
	first, last    trace // sure ones
	other          trace // the one that differs
	open           *application
}

// effectSums are the numbers of a report.
type effectSums struct {
	buckets                             [bucketCount]int64
	intents, applied, unsure, recovered int64
	due, total                          int64   // amounts
	off                                 []int64 // per key what was applied beyond what was due
	parkedOnly                          int64
}

// Report closes the ledger.
func (j *effectsJudge) Report() *ops.Report {
	r := &ops.Report{}
	inferred := j.infer()
	needed := make([]bool, j.stages.len())
	for _, s := range j.required {
		needed[s] = true
	}
	j.sums.off = make([]int64, j.keys.len())
	order := newEffectOrder(j)
	slots := effectSlots{place: make([]int32, j.stages.len())}
	for n := range j.intents {
		i := &j.intents[n]
		slots.gather(j.applied, i.applications)
		j.judge(r, int32(n), &slots, needed)
		if i.intended() {
			order.add(int32(n), slots.list)
		}
		slots.clear()
	}
	order.judge(r)
	j.number(r, inferred)
	j.explain(r)
	return r
}

// infer finds the required stages where the header lists none.
func (j *effectsJudge) infer() bool {
	if len(j.required) > 0 {
		return false
	}
	seen := make([]bool, j.stages.len())
	for n := range j.intents {
		i := &j.intents[n]
		for at := i.applications; at != 0 && i.intended(); at = j.applied[at-1].earlier {
			a := &j.applied[at-1]
			if a.sure && !seen[a.stage] {
				seen[a.stage] = true
				j.required = append(j.required, a.stage)
			}
		}
	}
	return true
}

// effectSlots gathers the applications of one intent by stage.
type effectSlots struct {
	list  []effectSlot
	place []int32 // by stage: place in the list, plus one
}

func (s *effectSlots) gather(applied []application, latest int32) {
	for at := latest; at != 0; at = applied[at-1].earlier {
		a := &applied[at-1]
		if s.place[a.stage] == 0 {
			s.list = append(s.list, effectSlot{stage: a.stage})
			s.place[a.stage] = int32(len(s.list))
		}
		s.list[s.place[a.stage]-1].add(a)
	}
	for at := latest; at != 0; at = applied[at-1].earlier {
		a := &applied[at-1]
		s.list[s.place[a.stage]-1].compare(a)
	}
}

func (s *effectSlots) clear() {
	for i := range s.list {
		s.place[s.list[i].stage] = 0
	}
	s.list = s.list[:0]
}

// add counts an application. They come latest first.
func (s *effectSlot) add(a *application) {
	if !a.sure {
		s.unsure++
		s.open = a
		return
	}
	if s.sure == 0 {
		s.call, s.last = a.call, a.trace
	}
	if s.sure == 0 || a.returned < s.returned {
		s.returned, s.first, s.key, s.amount = a.returned, a.trace, a.key, a.amount
	}
	s.call = min(s.call, a.call)
	s.sure++
}

// compare holds an application against the first one, and those of unknown outcome against each other if there is none.
func (s *effectSlot) compare(a *application) {
	key, amount := s.key, s.amount
	if s.sure == 0 {
		key, amount = s.open.key, s.open.amount
	}
	switch {
	case a.key == key && a.amount == amount:
	case a.sure:
		s.divergent++
		s.other = a.trace
	default:
		s.mayDiverge = true
	}
}

// judge finds what is wrong with one id, and puts it into its bucket if it is an intent.
func (j *effectsJudge) judge(r *ops.Report, n int32, slots *effectSlots, needed []bool) {
	i := &j.intents[n]
	j.sum(i, slots.list)
	if !i.intended() {
		j.phantoms(r, n, slots.list)
	}
	if !i.intended() && !i.refused {
		if len(slots.list) == 0 {
			j.sums.parkedOnly++
		}
		return
	}
	j.sums.intents++
	p := j.prospects(i, slots.list, needed)
	j.sums.buckets[i.bucketOf(p)]++
	if !i.intended() {
		return
	}
	open := j.excesses(r, n, slots.list)
	short, mayLack := i.shortfall(p)
	if short {
		j.shortfall(r, n, slots.list, needed, i.fate(p.least))
	}
	if open || mayLack && !short && j.promise != atMostOnce {
		r.Undecided++
		return
	}
	if i.accepted || i.parked || p.least.stands > 0 || p.least.excess {
		r.Exercised++
	}
}

// prospects weigh the required stages. If none is known, for nothing was applied for sure, any application will do.
func (j *effectsJudge) prospects(i *intent, slots []effectSlot, needed []bool) prospects {
	p := prospects{least: outlook{parked: i.parked}, most: outlook{parked: i.parked || i.perhapsParked}}
	for k := range slots {
		s := &slots[k]
		p.least.excess = p.least.excess || s.sure > 1
		p.most.excess = p.most.excess || s.sure+s.unsure > 1
		if !needed[s.stage] && len(j.required) > 0 {
			continue
		}
		p.most.stands++
		if s.sure > 0 {
			p.least.stands++
		}
	}
	all := max(1, len(j.required))
	p.most.stands = min(p.most.stands, all)
	p.least.missing, p.most.missing = all-p.least.stands, all-p.most.stands
	return p
}

// excesses finds stages at which an intent was applied too often. It says whether what is promised of them is open.
func (j *effectsJudge) excesses(r *ops.Report, n int32, slots []effectSlot) (open bool) {
	for k := range slots {
		s := &slots[k]
		for range s.sure - 1 {
			r.Find("duplicate-effect", unless(j.promise, atLeastOnce), func(a *ops.Anomaly) {
				a.Evidence = evidence(j.intents[n].trace, s.first, s.last)
				a.Detail = fmt.Sprintf("%s was applied %d times%s", j.ids.value(n), s.sure, j.where(s.stage))
			})
		}
		for range s.divergent {
			r.Find("divergent-duplicate", ops.SeverityFail, func(a *ops.Anomaly) {
				a.Evidence = evidence(j.intents[n].trace, s.first, s.other)
				a.Detail = fmt.Sprintf("%s was applied twice%s, with different keys or amounts", j.ids.value(n), j.where(s.stage))
			})
		}
		open = open || s.mayDiverge && s.divergent == 0 || s.sure < 2 && s.sure+s.unsure > 1 && j.promise != atLeastOnce
	}
	return open
}

// where names a stage in a message.
func (j *effectsJudge) where(stage int32) string {
	v := j.stages.value(stage)
	if v.IsNull() {
		return ""
	}
	return fmt.Sprintf(" at stage %s", v)
}

// shortfall finds that an intent lacks something, whichever operations of unknown outcome took place.
func (j *effectsJudge) shortfall(r *ops.Report, n int32, slots []effectSlot, needed []bool, fate effectBucket) {
	if fate == bucketLost {
		r.Find("lost-effect", unless(j.promise, atMostOnce), func(a *ops.Anomaly) {
			a.Evidence = evidence(j.intents[n].trace)
			a.Detail = fmt.Sprintf("%s was accepted, and neither applied at a required stage nor parked", j.ids.value(n))
		})
		return
	}
	r.Find("partial-effect", unless(j.promise, atMostOnce), func(a *ops.Anomaly) {
		list := []trace{j.intents[n].trace}
		lacks := append([]bool(nil), needed...)
		for k := range slots {
			if lacks[slots[k].stage] = false; slots[k].sure > 0 {
				list = append(list, slots[k].first)
			}
		}
		a.Evidence = evidence(list...)
		for s := range lacks {
			if lacks[s] {
				a.Detail = fmt.Sprintf("%s was applied at %d of %d stages, but not%s", j.ids.value(n), len(list)-1, len(j.required), j.where(int32(s)))
				return
			}
		}
	})
}

// phantoms finds applications of an id that nobody meant.
func (j *effectsJudge) phantoms(r *ops.Report, n int32, slots []effectSlot) {
	i := &j.intents[n]
	unsure := 0
	for k := range slots {
		s := &slots[k]
		unsure += s.unsure
		for range s.sure {
			r.Find("phantom-effect", ops.SeverityFail, func(a *ops.Anomaly) {
				a.Evidence = evidence(s.first)
				a.Detail = fmt.Sprintf("%s was applied%s, and was never intended", j.ids.value(n), j.where(s.stage))
				if i.refused {
					a.Evidence = evidence(i.trace, s.first)
					a.Detail = fmt.Sprintf("%s was applied%s, and was refused", j.ids.value(n), j.where(s.stage))
				}
			})
		}
	}
	if unsure > 0 {
		r.Undecided++
	}
}

// sum adds up what was applied, and what of it was due: the first application at each stage of what was intended.
func (j *effectsJudge) sum(i *intent, slots []effectSlot) {
	t := &j.sums
	took := false
	for k := range slots {
		s := &slots[k]
		took = took || s.sure > 0
		t.applied += int64(s.sure)
		t.unsure += int64(s.unsure)
		if s.sure > 0 && i.intended() {
			t.due += s.amount
			t.off[s.key] -= s.amount
		}
	}
	if took && i.unknown && !i.accepted {
		t.recovered++
	}
	for at := i.applications; at != 0; at = j.applied[at-1].earlier {
		if a := &j.applied[at-1]; a.sure {
			t.total += a.amount
			t.off[a.key] += a.amount
		}
	}
}

// number writes the sums down.
func (j *effectsJudge) number(r *ops.Report, inferred bool) {
	t := &j.sums
	r.Numbers = map[string]int64{
		"intents": t.intents, "applied": t.applied, "perhaps-applied": t.unsure, "recovered": t.recovered,
		"amount-applied": t.total, "amount-due": t.due, "keys-off": 0, "parked-never-intended": t.parkedOnly,
		"stages-required": int64(len(j.required)), "stages-inferred": 0,
	}
	if inferred {
		r.Numbers["stages-inferred"] = 1
	}
	for b, n := range t.buckets {
		r.Numbers[effectBucket(b).String()] = n
	}
	for _, n := range t.off {
		if n != 0 {
			r.Numbers["keys-off"]++
		}
	}
}

func (j *effectsJudge) explain(r *ops.Report) {
	if r.Undecided > 0 {
		r.Why = append(r.Why, fmt.Sprintf("%d ids depend on applications or parkings of unknown outcome", r.Undecided))
	}
	if r.Exercised == 0 && r.Undecided == 0 {
		r.Why = append(r.Why, "no intent was accepted, parked or applied")
	}
}
