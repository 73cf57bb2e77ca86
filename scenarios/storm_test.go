package scenarios

import (
	"fmt"
	"os"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/twiceless/twiceless/checker"
	"github.com/twiceless/twiceless/sim"
	"github.com/twiceless/twiceless/sim/history"
	"github.com/twiceless/twiceless/sim/rng"
)

// Whatever becomes of brokers, the controller and consumers, one after the other or at once, for a second or a hundred: in the end
// every run is over, and no component has broken what it guarantees. A broker may come back as late as the run's last
// event, and its log is judged when it has been told what it missed. TWICELESS_FULL tries thousands.
func TestStorms(t *testing.T) {
	alone(t)
	worlds := 12
	if os.Getenv("TWICELESS_FULL") != "" {
		worlds = 1500
	}
	mem := &Memory{}
	for _, name := range []string{"payments", "pipeline", "payments-queue"} {
		sc, err := Load(name)
		require.NoError(t, err)
		for seed := range worlds {
			s := storm{draws: rng.Key{Seed: uint64(seed), Purpose: rng.Target}, nodes: []string{"broker-1", "broker-2", "broker-3", "consumer-1", "consumer-2"}}
			if sc.Broker.Queue == nil {
				s.nodes = append(s.nodes, "controller-1")
			}
			plan, stack := s.plan(), sc.Stacks[s.draw(len(sc.Stacks))].Name
			r, err := Run(&Case{Version: CaseVersion, Witness: Witness{Seed: uint64(seed)},
				Intent: Intent{Scenario: sc, Stack: stack, Fault: "none", PlanType: PlanHunting, Plan: plan}}, mem)
			what := fmt.Sprintf("%s %s seed %d %q", name, stack, seed, plan)
			require.NoError(t, err, what)
			require.Equal(t, sim.StopQuiescent, r.Stop.Kind, "%s: %s", what, r.Stop.Detail)
			for _, f := range r.Verdicts.Findings {
				require.NotContains(t, checker.Guaranteed(), f.Property, "%s: %s", what, f.Detail)
			}
		}
	}
}

// The same found by hand: a broker that stands still until everything else is over appends then what waited in its socket, as a
// leader that it no longer is.
func TestABrokerThatComesBackLast(t *testing.T) {
	for _, stack := range []string{"at-least-once", "fire-and-forget"} {
		r := planned(t, payments(t), stack, 1, &Memory{}, "at 20s pause broker-2 for 90s")
		cut := factsOf(r, func(f *history.Fact) bool { return f.Kind == history.KindTruncated && f.Node == "broker-2" })
		require.NotEmpty(t, cut, "it is told before the run ends")
		for _, f := range r.Verdicts.Findings {
			require.NotContains(t, checker.Guaranteed(), f.Property, f.Detail)
		}
		require.NotContains(t, r.Row.Prints, "loss/charge/unexplained")
	}
}

// storm draws a plan.
type storm struct {
	draws rng.Key
	step  uint32
	nodes []string
	later int // seconds that chaos begins after the tenth
}

func (s *storm) draw(n int) int {
	s.step++
	return int(s.draws.At(s.step) % uint64(n))
}

// plan is up to three faults, of which one at most is a loss of power: more of them may lose what all replicas had.
func (s *storm) plan() (lines []string) {
	verbs := []string{"pause", "kill", "power-loss", "partition", "partition"}
	for range 1 + s.draw(3) {
		verb, node, other := verbs[s.draw(len(verbs))], s.nodes[s.draw(len(s.nodes))], s.nodes[s.draw(len(s.nodes))]
		if verb == "power-loss" {
			verbs = slices.Delete(verbs, 2, 3)
		}
		target := node
		if verb == "partition" {
			if other == node {
				continue
			}
			target += " from " + other
		}
		lines = append(lines, fmt.Sprintf("at %ds %s %s for %ds", 10+s.later+s.draw(60), verb, target, []int{1, 5, 20, 60, 100}[s.draw(5)]))
	}
	return lines
}
