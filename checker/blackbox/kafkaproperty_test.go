package blackbox_test

import (
	"math/rand/v2"
	"os"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/twiceless/twiceless/checker"
	"github.com/twiceless/twiceless/checker/blackbox"
	"github.com/twiceless/twiceless/checker/ops"
)

// seeds is how many histories each property is tried on, or 20,000 in a full run.
func seeds(usual uint64) uint64 {
	if os.Getenv(fullVariable) != "" {
		return 20_000
	}
	return usual
}

// A log that keeps its promises passes, whatever its clients do: transactions abort and get lost, offsets have gaps,
// groups share their keys anew, and consumers begin again.
func TestKafkaCleanSimulationsPass(t *testing.T) {
	allowed := map[string]int{}
	for seed := range seeds(300) {
		h := simulate(seed, 120, 3)
		r, err := h.judge(blackbox.Options{})
		require.NoError(t, err)
		for _, a := range r.Anomalies {
			require.Equal(t, ops.SeverityInfo, a.Severity, "seed %d: %s: %s\n%s", seed, a.Name, a.Detail, h)
			allowed[a.Name]++
		}
		require.Equal(t, checker.Pass, r.Verdict(), "seed %d: %v\n%s", seed, r.Why, h)
	}
	for _, name := range []string{"G0", "G1c", "int-send-skip", "poll-skip", "nonmonotonic-poll"} {
		require.Positive(t, allowed[name], "%s never happened", name)
	}
}

// A fault is one change of a clean history: what a broken log or client would have shown. It says whether the history
// has a place for it.
type fault struct {
	name string // of the anomaly
	make func(h logHistory, rng *rand.Rand) bool
}

// Each fault is called by its name, in every history that has a place for it.
func TestKafkaFaultsAreNamed(t *testing.T) {
	for _, f := range kafkaFaults() {
		t.Run(f.name, func(t *testing.T) {
			n := 0
			for seed := range seeds(200) {
				h := simulate(seed, 120, 3)
				if !f.make(h, rand.New(rand.NewPCG(seed, 2))) {
					continue
				}
				n++
				r, err := h.judge(blackbox.Options{})
				require.NoError(t, err)
				i := slices.IndexFunc(r.Anomalies, func(a ops.Anomaly) bool { return a.Name == f.name })
				require.GreaterOrEqual(t, i, 0, "seed %d: %v\n%s", seed, r.Anomalies, h)
				require.Equal(t, ops.SeverityFail, r.Anomalies[i].Severity, "seed %d: %s\n%s", seed, r.Anomalies[i].Detail, h)
				require.Equal(t, checker.Fail, r.Verdict())
			}
			require.Greater(t, n, 10, "histories with a place for it")
			t.Logf("%d histories", n)
		})
	}
}

func kafkaFaults() []fault {
	return []fault{
		{"lost-write", func(h logHistory, rng *rand.Rand) bool {
			r, ok := pick(rng, h.sent(func(o *logOp, r logRec) bool { return o.outcome == ops.OK && h.readBeyond(r) }))
			h.keep(func(x logRec) bool { return x.key != r.key || x.value != r.value })
			return ok
		}},
		{"unseen", func(h logHistory, rng *rand.Rand) bool { return h.dropLast(rng, false) }},
		{"torn-transaction", func(h logHistory, rng *rand.Rand) bool { return h.dropLast(rng, true) }},
		{"duplicate", func(h logHistory, rng *rand.Rand) bool {
			r, ok := pick(rng, h.returned())
			if ok {
				h.last().micro[0].recs = append(h.last().micro[0].recs, logRec{r.key, 10_000, r.value})
			}
			return ok
		}},
		{"inconsistent-offsets", func(h logHistory, rng *rand.Rand) bool {
			r, ok := pick(rng, h.returned())
			if ok {
				h.last().micro[0].recs = append(h.last().micro[0].recs, logRec{r.key, r.offset, -5})
			}
			return ok
		}},
		{"phantom-read", func(h logHistory, rng *rand.Rand) bool {
			h.last().micro[0].recs = append(h.last().micro[0].recs, logRec{rng.IntN(3), 10_000, -5})
			return true
		}},
		{"G1a", func(h logHistory, rng *rand.Rand) bool {
			r, ok := pick(rng, h.sent(func(o *logOp, _ logRec) bool { return o.outcome == ops.Fail }))
			if ok {
				h.last().micro[0].recs = append(h.last().micro[0].recs, logRec{r.key, 10_000, r.value})
			}
			return ok
		}},
		{"precommitted-read", func(h logHistory, rng *rand.Rand) bool {
			r, ok := pick(rng, h.sent(func(o *logOp, _ logRec) bool { return o.f == "txn" && o.outcome == ops.OK }))
			for _, o := range h {
				if o.sends(r) {
					o.micro = append(o.micro, logMicro{poll: true, recs: []logRec{r}})
				}
			}
			return ok
		}},
		{"int-nonmonotonic-poll", func(h logHistory, rng *rand.Rand) bool {
			m, n, ok := h.adjacent(rng)
			if ok {
				m.recs[n], m.recs[n+1] = m.recs[n+1], m.recs[n]
			}
			return ok
		}},
		{"int-poll-skip", func(h logHistory, rng *rand.Rand) bool {
			m, n, ok := h.adjacent(rng)
			if !ok || n+2 >= len(m.recs) || m.recs[n+2].key != m.recs[n].key || !h.twice(m.recs[n+1]) {
				return false
			}
			m.recs = slices.Delete(slices.Clone(m.recs), n+1, n+2)
			return true
		}},
		{"poll-skip", func(h logHistory, rng *rand.Rand) bool { return h.next(rng, false) }},
		{"nonmonotonic-poll", func(h logHistory, rng *rand.Rand) bool { return h.next(rng, true) }},
		{"realtime-offset-order", func(h logHistory, rng *rand.Rand) bool { return h.exchange(rng, false) }},
		{"nonmonotonic-send", func(h logHistory, rng *rand.Rand) bool { return h.exchange(rng, true) }},
		{"G1c", func(h logHistory, rng *rand.Rand) bool { return h.readEachOther() }},
	}
}

func pick(rng *rand.Rand, from []logRec) (logRec, bool) {
	if len(from) == 0 {
		return logRec{value: -1}, false
	}
	return from[rng.IntN(len(from))], true
}

// last is the final poll, which returned nothing.
func (h logHistory) last() *logOp { return h[len(h)-1] }

func (h logHistory) sent(where func(*logOp, logRec) bool) []logRec {
	var out []logRec
	for _, o := range h {
		for _, m := range o.micro {
			if !m.poll && where(o, m.recs[0]) {
				out = append(out, m.recs[0])
			}
		}
	}
	return out
}

func (o *logOp) sends(r logRec) bool {
	return slices.ContainsFunc(o.micro, func(m logMicro) bool { return !m.poll && m.recs[0].key == r.key && m.recs[0].value == r.value })
}

// returned are the records of acknowledged polls.
func (h logHistory) returned() []logRec {
	var out []logRec
	for _, o := range h {
		for _, m := range o.micro {
			if m.poll && o.outcome == ops.OK {
				out = append(out, m.recs...)
			}
		}
	}
	return out
}

func (h logHistory) readBeyond(r logRec) bool {
	return slices.ContainsFunc(h.returned(), func(x logRec) bool { return x.key == r.key && x.offset > r.offset })
}

// keep takes what is not kept out of all polls.
func (h logHistory) keep(which func(logRec) bool) {
	for _, o := range h {
		for n := range o.micro {
			if m := &o.micro[n]; m.poll {
				m.recs = slices.DeleteFunc(slices.Clone(m.recs), func(r logRec) bool { return !which(r) })
			}
		}
	}
}

// dropLast takes the last record of a key out of all polls, and its offset out of what its producer heard: then only
// the drain shows that it is missing. If torn, it was sent with others, which remain.
func (h logHistory) dropLast(rng *rand.Rand, torn bool) bool {
	r, ok := pick(rng, h.sent(func(o *logOp, r logRec) bool {
		left := slices.ContainsFunc(h.returned(), func(x logRec) bool { return x.key == r.key && x.value != r.value })
		return o.outcome == ops.OK && left && !h.readBeyond(r) && (!torn || len(h.sent(func(p *logOp, x logRec) bool { return p == o && x.key != r.key })) > 0)
	}))
	// An open transaction could hold back what the drain does not return.
	if !ok || len(h.sent(func(o *logOp, x logRec) bool { return o.outcome == ops.Info && x.key == r.key })) > 0 {
		return false
	}
	h.keep(func(x logRec) bool { return x.key != r.key || x.value != r.value })
	for _, o := range h {
		for n := range o.micro {
			if m := &o.micro[n]; !m.poll && m.recs[0] == r {
				m.recs[0].offset = -1
			}
		}
	}
	return true
}

// adjacent are two records of a key that one poll returned one after the other.
func (h logHistory) adjacent(rng *rand.Rand) (m *logMicro, n int, ok bool) {
	for _, o := range h {
		for i := range o.micro {
			for k := 0; k+1 < len(o.micro[i].recs); k++ {
				if x := &o.micro[i]; x.recs[k].key == x.recs[k+1].key && (!ok || rng.IntN(3) == 0) {
					m, n, ok = x, k, true
				}
			}
		}
	}
	return m, n, ok
}

// next changes how the drain goes on in a key: it passes over the first record of a poll, or returns the one before
// it again.
func (h logHistory) next(rng *rand.Rand, again bool) bool {
	last := map[int]logRec{}
	type place struct {
		m *logMicro
		n int
		r logRec
	}
	var places []place
	for _, o := range h {
		if o.process != 99 {
			continue
		}
		for i := range o.micro {
			m := &o.micro[i]
			for n, r := range m.recs {
				before, ok := last[r.key]
				first := n == 0 || m.recs[n-1].key != r.key
				if ok && first && (again || n+1 < len(m.recs) && m.recs[n+1].key == r.key) && h.others(r) {
					places = append(places, place{m, n, before})
				}
			}
			for _, r := range m.recs {
				last[r.key] = r
			}
		}
	}
	if len(places) == 0 {
		return false
	}
	p := places[rng.IntN(len(places))]
	if again {
		p.m.recs = slices.Insert(slices.Clone(p.m.recs), p.n, p.r)
	} else {
		p.m.recs = slices.Delete(slices.Clone(p.m.recs), p.n, p.n+1)
	}
	return true
}

// twice says whether polls returned a record more than once.
func (h logHistory) twice(r logRec) bool {
	n := 0
	for _, x := range h.returned() {
		if x == r {
			n++
		}
	}
	return n > 1
}

// others says whether the offset of a record is known without the drain.
func (h logHistory) others(r logRec) bool {
	for _, o := range h {
		for _, m := range o.micro {
			if o.process != 99 && o.outcome == ops.OK && slices.Contains(m.recs, r) {
				return true
			}
		}
	}
	return false
}

// exchange exchanges the offsets of two acknowledged sends to a key, one begun after the other was acknowledged,
// wherever they are told.
func (h logHistory) exchange(rng *rand.Rand, ofOneProcess bool) bool {
	type two struct{ a, b logRec }
	var all []two
	for _, x := range h {
		for _, y := range h {
			if x.outcome != ops.OK || y.outcome != ops.OK || x.ret > y.call || ofOneProcess && !h.successive(x, y) {
				continue
			}
			for _, m := range x.micro {
				for _, n := range y.micro {
					if !m.poll && !n.poll && m.recs[0].key == n.recs[0].key {
						all = append(all, two{m.recs[0], n.recs[0]})
					}
				}
			}
		}
	}
	if len(all) == 0 {
		return false
	}
	c := all[rng.IntN(len(all))]
	for _, o := range h {
		for _, m := range o.micro {
			for n := range m.recs {
				switch {
				case m.recs[n].key != c.a.key:
				case m.recs[n].value == c.a.value:
					m.recs[n].offset = c.b.offset
				case m.recs[n].value == c.b.value:
					m.recs[n].offset = c.a.offset
				}
			}
		}
	}
	return true
}

// successive says whether two operations of one process have a single send each and no other send between.
func (h logHistory) successive(x, y *logOp) bool {
	if x.process != y.process || len(x.micro) != 1 || len(y.micro) != 1 {
		return false
	}
	return !slices.ContainsFunc(h, func(o *logOp) bool {
		return o.process == x.process && o.f != "poll" && o.call > x.ret && o.ret < y.call
	})
}

// readEachOther makes two transactions return what the other one sent.
func (h logHistory) readEachOther() bool {
	var found []*logOp
	var sends []logRec
	for _, o := range h {
		i := slices.IndexFunc(o.micro, func(m logMicro) bool { return !m.poll })
		if o.f == "txn" && o.outcome == ops.OK && i >= 0 {
			found, sends = append(found, o), append(sends, o.micro[i].recs[0])
		}
	}
	if len(found) < 2 {
		return false
	}
	for n := range 2 {
		found[n].micro = append(found[n].micro, logMicro{poll: true, recs: []logRec{sends[1-n]}})
	}
	return true
}
