package sim_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/twiceless/twiceless/sim"
	"github.com/twiceless/twiceless/sim/history"
)

// Every limit ends the run and says its name.
func TestLimits(t *testing.T) {
	for _, c := range []struct {
		name   string
		limits sim.Limits
		code   func(*sim.Proc)
	}{
		{"events", sim.Limits{Events: 1000}, func(p *sim.Proc) {
			for {
				p.Sleep(0)
			}
		}},
		{"queue", sim.Limits{Queue: 1000}, func(p *sim.Proc) {
			for {
				p.Node().After(sim.Second, func() {})
				p.Sleep(ms / 10)
			}
		}},
		{"processes", sim.Limits{Processes: 100}, func(p *sim.Proc) {
			for {
				p.Go("more", func(p *sim.Proc) { p.Sleep(sim.Hour) })
				p.Sleep(ms)
			}
		}},
		{"facts", sim.Limits{Facts: 100}, func(p *sim.Proc) {
			for {
				p.Record(history.Fact{Kind: history.KindOffered})
				p.Sleep(ms)
			}
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := sim.New(sim.Config{Limits: c.limits})
			defer w.Close()
			n := w.Role("n", func(n *sim.Node) sim.Handler { n.Go("main", c.code); return sim.NoHandler() })
			n.Boot()
			r := w.Run(sim.Time(sim.Hour))
			require.Equal(t, "limit "+c.name, r.String(), r.Detail)
		})
	}
}

// What a pause holds back counts as pending.
func TestAPausedBacklogIsLimited(t *testing.T) {
	w := sim.New(sim.Config{Limits: sim.Limits{Queue: 100}})
	defer w.Close()
	server := w.Role("server", func(*sim.Node) sim.Handler { return sim.NoHandler() })
	client := w.Role("client", func(n *sim.Node) sim.Handler {
		n.Go("main", func(p *sim.Proc) {
			for {
				p.Send(server, w.Op("server.x"), sim.Action{}, nil, 0)
				p.Sleep(ms)
			}
		})
		return sim.NoHandler()
	})
	server.Boot()
	client.Boot()
	server.Pause()
	require.Equal(t, "limit queue", w.Run(sim.Time(sim.Hour)).String())
}

// A run is quiescent when nothing in the foreground is pending and no work is outstanding; what works in the
// background does not keep it going. The kernel counts, the watchdog knows the work.
func TestQuiescence(t *testing.T) {
	w := sim.New(sim.Config{Seed: 1, Latency: constant(ms)})
	defer w.Close()
	outstanding := 1
	w.Watchdog(func() *sim.StopReason {
		if w.Foreground() == 0 && outstanding == 0 {
			return &sim.StopReason{Kind: sim.StopQuiescent}
		}
		return nil
	})
	server := w.Role("server", func(n *sim.Node) sim.Handler {
		var scan func()
		scan = func() { n.AfterBackground(sim.Second, scan) }
		scan()
		return &journal{}
	})
	client := w.Role("client", func(n *sim.Node) sim.Handler {
		n.GoBackground("heartbeat", func(p *sim.Proc) {
			for {
				_, _, err := p.Call(server, w.Op("server.beat"), sim.Action{}, "beat", 0, sim.Second)
				require.NoError(t, err)
				p.Sleep(sim.Second)
			}
		})
		n.Go("work", func(p *sim.Proc) { p.Sleep(10 * sim.Second); outstanding-- })
		return sim.NoHandler()
	})
	server.Boot()
	client.Boot()
	w.At(sim.Time(sim.Second), sim.PhaseFault, func() {})
	r := w.Run(sim.Time(sim.Hour))
	require.Equal(t, "quiescent", r.String())
	require.Equal(t, sim.Time(10*sim.Second), w.Now())
	total, background := w.Executed()
	require.Equal(t, int64(3), total-background, "the start and the wake-up of the work, and one fault")
}

// A run goes on where it reached its horizon, and time never runs backwards.
func TestRunGoesOn(t *testing.T) {
	w := sim.New(sim.Config{})
	defer w.Close()
	n := 0
	for i := range 10 {
		w.At(sim.Time(i)*sim.Time(sim.Second), sim.PhaseTimer, func() { n++ })
	}
	require.Equal(t, sim.StopHorizon, w.Run(sim.Time(5*sim.Second)).Kind)
	require.Equal(t, sim.StopHorizon, w.Run(sim.Time(sim.Second)).Kind)
	require.Equal(t, sim.Time(5*sim.Second), w.Now())
	require.Equal(t, 6, n)
	require.Equal(t, sim.StopDrained, w.Run(sim.Time(sim.Minute)).Kind)
	require.Equal(t, 10, n)
}
