package checker

import (
	"fmt"

	"github.com/twiceless/twiceless/sim/history"
)

// workflows judges durable executions, whose code runs again from its history after every stop:
//
//	replay-divergence      ∀ run of a workflow, ∀ index j:  every execution issues the same command at j
//	activity-at-most-once  ∀ activity promised to start at most once:  it took effect at most as often as it has indices
//	double-start           ∀ workflow id:  no run starts while another one has not ended
//
// An execution that stops before index j, as each does that is killed, says nothing of j. A new run of the same workflow is a new
// history, whose commands start from 0 and may differ; it starts when the one before has ended, as by "continue as new". An activity
// that is retried is at-least-once and promised nothing; that one took effect twice is seen where its effect is required.
// Assumes that one start of an activity has one effect, an applied fact with the workflow as Event and the activity as Stage.
//
// Cost: linear in commands and the facts of workflows, one map entry per command. Noted. Exercised: indices that were issued twice;
// activities of that promise; workflow ids that were started. One note per index, activity and id.
func workflows() Checker {
	return overLedger(Checker{
		Name:       "workflows",
		Doc:        "workflow code repeats itself when it is replayed, no id runs twice, activities keep at-most-once",
		Properties: []history.Property{history.PropReplayDivergence, history.PropActivityAtMostOnce, history.PropDoubleStart},
		Weight:     history.Noted,
	}, judgeWorkflows)
}

// opAtMostOnce promises that an activity starts at most once; workflowStarted and workflowEnded are what happens to a run.
const (
	opAtMostOnce    = "at-most-once"
	workflowStarted = "started"
	workflowEnded   = "ended"
)

func judgeWorkflows(l *ledger) Report {
	r := newReport()
	l.judgeCommands(&r)
	l.judgeActivities(&r)
	l.judgeStarts(&r)
	return r
}

func (l *ledger) judgeCommands(r *Report) {
	type index struct {
		workflow   string
		run, index int64
	}
	type command struct {
		first         *history.Fact
		again, differ bool
	}
	issued := map[index]*command{}
	for f := range l.kinds(history.KindCommand) {
		at := index{f.Event, f.Fence, f.Offset}
		c := issued[at]
		if c == nil {
			issued[at] = &command{first: f}
			continue
		}
		if !c.again {
			c.again = true
			r.Exercised[history.PropReplayDivergence]++
		}
		same := f.Value == c.first.Value && f.Stage == c.first.Stage && f.Op == c.first.Op
		if same || c.differ {
			continue
		}
		c.differ = true
		r.note(history.PropReplayDivergence, func() history.Finding {
			return workflowFinding(history.PropReplayDivergence, f, history.LabelOtherCommand,
				fmt.Sprintf("%s: command %d was %s %s first, and %s %s when the code ran again", f.Event, f.Offset, c.first.Stage, c.first.Value, f.Stage, f.Value), c.first.ID, f.ID)
		})
	}
}

func (l *ledger) judgeActivities(r *Report) {
	type activity struct {
		account int32
		name    string
	}
	type index struct {
		activity
		run, index int64
	}
	indices, last := map[activity]int{}, map[activity]*history.Fact{}
	known := map[index]bool{}
	var order []activity
	for f := range l.kinds(history.KindCommand) {
		act := activity{l.number[f.ID-1], f.Stage}
		at := index{act, f.Fence, f.Offset}
		if f.Op != opAtMostOnce || act.account < 0 || known[at] {
			continue
		}
		known[at] = true
		if indices[act]++; indices[act] == 1 {
			order = append(order, act)
		}
		last[act] = f
	}
	for _, act := range order {
		r.Exercised[history.PropActivityAtMostOnce]++
		starts := l.applications(&l.accounts[act.account], act.name)
		n := indices[act]
		if len(starts) <= n {
			continue
		}
		r.note(history.PropActivityAtMostOnce, func() history.Finding {
			f, a := last[act], &l.accounts[act.account]
			return workflowFinding(history.PropActivityAtMostOnce, f, l.duplicateLabel(a, starts[n-1], starts[n]),
				fmt.Sprintf("%s: %s took effect %d times, asked for %d times", f.Event, act.name, len(starts), n), f.ID, starts[n-1], starts[n])
		})
	}
}

// applications are the facts by which a stage of an event moved something.
func (l *ledger) applications(a *account, stage string) (ids []int64) {
	for _, id := range l.of(a) {
		if f := l.at(int64(id)); f.Kind == history.KindApplied && f.Changed && f.Stage == stage {
			ids = append(ids, f.ID)
		}
	}
	return ids
}

func (l *ledger) judgeStarts(r *Report) {
	type runs struct {
		open  int64 // the start of the run that has not ended
		run   int64
		noted bool
	}
	byID := map[string]*runs{}
	for f := range l.kinds(history.KindWorkflow) {
		w := byID[f.Event]
		if w == nil {
			w = &runs{}
			byID[f.Event] = w
			r.Exercised[history.PropDoubleStart]++
		}
		switch {
		case f.Op == workflowEnded && (f.Fence == w.run || f.Fence < 0):
			w.open = 0
		case f.Op != workflowStarted:
		case w.open == 0:
			w.open, w.run = f.ID, f.Fence
		case !w.noted:
			w.noted = true
			r.note(history.PropDoubleStart, func() history.Finding {
				return workflowFinding(history.PropDoubleStart, f, history.LabelRepeated,
					fmt.Sprintf("%s was started while a run of it was going on", f.Event), w.open, f.ID)
			})
		}
	}
}

// workflowFinding is about what a fact says of a workflow.
func workflowFinding(p history.Property, f *history.Fact, label history.Label, text string, ids ...int64) history.Finding {
	var ev evidence
	ev.add(ids...)
	return history.Finding{Property: p, Event: f.Event, Stage: f.Stage, Label: label, Evidence: ev.sorted(), Detail: text}
}

// workflowEnds are when the workflows ended for the last time, by their ids, and not started again.
func (l *ledger) workflowEnds() map[string]int64 {
	ends := map[string]int64{}
	for f := range l.kinds(history.KindWorkflow) {
		switch f.Op {
		case workflowStarted:
			delete(ends, f.Event)
		case workflowEnded:
			ends[f.Event] = f.ID
		}
	}
	return ends
}
