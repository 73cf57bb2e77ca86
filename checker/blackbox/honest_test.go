package blackbox_test

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/twiceless/twiceless/checker"
	"github.com/twiceless/twiceless/checker/blackbox"
	"github.com/twiceless/twiceless/checker/ops"
)

// honest is a system that does what it says: each operation takes place at one moment between its call and its return.
// An operation whose outcome is unknown took place or did not.
type honest struct {
	model  string
	header ops.Value
	ask    func(rng *rand.Rand, next int64) (f string, in ops.Value)
	do     func(f string, in ops.Value) (out ops.Value)
}

// histories are those of honest systems; each is called for one history and begins anew.
var honestSystems = []func() honest{honestQueue("queue"), honestQueue("total-queue"), honestSet("set"), honestSet("set-full"), honestCounter, honestBank}

func honestQueue(model string) func() honest {
	return func() honest {
		var bag []ops.Value
		return honest{
			model: model,
			ask: func(rng *rand.Rand, next int64) (string, ops.Value) {
				if rng.IntN(2) == 0 {
					return "enqueue", whole(next / 2) // some values come twice
				}
				return [...]string{"dequeue", "dequeue", "drain"}[rng.IntN(3)], ops.Value{}
			},
			do: func(f string, in ops.Value) ops.Value {
				switch {
				case f == "enqueue":
					bag = append(bag, in)
					return in
				case f == "drain":
					all := list(bag...)
					bag = nil
					return all
				case len(bag) == 0:
					return ops.Value{}
				}
				v := bag[len(bag)-1]
				bag = bag[:len(bag)-1]
				return v
			},
		}
	}
}

func honestSet(model string) func() honest {
	return func() honest {
		var members []ops.Value
		return honest{
			model: model,
			ask: func(rng *rand.Rand, next int64) (string, ops.Value) {
				if rng.IntN(2) == 0 {
					return "add", whole(next)
				}
				return "read", ops.Value{}
			},
			do: func(f string, in ops.Value) ops.Value {
				if f == "add" {
					members = append(members, in)
					return in
				}
				return list(slices.Clone(members)...)
			},
		}
	}
}

func honestCounter() honest {
	var sum int64
	return honest{
		model: "counter",
		ask: func(rng *rand.Rand, _ int64) (string, ops.Value) {
			if rng.IntN(3) > 0 {
				return "add", whole(rng.Int64N(9) - 3)
			}
			return "read", ops.Value{}
		},
		do: func(f string, in ops.Value) ops.Value {
			if f == "add" {
				sum += in.Int
				return in
			}
			return whole(sum)
		},
	}
}

func honestBank() honest {
	balances := map[string]int64{"a": 10, "b": 0}
	return honest{
		model:  "bank",
		header: fields("accounts", list(text("a"), text("b")), "total", whole(10)),
		ask: func(rng *rand.Rand, _ int64) (string, ops.Value) {
			if rng.IntN(2) > 0 {
				return "transfer", fields("from", text("a"), "to", text("b"), "amount", whole(rng.Int64N(3)))
			}
			return "read", ops.Value{}
		},
		do: func(f string, in ops.Value) ops.Value {
			if amount := in.Field("amount").Int; f == "transfer" && balances["a"] >= amount {
				balances["a"] -= amount
				balances["b"] += amount
				return in
			}
			return fields("a", whole(balances["a"]), "b", whole(balances["b"]))
		},
	}
}

// No judge accuses an honest system, not even under the strictest promise.
func TestHonestSystemsAreNeverAccused(t *testing.T) {
	rng := rand.New(rand.NewPCG(4, 5))
	for _, system := range honestSystems {
		verdicts := map[checker.Verdict]int{}
		for range rounds(1500) {
			h := system()
			history := h.history(t, rng)
			o := blackbox.Options{}
			if h.model == "set-full" {
				o.Promise = "linearizable"
			}
			r := judged(t, h.model, h.header, o, history)
			verdicts[r.Verdict()]++
			require.NotEqual(t, checker.Fail, r.Verdict(), "%s: %v\n%s", h.model, r.Anomalies, described(history))
		}
		t.Logf("%s: %d pass, %d unknown, %d vacuous", system().model, verdicts[checker.Pass], verdicts[checker.Unknown], verdicts[checker.Vacuous])
		require.Positive(t, verdicts[checker.Pass])
	}
}

// history is one history of the system. What is under way when it ends has no completion.
func (h honest) history(t *testing.T, rng *rand.Rand) []*ops.Operation {
	t.Helper()
	type client struct {
		event   ops.Event
		busy    bool
		applied bool
		out     ops.Value
	}
	var out []*ops.Operation
	var p ops.Problems
	pairs := ops.NewPairs(false, func(o *ops.Operation) { kept := *o; out = append(out, &kept) }, &p)
	clients := make([]client, 3)
	index := int64(0)
	emit := func(c *client, typ ops.Type, v ops.Value) {
		c.event.Type, c.event.Value, c.event.Index, c.event.Line, c.event.Time = typ, v, index, int(index)+1, ops.NoTime
		index++
		pairs.Event(&c.event)
	}
	for range 30 {
		i := rng.IntN(len(clients))
		c := &clients[i]
		switch {
		case !c.busy:
			f, in := h.ask(rng, index)
			*c = client{event: ops.Event{Process: string(rune('a' + i)), F: f}, busy: true}
			emit(c, ops.Invoke, in)
		case !c.applied && rng.IntN(6) == 0:
			c.busy = false
			emit(c, [...]ops.Type{ops.Fail, ops.Info}[rng.IntN(2)], ops.Value{})
		case !c.applied:
			c.applied, c.out = true, h.do(c.event.F, c.event.Value)
		case rng.IntN(6) == 0:
			c.busy = false
			emit(c, ops.Info, ops.Value{})
		default:
			c.busy = false
			emit(c, ops.OK, c.out)
		}
	}
	pairs.End()
	require.NoError(t, p.Error("honest"))
	return out
}
