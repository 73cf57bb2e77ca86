package consumer_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/twiceless/twiceless/model"
	"github.com/twiceless/twiceless/sim"
	"github.com/twiceless/twiceless/sim/history"
)

// A heartbeat that is under way when the loop ends does not keep the node from finishing.
func TestGracefulStopDuringAHeartbeat(t *testing.T) {
	g := newRig(t, 1)
	one := g.member(func(c model.Ctx, in model.Consumer) {
		in.Poll(c, 0)
		c.Sleep(5 * sec)
	})
	g.publish(0, "order-1")
	g.at(3*sec, func() { one.AskStop(0) })
	g.at(6*sec, func() { one.Slow(g.broker, 500*sim.Millisecond) })
	g.run(sim.Minute)
	require.False(t, one.Up())
	require.Equal(t, "graceful", g.one(history.KindStopped).Note)
}

// A commit whose first try may have moved the position is uncertain, whatever a later try hears.
func TestCommitRemembersAnUncertainTry(t *testing.T) {
	g := newRig(t, 1)
	g.publish(0, "order-1")
	var err error
	g.w.Watch("broker.commit/applied", func(*sim.Hit) { g.broker.Kill(0) })
	g.member(committing(&err, all))
	g.run(3 * sim.Minute)
	g.one(history.KindCommitted)
	require.Error(t, err)
	require.False(t, model.Definite(err))
	require.Equal(t, history.Indeterminate, g.one(history.KindCommitFailed).Outcome)
}
