package consumer_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/twiceless/twiceless/model"
	"github.com/twiceless/twiceless/model/consumer"
	"github.com/twiceless/twiceless/model/wire"
	"github.com/twiceless/twiceless/sim"
	"github.com/twiceless/twiceless/sim/history"
)

// What holds of every member and of the group as a whole, whatever goes wrong with members, coordinator and leaders. The
// logs lose nothing here.
func TestMembersUnderAnyFault(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		cl, deliverable := anyTrouble(t)
		cl.run(200 * sec)
		w := &watcher{t: t, deliverable: deliverable, shares: map[string]map[string]*belief{}, owners: map[string]string{}, handled: map[string]map[int64]bool{}}
		for i := range cl.w.History.Facts {
			w.fact(&cl.w.History.Facts[i])
		}
		w.finished()
		if cl.opts.AutoCommit == consumer.CommitsPolled {
			w.committed(cl)
		}
	})
}

// anyTrouble is a group of three members of any kind, over two brokers, with records and transactions, some aborted. Anyone
// may be killed, paused, cut off or asked to stop, leaders may move, and all comes back. It tells which offsets readers are
// to be handed.
func anyTrouble(t *rapid.T) (*cluster, map[string][]int64) {
	cl := seeded(t, 3, rapid.Uint64().Draw(t, "seed"))
	o := &cl.opts
	o.MaxPollInterval, o.RequestTimeout = 12*sec, 3*sec
	switch rapid.SampledFrom([]string{"eager", "cooperative", "librdkafka", "server"}).Draw(t, "protocol") {
	case "cooperative":
		o.Assignors = []string{consumer.CooperativeSticky}
	case "librdkafka":
		o.Assignors = []string{consumer.RoundRobin}
		o.Prefetch, o.CommitWhileJoining, o.ClientSession = 7, true, true
	case "server":
		o.Protocol = consumer.ServerSide
	}
	o.Static = rapid.Bool().Draw(t, "static")
	o.AutoCommit = rapid.SampledFrom([]consumer.AutoCommit{consumer.CommitsNothing, consumer.CommitsPolled}).Draw(t, "auto-commit")
	o.MaxPollRecords = rapid.IntRange(1, 6).Draw(t, "max.poll.records")
	if rapid.Bool().Draw(t, "read committed") {
		o.Isolation = wire.ReadCommitted
	}
	deliverable := published(t, cl)
	nodes := []string{"broker-1", "broker-2", "consumer-1", "consumer-2", "consumer-3"}
	for range 3 {
		cl.member(laboured(o.AutoCommit == consumer.CommitsNothing, sim.Duration(rapid.Int64Range(0, int64(1500*ms)).Draw(t, "work"))))
	}
	for range rapid.IntRange(0, 6).Draw(t, "faults") {
		n := cl.w.Node(rapid.SampledFrom(nodes).Draw(t, "node"))
		how := rapid.SampledFrom([]string{"kill", "power-loss", "pause", "cut", "stop", "lead"}).Draw(t, "how")
		length := sim.Duration(rapid.Int64Range(1, int64(15*sec)).Draw(t, "for"))
		cl.at(sim.Duration(rapid.Int64Range(0, int64(15*sec)).Draw(t, "at")), func() { cl.trouble(n, how, length) })
	}
	return cl, deliverable
}

// laboured polls, works, and commits unless the client does.
func laboured(commits bool, work sim.Duration) consumer.Loop {
	return func(c model.Ctx, in model.Consumer) {
		for {
			batch, ok := in.Poll(c, 0)
			if !ok {
				return
			}
			c.Sleep(work)
			handled(c, batch)
			if commits {
				_ = in.Commit(c, batch)
			}
		}
	}
}

// published has records come for 20 s. Transactions of producers 1 to 3 are of one partition each.
func published(t *rapid.T, cl *cluster) map[string][]int64 {
	deliverable := map[string][]int64{}
	ends := make([]int64, len(cl.logs))
	open := make([][]int64, len(cl.logs)) // offsets of its producer's transaction
	for i := range 40 {
		k := rapid.IntRange(0, len(cl.logs)-1).Draw(t, "partition")
		name := fmt.Sprintf("orders/%d", k)
		at := sim.Duration(i) * sec / 2
		switch rapid.SampledFrom([]string{"record", "record", "transaction", "commit", "abort"}).Draw(t, "what") {
		case "record":
			n := rapid.IntRange(1, 2).Draw(t, "records")
			var events []string
			for j := range n {
				events = append(events, fmt.Sprintf("order-%d.%d", i, j))
				deliverable[name] = append(deliverable[name], ends[k]+int64(j))
			}
			ends[k] += int64(n)
			cl.at(at, func() { cl.publish(k, events...) })
		case "transaction":
			open[k] = append(open[k], ends[k])
			ends[k]++
			cl.at(at, func() { cl.transactional(k, int64(k+1), wire.Data, fmt.Sprintf("order-%d.0", i)) })
		case "commit":
			deliverable[name] = append(deliverable[name], open[k]...)
			open[k] = nil
			ends[k]++
			cl.at(at, func() { cl.transactional(k, int64(k+1), wire.CommitMarker) })
		case "abort":
			if cl.opts.Isolation == wire.ReadUncommitted {
				deliverable[name] = append(deliverable[name], open[k]...)
			}
			open[k] = nil
			ends[k]++
			cl.at(at, func() { cl.transactional(k, int64(k+1), wire.AbortMarker) })
		}
	}
	for k := range cl.logs {
		name := fmt.Sprintf("orders/%d", k)
		deliverable[name] = append(deliverable[name], open[k]...)
		cl.at(21*sec, func() { cl.transactional(k, int64(k+1), wire.CommitMarker) })
	}
	return deliverable
}

// trouble does one thing to a node that is well, and takes it back.
func (cl *cluster) trouble(n *sim.Node, how string, length sim.Duration) {
	if how == "lead" {
		k := int(length) % len(cl.logs)
		cl.lead(k, cl.brokers[int(length)/7%2])
		return
	}
	if !n.Up() || n.Paused() || n.Stopping() || n.Role() == "broker" && (how == "stop" || how == "cut") {
		return
	}
	back := n.Boot
	switch how {
	case "kill":
		n.Kill(0)
	case "power-loss":
		n.PowerLoss(0)
	case "pause":
		n.Pause()
		back = n.Resume
	case "cut":
		n.Cut(cl.brokers[0])
		cl.brokers[0].Cut(n)
		back = func() { n.Mend(cl.brokers[0]); cl.brokers[0].Mend(n) }
	case "stop":
		n.AskStop(0)
		back = func() {
			if n.Up() { // the grace period is over
				n.Kill(0)
			}
			n.Boot()
		}
	}
	cl.at(sim.Duration(cl.w.Now())+length, back)
}

// belief is what a member believes of one partition that it owns.
type belief struct{ generation, next int64 }

// watcher follows the members through their facts.
type watcher struct {
	t           require.TestingT
	deliverable map[string][]int64 // by partition, what readers are to be handed
	shares      map[string]map[string]*belief
	owners      map[string]string // by partition and generation
	handled     map[string]map[int64]bool
}

func (w *watcher) fact(f *history.Fact) {
	own := w.shares[f.Node]
	mine := own[f.Resource]
	switch f.Kind {
	case history.KindBooted:
		w.shares[f.Node] = map[string]*belief{}
	case history.KindAssigned:
		if mine != nil { // kept, in a new generation
			require.Greater(w.t, f.Fence, mine.generation, f)
			w.passes(f, mine)
		}
		own[f.Resource] = &belief{f.Fence, f.Offset}
		key := fmt.Sprint(f.Resource, f.Fence)
		require.Contains(w.t, []string{"", f.Node}, w.owners[key], "one owner in a generation: %v", f)
		w.owners[key] = f.Node
	case history.KindDelivered:
		w.delivered(f, mine)
	case history.KindHandled:
		if w.handled[f.Resource] == nil {
			w.handled[f.Resource] = map[int64]bool{}
		}
		w.handled[f.Resource][f.Offset] = true
	case history.KindCommitting:
		if mine == nil { // of work that outlasted the share
			return
		}
		require.Equal(w.t, mine.generation, f.Fence, f)
		if f.Offset > mine.next { // else of an earlier batch
			w.passes(f, mine)
		}
	case history.KindCommitted: // loops commit after their work
		for _, o := range w.deliverable[f.Resource] {
			require.False(w.t, o < f.Offset && !w.handled[f.Resource][o], "%d is behind %v", o, f)
		}
	case history.KindRevoked:
		require.NotNil(w.t, mine, f)
		require.Equal(w.t, mine.generation, f.Fence, f)
		w.passes(f, mine)
		delete(own, f.Resource)
	default:
	}
}

// delivered: of a partition that the member owns, under the generation in which it does, the first after its position that is to
// be handed out.
func (w *watcher) delivered(f *history.Fact, mine *belief) {
	require.NotNil(w.t, mine, "not its own: %v", f)
	require.Equal(w.t, mine.generation, f.Fence, f)
	require.Contains(w.t, w.deliverable[f.Resource], f.Offset, f)
	w.passes(f, mine)
	mine.next = f.Offset + 1
}

// passes: a position is behind all that was handed out and before all that was not. Between them lie markers and what was
// aborted.
func (w *watcher) passes(f *history.Fact, mine *belief) {
	require.GreaterOrEqual(w.t, f.Offset, mine.next, f)
	for _, o := range w.deliverable[f.Resource] {
		require.False(w.t, mine.next <= o && o < f.Offset, "%d is skipped by %v", o, f)
	}
}

// finished: some time after the last fault everything has been handled.
func (w *watcher) finished() {
	for name, offsets := range w.deliverable {
		for _, o := range offsets {
			require.True(w.t, w.handled[name][o], "%s %d was never handled", name, o)
		}
	}
}

// committed: the client has committed all that it has handed over.
func (w *watcher) committed(cl *cluster) {
	for k, at := range cl.committed() {
		if offsets := w.deliverable[model.PartitionName(cl.topic, k)]; len(offsets) > 0 {
			require.Greater(w.t, at, slices.Max(offsets), "partition %d", k)
		}
	}
}
