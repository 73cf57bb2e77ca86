package store_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/twiceless/twiceless/model"
	"github.com/twiceless/twiceless/model/store"
	"github.com/twiceless/twiceless/sim"
	"github.com/twiceless/twiceless/sim/rng"
)

// What was answered can be recalled, whatever stops the store, and the first result of a stage stands.
func TestStageRecordsSurviveStops(t *testing.T) {
	stages := []string{"charge", "present", "book"}
	rapid.Check(t, func(t *rapid.T) {
		k, _ := store.KindByName("stage-records")
		w := sim.New(sim.Config{Seed: rapid.Uint64().Draw(t, "seed"), Latency: rng.Constant(int64(sim.Millisecond))})
		defer w.Close()
		n := w.Role(store.StagesService, k.New(store.Config{Append: rng.Constant(int64(100 * sim.Microsecond)),
			Fsync: rng.Uniform(int64(sim.Millisecond), int64(8*sim.Millisecond)), Latency: rng.Uniform(0, int64(3*sim.Millisecond))}))
		n.Boot()
		for range rapid.IntRange(0, 5).Draw(t, "stops") {
			at := sim.Time(rapid.Int64Range(0, int64(150*sim.Millisecond)).Draw(t, "at"))
			power := rapid.Bool().Draw(t, "power")
			w.At(at, sim.PhaseFault, func() {
				if !n.Up() {
					return
				}
				if power {
					n.PowerLoss(0)
				} else {
					n.Kill(0)
				}
				w.At(w.Now().Add(5*sim.Millisecond), sim.PhaseFault, n.Boot)
			})
		}
		steps := rapid.SliceOfN(rapid.IntRange(0, len(stages)-1), 1, 15).Draw(t, "steps")
		answered, tried, recalled := map[string]string{}, map[string][]string{}, map[string]string{}
		dir := &model.Directory{Services: map[string]*sim.Node{store.StagesService: n}, CallTimeout: 20 * sim.Millisecond}
		w.Role("client", func(n *sim.Node) sim.Handler {
			n.Go("task", func(p *sim.Proc) {
				c := model.NewContext(p, dir)
				for i, s := range steps {
					result := string(rune('a' + i))
					tried[stages[s]] = append(tried[stages[s]], result)
					_, err := c.With(model.Intent{Event: "order-1", Stage: stages[s]}).Call(store.StagesService, store.OpComplete, model.Message{Payload: result})
					if err == nil && answered[stages[s]] == "" {
						answered[stages[s]] = result
					}
				}
				c.Sleep(sim.Minute)
				m, err := c.With(model.Intent{Event: "order-1"}).Call(store.StagesService, store.OpRecall, model.Message{})
				require.NoError(t, err)
				for in := (model.Fields{Rest: m.Payload}); in.More(); {
					stage := in.Text()
					require.NotContains(t, recalled, stage, "one record a stage")
					recalled[stage] = in.Text()
				}
			})
			return sim.NoHandler()
		}).Boot()
		w.Run(sim.Time(sim.Hour))
		for stage, result := range answered {
			require.Contains(t, recalled, stage)
			require.LessOrEqual(t, recalled[stage], result, "the first, or an earlier one whose answer was lost")
		}
		for stage, result := range recalled {
			require.Contains(t, tried[stage], result)
		}
	})
}
