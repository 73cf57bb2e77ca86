package scenarios

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/twiceless/twiceless/model"
	"github.com/twiceless/twiceless/sim"
	"github.com/twiceless/twiceless/sim/history"
)

const retryPause = 200 * sim.Millisecond

// orchestrator is a throwaway spike of the composition contract: an instance per event in a journal of its own,
// a task per stage, resumed after a crash at the first task without a completion record.
type orchestrator struct{}

func (orchestrator) Name() string              { return "spike-orchestrator" }
func (orchestrator) Needs() []model.Capability { return nil }
func (orchestrator) Gives() []model.Capability { return nil }

func (orchestrator) Build(a model.Assembly, f model.Flow) {
	a.Consume(f.Source, "orchestrator", func(c model.Ctx, in model.Consumer, _ model.Batch) {
		for _, open := range unfinished(c.Process().Node().Disk().Read(journal), len(f.Stages)) {
			runTasks(c, a, f, open.message, open.done)
		}
		for {
			ms, ok := in.Poll(c, 0)
			if !ok {
				return
			}
			for _, m := range ms {
				write(c, m, 0)
			}
			_ = in.Commit(c, ms) // the journal has them: what follows is its business
			for _, m := range ms {
				runTasks(c, a, f, m, 0)
			}
		}
	})
}

const journal = "journal"

func write(c model.Ctx, m model.Message, done int) {
	c.Process().Write(journal, strconv.Itoa(done)+" "+m.Encode(), sim.Action{})
}

// runTasks runs the tasks from done on, each until it succeeds, and writes down each completion.
func runTasks(c model.Ctx, a model.Assembly, f model.Flow, m model.Message, done int) {
	for ; done < len(f.Stages); done++ {
		for a.RunStages(c, m, f.Stages[done:done+1]) != nil {
			c.Sleep(retryPause)
		}
		write(c, m, done+1)
	}
	c.Record(history.Fact{Kind: history.KindHandled, Event: m.Event, Cause: m.Cause, Outcome: history.Acked, Fence: -1, Offset: -1})
}

type instance struct {
	message model.Message
	done    int
}

// unfinished folds the journal: the instances without their last completion, in order of their start.
func unfinished(records []string, tasks int) []instance {
	var all []instance
	for _, r := range records {
		n, body, _ := strings.Cut(r, " ")
		done, _ := strconv.Atoi(n)
		m := model.DecodeMessage(body)
		found := false
		for i := range all {
			if all[i].message.Event == m.Event {
				all[i].done, found = max(all[i].done, done), true
			}
		}
		if !found {
			all = append(all, instance{m, done})
		}
	}
	var open []instance
	for _, i := range all {
		if i.done < tasks {
			open = append(open, i)
		}
	}
	return open
}

// runSpike runs an engine that is in no table over the payments scenario.
func runSpike(t *testing.T, e model.Engine, plan []string) *Result {
	t.Helper()
	sc, err := Load("payments")
	require.NoError(t, err)
	sc.Workload.KeyCount = 20
	c := &Case{Version: CaseVersion, Intent: Intent{Scenario: sc, Stack: "at-least-once", Fault: "none", PlanType: PlanHunting, Plan: plan}, Witness: Witness{Seed: 7}}
	faults, err := Plan(c)
	require.NoError(t, err)
	w := buildWith(c, faults, &Memory{}, nil, func(f model.Flow, offers map[string]*model.Offer) *assembly {
		return assembleWith(f, &Stack{Name: e.Name()}, e, offers)
	})
	defer w.sim.Close()
	started := time.Now()
	r := w.finish(c)
	t.Logf("%s: %s after %v of simulated time in %v", e.Name(), r.Stop, sim.Time(r.Row.SimTime), time.Since(started).Round(time.Millisecond))
	return r
}

// requireOnce asserts that every offered intent was done exactly once.
func requireOnce(t *testing.T, r *Result) {
	t.Helper()
	require.Equal(t, sim.StopQuiescent, r.Stop.Kind, r.Stop.Detail)
	require.Positive(t, r.Row.Offered)
	require.Equal(t, r.Row.Offered, r.Row.Buckets[history.Done], "buckets %v", r.Row.Buckets)
}

func TestSpikeOrchestrator(t *testing.T) { requireOnce(t, runSpike(t, orchestrator{}, nil)) }

// Killed between a task and its completion record, the task runs again; killed after it, it does not.
func TestSpikeOrchestratorResumes(t *testing.T) {
	r := runSpike(t, orchestrator{}, []string{"when notifier.present/applied{event=order-5} #1 kill $caller for 1s"})
	require.Equal(t, int64(1), r.Row.FaultsFired)
	require.Zero(t, r.Row.Excess[history.Critical], "the charge has its completion record")
	require.Positive(t, r.Row.Excess[history.Notify], "the notification has none")
	require.Zero(t, r.Row.Losses())
}
