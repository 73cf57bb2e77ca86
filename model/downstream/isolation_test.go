package downstream

import (
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/twiceless/twiceless/checker"
	"github.com/twiceless/twiceless/checker/blackbox"
	"github.com/twiceless/twiceless/checker/isolation"
	"github.com/twiceless/twiceless/checker/ops"
	"github.com/twiceless/twiceless/internal/sqldoor"
	"github.com/twiceless/twiceless/model"
	"github.com/twiceless/twiceless/sim"
	"github.com/twiceless/twiceless/sim/history"
)

// randomly plays some transactions, interleaved at random, to their ends; in half of the histories one in the end looks
// every key up.
func randomly(t *testing.T, rnd *rand.Rand, statements []*model.SQLStatement, levels []model.Isolation, unverified bool) *history.History {
	r := newKV(t)
	r.unverified = unverified
	var facts history.History
	state(&facts, model.ReadCommitted, setup(r), r.commits)
	var all []*historyOf
	for i := range 2 + rnd.IntN(5) {
		h := &historyOf{name: i, level: levels[rnd.IntN(len(levels))]}
		for j := range 1 + rnd.IntN(4) {
			h.ask(statements[rnd.IntN(len(statements))], 1+rnd.Int64N(3), int64(1000*(i+1)+100*j))
		}
		all = append(all, h)
	}
	play(t, &facts, r, all, rnd)
	if rnd.IntN(2) == 0 {
		last := &historyOf{level: model.Serializable}
		for key := range int64(3) {
			last.ask(statements[0], key+1, 0)
		}
		play(t, &facts, r, []*historyOf{last}, rnd)
	}
	return &facts
}

func (h *historyOf) ask(s *model.SQLStatement, key, value int64) {
	h.statements = append(h.statements, s)
	h.args = append(h.args, []model.SQLValue{{Kind: model.SQLInteger, Int: key}, {Kind: model.SQLInteger, Int: value}})
}

// play takes the transactions to their ends and states those that commit.
func play(t *testing.T, facts *history.History, r *Relational, all []*historyOf, rnd *rand.Rand) {
	for {
		can := slices.DeleteFunc(slices.Clone(all), func(h *historyOf) bool { return h.over || h.e != nil })
		if len(can) == 0 {
			require.False(t, slices.ContainsFunc(all, func(h *historyOf) bool { return !h.over }), "all wait for each other")
			return
		}
		h := can[rnd.IntN(len(can))]
		if h.step(r); h.committed {
			state(facts, h.level, h.accesses, r.commits)
		}
		for settle(r, all) {
		}
	}
}

// setup is what newKV has written.
func setup(r *Relational) (all []history.Access) {
	for _, object := range slices.Sorted(maps.Keys(r.objects)) {
		all = append(all, history.Access{Write: true, Object: object, Version: r.commits})
	}
	return all
}

func state(facts *history.History, level model.Isolation, all []history.Access, commit int64) {
	if d := newTransacted(storeSQL, level, commit, all, sim.Action{}, 0); d.store != "" {
		facts.Record(history.Fact{Kind: history.KindTransacted, Resource: d.store, Op: d.level.String(), Value: d.accesses, Offset: d.commit, Outcome: history.Acked, Fence: -1})
	}
}

// isolationOf is the judge of facts.
func isolationOf(t *testing.T, facts *history.History) checker.Report {
	kinds := checker.Kinds()
	i := slices.IndexFunc(kinds, func(c checker.Checker) bool { return c.Name == "isolation" })
	require.GreaterOrEqual(t, i, 0)
	return kinds[i].Check(facts)
}

// inferred judges what clients would have seen if each row were a list of its versions: a read shows all of them up to the
// one that was read.
func inferred(t *testing.T, facts *history.History, level isolation.Level) *ops.Report {
	models := blackbox.Models()
	i := slices.IndexFunc(models, func(m blackbox.Model) bool { return m.Name == "list-append" })
	require.GreaterOrEqual(t, i, 0)
	var p ops.Problems
	judge := models[i].New(ops.Header{}, blackbox.Options{Level: string(level), Budget: blackbox.DefaultBudget}, &p)
	all := make([][]history.Access, facts.Len())
	before := map[history.Access]int64{} // by object and version
	for i := range facts.Facts {
		var err error
		all[i], err = history.ParseAccesses(facts.Facts[i].Value)
		require.NoError(t, err)
		for _, a := range all[i] {
			if a.Write {
				before[history.Access{Object: a.Object, Version: a.Version}] = a.Before
			}
		}
	}
	for i, accesses := range all {
		at := int64(i + 1) // all at once: real time says nothing
		o := ops.Operation{Process: strconv.Itoa(i), F: "txn", Call: at, Invoked: at, Return: at + int64(len(all)), Completed: at + int64(len(all)), Line: i + 1, Outcome: ops.OK}
		o.In, o.Out = ops.Value{Kind: ops.List}, ops.Value{Kind: ops.List}
		for _, a := range accesses {
			f, value := "r", ops.Value{Kind: ops.List}
			for v := a.Version; v != 0; v = before[history.Access{Object: a.Object, Version: v}] {
				value.Items = slices.Insert(value.Items, 0, ops.Value{Kind: ops.Int, Int: v})
			}
			if a.Write {
				f, value = "append", ops.Value{Kind: ops.Int, Int: a.Version}
			}
			asked := []ops.Value{{Kind: ops.Text, Text: f}, {Kind: ops.Text, Text: a.Object}, value}
			o.Out.Items = append(o.Out.Items, ops.Value{Kind: ops.List, Items: asked})
			if !a.Write {
				asked = []ops.Value{asked[0], asked[1], {}}
			}
			o.In.Items = append(o.In.Items, ops.Value{Kind: ops.List, Items: asked})
		}
		judge.Take(&o)
	}
	require.NoError(t, p.Error("random"))
	return judge.Report()
}

// counted is what the judges said of some histories.
type counted struct {
	histories, exercised, violated, inferred int
	labels                                   map[history.Label]int
}

// The database keeps what its levels say, by what it states; where it does not look whether reads still stand, that shows;
// and what is inferred from the same histories, told as lists, is there. Full, 32,000 histories: TWICELESS_FULL=1.
func TestIsolationOfRandomTransactions(t *testing.T) {
	n := 150
	if os.Getenv("TWICELESS_FULL") != "" {
		n = 8_000
	}
	statements := historyStatements(t)
	s, err := sqldoor.Parse("UPDATE kv SET v = $2 WHERE k = $1 AND EXISTS (SELECT 1 FROM kv WHERE k = 4 - $1)")
	require.NoError(t, err)
	statements = append(statements, s)
	for _, e := range []struct {
		name       string
		levels     []model.Isolation
		judged     isolation.Level // of inference, which knows one level for all
		unverified bool
	}{
		{"serializable", []model.Isolation{model.Serializable}, isolation.Serializable, false},
		{"read committed", []model.Isolation{model.ReadCommitted}, isolation.ReadCommitted, false},
		{"both", []model.Isolation{model.ReadCommitted, model.Serializable}, isolation.ReadCommitted, false},
		{"serializable, and reads are not validated", []model.Isolation{model.Serializable}, isolation.Serializable, true},
	} {
		t.Run(e.name, func(t *testing.T) {
			c := counted{labels: map[history.Label]int{}}
			for seed := range n {
				facts := randomly(t, rand.New(rand.NewPCG(uint64(seed), 23)), statements, e.levels, e.unverified)
				r := isolationOf(t, facts)
				require.Zero(t, r.Undecided[history.PropIsolation])
				c.histories++
				if r.Exercised[history.PropIsolation] > 0 {
					c.exercised++
				}
				for _, f := range r.Findings {
					c.violated++
					c.labels[f.Label]++
				}
				if inferred(t, facts, e.judged).Verdict() == checker.Fail {
					c.inferred++
					require.NotEmpty(t, r.Findings, "seed %d: inference claims what is not there\n%s", seed, told(facts))
				}
				require.True(t, e.unverified || len(r.Findings) == 0, "seed %d: %v\n%s", seed, r.Findings, told(facts))
			}
			t.Logf("%d histories, %d with transactions that depend on each other, %d violated, of which inference sees %d: %v", c.histories, c.exercised, c.violated, c.inferred, c.labels)
			require.Greater(t, c.exercised, c.histories/2)
			if e.unverified {
				require.Greater(t, c.violated, c.histories/50)
				require.Positive(t, c.inferred)
			}
		})
	}
}

func told(facts *history.History) string {
	var b strings.Builder
	for i := range facts.Facts {
		f := &facts.Facts[i]
		b.WriteString(f.Op + " " + f.Value + "\n")
	}
	return b.String()
}
