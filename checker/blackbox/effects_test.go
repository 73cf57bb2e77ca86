package blackbox_test

import (
	"maps"
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/twiceless/twiceless/checker"
	"github.com/twiceless/twiceless/checker/blackbox"
	"github.com/twiceless/twiceless/checker/ops"
)

// randomEffects makes histories of three ids, two keys and two stages, of which a header requires one, both or none. In
// every other one nothing fails, so that orders show.
func randomEffects(rng *rand.Rand) randomHistory {
	stages := []ops.Value{text("ledger"), text("mail")}
	calm := rng.IntN(2) == 0
	return randomHistory{
		rng: rng, processes: 3, events: 16,
		ask: func() (string, ops.Value) {
			id := whole(rng.Int64N(3))
			switch rng.IntN(9) {
			case 0, 1, 2:
				return "intend", id
			case 3:
				return "park", id
			}
			amount := whole(1)
			if rng.IntN(8) == 0 {
				amount = whole(2)
			}
			key := text([]string{"k", "k", "l"}[id.Int])
			return "apply", fields("id", id, "stage", stages[rng.IntN(2)], "key", key, "amount", amount)
		},
		answer: func(_ string, in ops.Value) (ops.Type, ops.Value) {
			if calm {
				return ops.OK, in
			}
			return outcome(rng), in
		},
	}
}

// A resolution says of each operation of unknown outcome whether it took place.
type resolution map[*ops.Operation]bool

func (r resolution) happened(o *ops.Operation) bool { return o.Outcome == ops.OK || r[o] }

// resolutions are all of a history, the one in which nothing of unknown outcome took place first.
func resolutions(history []*ops.Operation) []resolution {
	all := []resolution{{}}
	for _, o := range history {
		if o.F == "intend" || o.Outcome != ops.Info {
			continue
		}
		for _, r := range all {
			more := maps.Clone(r)
			more[o] = true
			all = append(all, more)
		}
	}
	return all
}

// effectsWorld is a history with what is required, seen through its definitions: loops over all operations.
type effectsWorld struct {
	history  []*ops.Operation
	required []string // stages
}

// applications are those of an id at a stage, "" = any stage, that took place.
func (w effectsWorld) applications(id int64, stage string, r resolution) (list []*ops.Operation) {
	for _, o := range w.history {
		if o.F == "apply" && r.happened(o) && o.In.Field("id").Int == id && (stage == "" || o.In.Field("stage").Text == stage) {
			list = append(list, o)
		}
	}
	return list
}

// intends says whether an intend of an id has an outcome.
func (w effectsWorld) intends(id int64, outcome ops.Type) bool {
	return slices.ContainsFunc(w.history, func(o *ops.Operation) bool { return o.F == "intend" && o.In.Int == id && o.Outcome == outcome })
}

func (w effectsWorld) parked(id int64, r resolution) bool {
	return slices.ContainsFunc(w.history, func(o *ops.Operation) bool { return o.F == "park" && o.In.Int == id && r.happened(o) })
}

func (w effectsWorld) meant(id int64) bool { return w.intends(id, ops.OK) || w.intends(id, ops.Info) }

// standing counts the required stages at which an id was applied.
func (w effectsWorld) standing(id int64, r resolution) (stands, missing int) {
	if len(w.required) == 0 {
		stands = min(1, len(w.applications(id, "", r)))
		return stands, 1 - stands
	}
	for _, s := range w.required {
		stands += min(1, len(w.applications(id, s, r)))
	}
	return stands, len(w.required) - stands
}

// bucket is that of an intent in one resolution.
func (w effectsWorld) bucket(id int64, r resolution) string {
	excess := len(w.applications(id, "ledger", r)) > 1 || len(w.applications(id, "mail", r)) > 1
	switch fate := w.fate(id, r); {
	case fate != "refused" && excess:
		return "duplicated"
	default:
		return fate
	}
}

func (w effectsWorld) fate(id int64, r resolution) string {
	stands, missing := w.standing(id, r)
	switch {
	case !w.meant(id):
		return "refused"
	case missing == 0:
		return "done"
	case w.parked(id, r):
		return "parked"
	case stands > 0:
		return "partial"
	case w.intends(id, ops.OK):
		return "lost"
	}
	return "absent_unknown"
}

// wrongs counts what is wrong with an id in one resolution, per slot where stages count.
func (w effectsWorld) wrongs(id int64, r resolution) map[string]int64 {
	n := map[string]int64{}
	if !w.meant(id) {
		n["phantom-effect"] = int64(len(w.applications(id, "", r)))
		return n
	}
	for _, s := range []string{"ledger", "mail"} {
		list := w.applications(id, s, r)
		n["duplicate-effect at "+s] = int64(max(0, len(list)-1))
		if len(list) == 0 {
			continue
		}
		first := slices.MinFunc(list, func(a, b *ops.Operation) int { return int(a.Completed - b.Completed) })
		for _, o := range list {
			if o.In.Field("amount").Int != first.In.Field("amount").Int {
				n["divergent-duplicate at "+s]++
			}
		}
	}
	if fate := w.fate(id, r); fate == "lost" || fate == "partial" {
		n["shortfall"] = 1
	}
	return n
}

// inversions counts intents that were overtaken, by all pairs.
func (w effectsWorld) inversions() (n int64) {
	type span struct{ call, returned int64 }
	over := func(list []*ops.Operation) span {
		s := span{ops.Never, -1}
		for _, o := range list {
			s = span{min(s.call, o.Call), max(s.returned, o.Return)}
		}
		return s
	}
	intent := func(id int64) span {
		var list []*ops.Operation
		for _, o := range w.history {
			if o.F == "intend" && o.In.Int == id && o.Outcome != ops.Fail {
				list = append(list, o)
			}
		}
		return over(list)
	}
	everything := resolutions(w.history)
	most := everything[len(everything)-1]
	for _, s := range []string{"ledger", "mail"} {
		for x := range int64(2) { // ids 0 and 1 have one key, 2 has another
			y := 1 - x
			sure, all := w.applications(x, s, nil), w.applications(x, s, most)
			if !w.meant(x) || !w.meant(y) || len(sure) == 0 || len(sure) != len(all) || intent(x).returned >= intent(y).call {
				continue
			}
			for _, o := range w.applications(y, s, nil) {
				if o.Return < over(sure).call {
					n++
					break
				}
			}
		}
	}
	return n
}

// verdicts of an id over all resolutions: what is wrong in the first, where nothing of unknown outcome took place, and
// what is wrong in some and not in others.
func (w effectsWorld) decide(id int64, all []resolution, promise string) (found map[string]int64, open bool) {
	found = map[string]int64{}
	least := w.wrongs(id, all[0])
	names := []string{"phantom-effect", "shortfall", "duplicate-effect at ledger", "duplicate-effect at mail", "divergent-duplicate at ledger", "divergent-duplicate at mail"}
	for _, name := range names {
		always, ever := true, false
		for _, r := range all {
			wrong := w.wrongs(id, r)[name]
			always, ever = always && wrong > 0, ever || wrong > 0
			if name == "phantom-effect" {
				open = open || wrong != least[name]
			}
		}
		permitted := promise == "at-most-once" && name == "shortfall" || promise == "at-least-once" && name[:9] == "duplicate"
		open = open || ever && !always && !permitted
		if name == "shortfall" && always {
			found[map[string]string{"lost": "lost-effect", "partial": "partial-effect"}[w.fate(id, all[0])]]++
		}
	}
	found["phantom-effect"] = least["phantom-effect"]
	found["duplicate-effect"] = least["duplicate-effect at ledger"] + least["duplicate-effect at mail"]
	found["divergent-duplicate"] = least["divergent-duplicate at ledger"] + least["divergent-duplicate at mail"]
	return found, open
}

// The ledger against its definitions, over all ways in which the operations of unknown outcome may have gone: an anomaly
// is found if it is there in every one, and open if it is there in some.
func TestEffectsAgainstAllResolutions(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 5))
	seen := map[string]int64{}
	for range rounds(1000) {
		history := randomEffects(rng).operations(t)
		header, required := effectsHeader(rng, history)
		all := resolutions(history)
		if len(all) > 64 {
			continue
		}
		world := effectsWorld{history, required}
		promise := []string{"", "exactly-once", "at-least-once", "at-most-once"}[rng.IntN(4)]
		want, open := map[string]int64{"effect-order-inversion": world.inversions()}, int64(0)
		buckets := map[string]int64{}
		for id := range int64(3) {
			found, undecided := world.decide(id, all, promise)
			for name, n := range found {
				want[name] += n
			}
			if undecided {
				open++
			}
			if world.meant(id) || world.intends(id, ops.Fail) {
				buckets[world.onlyBucket(id, all)]++
			}
		}
		r := judged(t, "effects", header, blackbox.Options{Promise: promise}, history)
		got := counts(r)
		for _, name := range slices.Sorted(maps.Keys(want)) {
			require.Equal(t, want[name], got[name], "%s, requires %v\n%s", name, required, described(history))
			seen[name] += want[name]
		}
		require.Equal(t, open, r.Undecided, "requires %v, promise %s\n%s", required, promise, described(history))
		for _, b := range []string{"refused", "duplicated", "done", "parked", "partial", "absent_unknown", "lost", "undecided"} {
			require.Equal(t, buckets[b], r.Numbers["bucket-"+b], "%s, requires %v\n%s", b, required, described(history))
			seen["bucket-"+b] += buckets[b]
		}
		seen["open"] += open
	}
	t.Log(seen)
	for _, name := range slices.Sorted(maps.Keys(seen)) {
		require.Positive(t, seen[name], name)
	}
	require.Len(t, seen, 6+8+1)
}

// onlyBucket is the bucket of an intent if it is the same in all resolutions.
func (w effectsWorld) onlyBucket(id int64, all []resolution) string {
	b := w.bucket(id, all[0])
	for _, r := range all {
		if w.bucket(id, r) != b {
			return "undecided"
		}
	}
	return b
}

// effectsHeader draws a header, and says which stages it makes required.
func effectsHeader(rng *rand.Rand, history []*ops.Operation) (ops.Value, []string) {
	switch rng.IntN(3) {
	case 0:
		return fields("stages", list(text("mail"), text("ledger"))), []string{"ledger", "mail"}
	case 1:
		return fields("stages", list(text("mail"))), []string{"mail"}
	}
	w := effectsWorld{history: history}
	var required []string
	for _, s := range []string{"ledger", "mail"} {
		for id := range int64(3) {
			if w.meant(id) && len(w.applications(id, s, nil)) > 0 && !slices.Contains(required, s) {
				required = append(required, s)
			}
		}
	}
	return ops.Value{}, required
}

// Each promise says which anomalies break it; phantoms and divergent duplicates break each.
func TestEffectsPromises(t *testing.T) {
	intend := &ops.Operation{F: "intend", Outcome: ops.OK, Call: 0, Return: 0, In: whole(1)}
	apply := func(id, at, amount int64, stage string) *ops.Operation {
		v := fields("id", whole(id), "stage", text(stage), "key", text("k"), "amount", whole(amount))
		return &ops.Operation{F: "apply", Outcome: ops.OK, Call: at, Return: at, In: v}
	}
	second := &ops.Operation{F: "intend", Outcome: ops.OK, Call: 1, Return: 1, In: whole(2)}
	done := []*ops.Operation{apply(1, 3, 5, "a"), apply(1, 4, 5, "b")}
	histories := map[string][]*ops.Operation{
		"duplicate": append([]*ops.Operation{intend, apply(1, 5, 5, "a")}, done...),
		"divergent": append([]*ops.Operation{intend, apply(1, 5, 6, "a")}, done...),
		"lost":      append([]*ops.Operation{intend, second}, done...),
		"partial":   {intend, apply(1, 3, 5, "a")},
		"phantom":   append([]*ops.Operation{intend, apply(9, 5, 5, "a")}, done...),
		"inversion": {intend, second, apply(2, 3, 5, "a"), apply(2, 4, 5, "b"), apply(1, 5, 5, "a"), apply(1, 6, 5, "b")},
	}
	stages := list(text("a"), text("b"))
	for promise, breaks := range map[string][]string{
		"":              {"duplicate", "divergent", "lost", "partial", "phantom"},
		"exactly-once":  {"duplicate", "divergent", "lost", "partial", "phantom"},
		"at-least-once": {"divergent", "lost", "partial", "phantom"},
		"at-most-once":  {"duplicate", "divergent", "phantom"},
	} {
		for name, history := range histories {
			r := judged(t, "effects", fields("stages", stages), blackbox.Options{Promise: promise}, history)
			require.NotEmpty(t, r.Anomalies, "%s is told under every promise", name)
			require.Equal(t, slices.Contains(breaks, name), r.Verdict() == checker.Fail, "%s under %q", name, promise)
		}
	}
	ordered := judged(t, "effects", fields("stages", stages, "order", text("per-key")), blackbox.Options{}, histories["inversion"])
	require.Equal(t, checker.Fail, ordered.Verdict(), "the header promises an order")
}

// The sums of a ledger: what was applied, what of it was due, and how many keys are off by the difference.
func TestEffectsSums(t *testing.T) {
	at := int64(0)
	event := func(f string, outcome ops.Type, in ops.Value) *ops.Operation {
		at++
		o := &ops.Operation{F: f, Outcome: outcome, Call: at, Return: at, In: in}
		if outcome == ops.Info {
			o.Return = ops.Never
		}
		return o
	}
	apply := func(id int64, key string, amount int64) ops.Value {
		return fields("id", whole(id), "key", text(key), "amount", whole(amount))
	}
	r := judged(t, "effects", ops.Value{}, blackbox.Options{}, []*ops.Operation{
		event("intend", ops.OK, whole(1)),
		event("intend", ops.Info, whole(2)),
		event("park", ops.OK, whole(8)),
		event("apply", ops.OK, apply(1, "alice", 5)),
		event("apply", ops.OK, apply(1, "alice", 5)),  // a duplicate: alice is off
		event("apply", ops.OK, apply(2, "bob", 7)),    // of unknown outcome, but it happened
		event("apply", ops.OK, apply(9, "carol", 11)), // a phantom: carol is off
		event("apply", ops.Info, apply(2, "bob", 7)),
	})
	for name, want := range map[string]int64{
		"intents": 2, "applied": 4, "perhaps-applied": 1, "recovered": 1, "amount-applied": 28, "amount-due": 12, "keys-off": 2,
		"parked-never-intended": 1, "stages-required": 1, "stages-inferred": 1,
		"bucket-duplicated": 1, "bucket-undecided": 1,
	} {
		require.Equal(t, want, r.Numbers[name], name)
	}
}

// A million effects of a quarter million intents at four stages, without reading them.
func BenchmarkMillionEffects(b *testing.B) {
	const intents = 250_000
	models := blackbox.Models()
	effects := models[slices.IndexFunc(models, func(m blackbox.Model) bool { return m.Name == "effects" })]
	value := fields("id", ops.Value{}, "stage", ops.Value{}, "key", ops.Value{}, "amount", whole(1))
	stages := []ops.Value{text("charge"), text("book"), text("mail"), text("index")}
	ids := make([]ops.Value, intents)
	for i := range ids {
		ids[i] = text("event-" + strconv.Itoa(i))
	}
	var o ops.Operation // the judge keeps none
	for b.Loop() {
		var p ops.Problems
		judge := effects.New(ops.Header{}, blackbox.Options{}, &p)
		at := int64(0)
		take := func(f string, in ops.Value) {
			o = ops.Operation{F: f, Outcome: ops.OK, Call: at, Return: at, Invoked: at, Completed: at, In: in}
			judge.Take(&o)
			at++
		}
		for i, id := range ids {
			take("intend", id)
			for _, stage := range stages {
				value.Items[1], value.Items[3], value.Items[5] = id, stage, whole(int64(i%1000))
				take("apply", value)
			}
		}
		require.Equal(b, checker.Pass, judge.Report().Verdict())
	}
}
