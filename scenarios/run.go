package scenarios

import (
	"fmt"
	"runtime"
	"strings"

	"github.com/twiceless/twiceless/checker"
	"github.com/twiceless/twiceless/faults"
	"github.com/twiceless/twiceless/model"
	"github.com/twiceless/twiceless/sim"
	"github.com/twiceless/twiceless/sim/history"
)

// Epoch is the model epoch: it changes when any digest can.
const Epoch = 4

// Result is everything one run yields. History belongs to the memory that the run used: it is valid until the
// next run on it.
type Result struct {
	Row      history.Row
	Verdicts checker.Verdicts
	History  *history.History
	Stop     sim.StopReason
	Digest   uint64
	Marks    []uint64
	Queue    int // largest number of pending events
}

// Run is the whole way of one run: case → world → history → findings → run row. An error is bad input; what goes
// wrong inside the world is in the result.
func Run(c *Case, mem *Memory) (*Result, error) {
	plan, err := Plan(c)
	if err != nil {
		return nil, err
	}
	w := build(c, plan, mem)
	defer w.sim.Close()
	return w.finish(c), nil
}

// finish is the rest of the way: world → history → findings → run row.
func (w *world) finish(c *Case) *Result {
	defer func() { // a Goexit leaves no result
		if stop, ok := w.sim.Stopped(); ok && stop.Site != "" {
			w.mem.ended = &stop
		}
	}()
	stop := w.run()
	verdicts := checker.CheckAll(w.sim.History)
	return w.result(c, stop, verdicts)
}

// Plan parses and checks the plan of a case against its scenario, and the names of its planted bugs. It refuses a case whose
// handlers this program does not have.
func Plan(c *Case) ([]faults.Fault, error) {
	if owner := c.Intent.Owner; owner != "" && c.Intent.Scenario.code == nil {
		return nil, &ForeignCase{Owner: owner}
	}
	return checkPlan(c)
}

// checkPlan is Plan for whoever does not run the case: the code of an owned one may call what its flow does not.
func checkPlan(c *Case) ([]faults.Fault, error) {
	sc := *c.Intent.Scenario
	if c.Intent.Owner != "" && sc.code == nil {
		sc.code = &Code{}
	}
	plan, err := faults.ParseLines(c.Intent.Plan)
	if err != nil {
		return nil, err
	}
	voc := sc.Vocabulary(c.Intent.Stack)
	if c.Intent.PlanType != PlanHunting {
		voc.Roles = append(voc.Roles, measuredRoles()...)
		voc.Topics = append(voc.Topics, faults.RoleDedup)
	}
	if _, err := model.PlantedBugs(c.Intent.Planted); err != nil {
		return nil, err
	}
	for _, f := range plan {
		if err := faults.Check(f, voc); err != nil {
			return nil, fmt.Errorf("plan: %w", err)
		}
	}
	return plan, nil
}

// horizon is later than any run ends.
const horizon = sim.Time(1 << 62)

// run executes the world to its end and records the end.
func (w *world) run() sim.StopReason {
	stop := w.sim.Run(horizon)
	w.close(stop)
	if w.guest != nil {
		w.guest.Leave()
	}
	return stop
}

// result condenses a run into its row.
func (w *world) result(c *Case, stop sim.StopReason, v checker.Verdicts) *Result {
	total, background := w.sim.Executed()
	r := &Result{History: w.sim.History, Verdicts: v, Stop: stop, Digest: w.sim.Digest(), Marks: append([]uint64(nil), w.sim.Marks()...)}
	row := &r.Row
	row.Scenario, row.Epoch, row.Stack, row.Fault = w.sim.History.Header.Hash, Epoch, c.Intent.Stack, c.Intent.Fault
	row.Plan, row.Seed = c.Intent.PlanType, c.Witness.Seed
	checker.FillRow(row, w.sim.History, v)
	inside, _ := w.sc.Inside(w.stack.Name, w.plan)
	row.Outside = !inside
	row.Writes, row.Events, row.IdleEvents, row.SimTime = w.sim.Written(), total, background, int64(w.sim.Now())
	row.Stop, row.Digest = stopText(stop), fmt.Sprintf("%016x", r.Digest)
	return r
}

func stopText(s sim.StopReason) string {
	if s.Kind == sim.StopAsked && strings.HasPrefix(s.Detail, "limit ") {
		return s.Detail
	}
	return s.String()
}

// Failed says whether the run ended by a fault of the simulator and not of what it simulates.
func (r *Result) Failed() (string, bool) {
	switch r.Stop.Kind {
	case sim.StopPanic, sim.StopKillSwallowed, sim.StopGoexit:
		return r.Stop.String() + ": " + r.Stop.Detail, true
	case sim.StopAsked:
		return r.Stop.Detail, strings.HasPrefix(r.Stop.Detail, "warm-up")
	}
	return "", false
}

// Witness describes the run for a case file.
func (r *Result) Witness(seed uint64) Witness {
	w := Witness{Seed: seed, Digest: fmt.Sprintf("%016x", r.Digest), HistoryDigest: fmt.Sprintf("%016x", r.History.Digest()),
		Epoch: Epoch, Go: runtime.Version(), Format: fmt.Sprintf("case %d history %d", CaseVersion, history.FormatVersion)}
	for _, m := range r.Marks {
		w.Checkpoints = append(w.Checkpoints, fmt.Sprintf("%016x", m))
	}
	return w
}
