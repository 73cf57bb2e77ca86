package blackbox

import (
	"github.com/twiceless/twiceless/checker/ops"
)

// effectsJudge keeps the ledger of business events that are to have their effects exactly once. An id is intended;
// each required stage is to apply it once; what cannot be applied is parked where a person finds it. For every id e and
// stage s let n(e,s) count the applications that are ok:
//
//	duplicate-effect        n(e,s) ≥ 2
//	divergent-duplicate     two applications of e at s differ in key or amount
//	lost-effect             e is accepted and not parked, n(e,s) = 0 for every required s, and one of them lacks it for sure
//	partial-effect          e is not refused and not parked, n(e,s) ≥ 1 for a required s, and another lacks it for sure
//	phantom-effect          e was never intended, or refused, and was applied
//	effect-order-inversion  see effectsorder.go
//
// An application of unknown outcome may have taken place, so neither its presence nor its absence is sure: what depends
// on it is undecided. One that failed did not. Several intents of one id are one business event that was tried again:
// one success accepts it, else one unknown outcome leaves it unknown, else it is refused. An unknown one may be absent;
// an effect of it says that it is not. The order of events matters for effect-order-inversion alone, so recorders of
// several machines need no common clock.
//
// The required stages are those of the header; without it, those that some intent was applied at for sure, and if there
// are none, any one. Other stages can only exceed. Every intent is in exactly one bucket (effectsbuckets.go).
//
// Phantoms and divergent duplicates fail under every promise; duplicates do not under at-least-once, lost and partial
// effects not under at-most-once. Assumes that the history ends when the system is at rest. Cost: linear time and
// memory. Exercised: decided intents that were accepted, parked or applied; a history without one is vacuous.
type effectsJudge struct {
	problems *ops.Problems
	promise  string
	ordered  ops.Severity // of effect-order-inversion
	ids      valueNumbers
	stages   valueNumbers
	keys     valueNumbers
	required []int32 // stages
	intents  []intent
	applied  []application
	weight   int64 // Σ |amount|
	sums     effectSums
}

// intent is what is known of an id, without its applications.
type intent struct {
	accepted, unknown, refused bool // an intend of that outcome
	parked, perhapsParked      bool
	call                       int64 // first call of an intend that did not fail
	returned                   int64 // last return of one that did not fail; Never if the outcome of one is unknown
	trace                      trace // of the first intend
	applications               int32 // the latest, as its place plus one; 0 = none
}

// intended says that it may have been meant.
func (i *intent) intended() bool { return i.accepted || i.unknown }

// application is one effect that took place, or may have.
type application struct {
	stage, key     int32
	amount         int64
	call, returned int64
	trace          trace
	earlier        int32 // the one before it of the same id, as its place plus one; 0 = none
	sure           bool
}

func effects() Model {
	return Model{
		Name: "effects",
		Doc:  "every intent has its effects exactly once",
		Functions: []Function{
			{"intend", "the id of a business event that is to have its effects"},
			{"apply", `{"id", "stage", "key", "amount"}; all but the id may be left out`},
			{"park", "an id that waits where a person finds it"},
		},
		Promises: []string{exactlyOnce, atLeastOnce, atMostOnce},
		Header: []Field{
			{"stages", "the list of the stages that each intent is to be applied at; left out: those that any was applied at"},
			{"order", `"per-key": effects of one key must take place in the order of their intents`},
		},
		Alone: true,
		Anomalies: []AnomalyKind{
			{Name: "duplicate-effect", Doc: "an intent was applied twice at one stage"},
			{Name: "divergent-duplicate", Doc: "two applications of an intent at one stage differ in key or amount", With: []string{"duplicate-effect"}},
			{Name: "lost-effect", Doc: "an accepted intent was applied nowhere, and not parked"},
			{Name: "partial-effect", Doc: "an intent was applied at some stages and not at others, and not parked"},
			{Name: "phantom-effect", Doc: "something was applied that nobody intended, or that was refused"},
			{Name: "effect-order-inversion", Doc: "of two intents of one key, of which one was answered before the other was called, the later was applied first"},
		},
		New: func(h ops.Header, o Options, p *ops.Problems) Judge {
			j := &effectsJudge{problems: p, promise: o.Promise, ids: newValueNumbers(), stages: newValueNumbers(), keys: newValueNumbers()}
			j.readHeader(h)
			return j
		},
	}
}

func (j *effectsJudge) readHeader(h ops.Header) {
	j.ordered = ops.SeverityInfo
	switch order := h.Field("order"); {
	case order.Kind == ops.Text && order.Text == "per-key":
		j.ordered = ops.SeverityFail
	case !order.IsNull():
		j.problems.Add(h.Line, "header.order", `must be "per-key" or left out, not %s`, order)
	}
	stages := h.Field("stages")
	if stages.IsNull() {
		return
	}
	if stages.Kind != ops.List || len(stages.Items) == 0 {
		j.problems.Add(h.Line, "header.stages", "must be a list of names that is not empty, not %s", stages)
		return
	}
	for i, v := range stages.Items {
		a, ok := v.Atom()
		if !ok || v.IsNull() || int(j.stages.number(a)) < i {
			j.problems.Add(h.Line, "header.stages", "%s is no name, or is there twice", v)
			return
		}
		j.required = append(j.required, int32(i))
	}
}

// Take notes what was intended, applied and parked.
func (j *effectsJudge) Take(o *ops.Operation) {
	if o.F == "apply" {
		j.apply(o)
		return
	}
	a, ok := element(o, j.problems)
	if !ok {
		return
	}
	i := j.intent(a)
	if o.F == "intend" {
		i.take(o)
		return
	}
	i.parked = i.parked || o.Outcome == ops.OK
	i.perhapsParked = i.perhapsParked || o.Outcome == ops.Info
}

func (j *effectsJudge) intent(id ops.Atom) *intent {
	n := int(j.ids.number(id))
	j.intents = grown(j.intents, n+1)
	return &j.intents[n]
}

// take notes an intend.
func (i *intent) take(o *ops.Operation) {
	if !i.intended() && !i.refused {
		i.trace = traceOf(o)
	}
	if o.Outcome == ops.Fail {
		i.refused = true
		return
	}
	if !i.intended() {
		i.call = o.Call
	}
	i.call, i.returned = min(i.call, o.Call), max(i.returned, o.Return)
	i.accepted = i.accepted || o.Outcome == ops.OK
	i.unknown = i.unknown || o.Outcome == ops.Info
}

// apply notes an application that did not fail.
func (j *effectsJudge) apply(o *ops.Operation) {
	v := asked(o)
	id, known := v.Field("id").Atom()
	if v.Kind != ops.Map || !known || id.Kind == ops.Null {
		j.problems.Add(o.Line, "value", `apply takes {"id", "stage", "key", "amount"} with an id that is a number or a text, not %s`, v)
		return
	}
	stage, named := v.Field("stage").Atom()
	key, keyed := v.Field("key").Atom()
	if !named || !keyed {
		j.problems.Add(o.Line, "value", "stage and key must be numbers or texts, or left out: %s", v)
		return
	}
	amount := v.Field("amount")
	if amount.Kind != ops.Int && !amount.IsNull() {
		j.problems.Add(o.Line, "value.amount", "must be a whole number or left out, not %s", amount.Kind)
		return
	}
	if o.Outcome == ops.Fail {
		return
	}
	var ok bool
	if j.weight, ok = heavier(j.weight, amount.Int); !ok {
		j.problems.Add(o.Line, "value.amount", "64 bits do not hold the sum of all amounts")
		return
	}
	i := j.intent(id)
	j.applied = grown(j.applied, len(j.applied)+1)
	j.applied[len(j.applied)-1] = application{
		stage: j.stages.number(stage), key: j.keys.number(key), amount: amount.Int,
		call: o.Call, returned: o.Return, trace: traceOf(o), earlier: i.applications, sure: o.Outcome == ops.OK,
	}
	i.applications = int32(len(j.applied))
}
