package stack_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/twiceless/twiceless/model"
	"github.com/twiceless/twiceless/model/stack"
	"github.com/twiceless/twiceless/sim"
)

// paced is a scripted consumer whose polls take as long as its waits say, and whose records take work to handle. After
// the last batch it waits, revokes if the engine asked for that, and ends.
type paced struct {
	scripted
	wait, work sim.Duration
	last       sim.Duration // wait of the poll that returns nothing
}

func (s *paced) Poll(c model.Ctx, most int) ([]model.Message, bool) {
	if len(s.batches) == 0 {
		c.Sleep(s.last)
		s.revoke(c)
		return nil, false
	}
	c.Sleep(s.wait)
	return s.scripted.Poll(c, most)
}

func (s *paced) Rewind(model.Ctx) {}

func (s *paced) handler() model.Batch {
	handle := s.scripted.handler(nil)
	return func(c model.Ctx, ms []model.Message) []model.Outcome {
		c.Sleep(s.work)
		return handle(c, ms)
	}
}

func driveAuto(t *testing.T, name string, s *paced) []string {
	t.Helper()
	e, ok := stack.EngineByName(name)
	require.True(t, ok)
	a := newAssembly()
	e.Build(a, flow())
	newRig(t).run(t, func(c *model.Context) { a.loop(c, s, s.handler()) })
	return s.log
}

// A queue's client commits nothing by itself. The loop commits what earlier polls returned, at the first poll after the interval: never in the middle of the work.
func TestAutoCommitInTheLoop(t *testing.T) {
	s := &paced{work: 3 * sim.Second}
	s.batches = [][]model.Message{records(1), records(3), records(5)}
	require.Equal(t, []string{"handle 1/1", "handle 1/3", "commit 1/1 1/3", "handle 1/5", "commit 1/5"}, driveAuto(t, "auto-commit", s))
}

// Where the client commits by itself the loop does not.
func TestAutoCommitIsTheClients(t *testing.T) {
	s := &paced{work: 3 * sim.Second, last: sim.Minute}
	s.auto = true
	s.revoke = func(model.Ctx) {}
	s.batches = [][]model.Message{records(1), records(3), records(5)}
	require.Equal(t, []string{"handle 1/1", "handle 1/3", "handle 1/5"}, driveAuto(t, "auto-commit", s))
}

// With a worker, positions move past what nobody has done yet.
func TestAutoCommitWithAHandOff(t *testing.T) {
	s := &paced{wait: 3 * sim.Second, work: 20 * sim.Second, last: sim.Minute}
	s.batches = [][]model.Message{records(1), records(3)}
	require.Equal(t, []string{"commit 1/1", "commit 1/3", "handle 1/1", "handle 1/3"}, driveAuto(t, "auto-commit-hand-off", s))
}

// A loop that waits for records comes round all the same: the position does not stay behind for as long as it waits.
func TestAutoCommitWhileThereIsNothingToDo(t *testing.T) {
	s := &paced{last: sim.Minute}
	s.batches = [][]model.Message{records(1)}
	var at sim.Time
	s.onCommit = func(c model.Ctx) { at = c.Now() }
	require.Equal(t, []string{"handle 1/1", "commit 1/1"}, driveAuto(t, "auto-commit", s))
	require.Equal(t, 5*sim.Second, at.Sub(0))
}

// A commit that failed is only logged by the client: the next one covers the same records, until the share is given up.
func TestAutoCommitTriesAgainWithTheNext(t *testing.T) {
	s := &paced{last: 7 * sim.Second}
	s.refuse = sim.ErrTimeout
	s.batches = [][]model.Message{records(1)}
	require.Equal(t, []string{"handle 1/1", "commit 1/1", "commit 1/1"}, driveAuto(t, "auto-commit", s), "after 5 s, and when it is revoked")
}

// Messages of a queue that have been handed out again are another's: acknowledging them once more would be refused for ever,
// and the list would only grow.
func TestAutoCommitGivesUpWhatIsAnothers(t *testing.T) {
	s := &paced{last: 7 * sim.Second}
	s.refuse = fmt.Errorf("a receipt: %w", model.ErrFenced)
	s.batches = [][]model.Message{records(1)}
	require.Equal(t, []string{"handle 1/1", "commit 1/1"}, driveAuto(t, "auto-commit", s))
}
