package quorum

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/twiceless/twiceless/model"
	"github.com/twiceless/twiceless/model/queue"
	"github.com/twiceless/twiceless/model/queue/raft"
	"github.com/twiceless/twiceless/sim"
)

// A leader whose clock is behind the last one's does not set the queue's time back.
func TestTimeNeverGoesBack(t *testing.T) {
	m := newMachine(&queue.Config{})
	m.apply(put{at: sim.Time(10 * sim.Second), messages: make([]model.Message, 1), ids: make([]string, 1)})
	m.apply(take{at: sim.Time(5 * sim.Second), most: 1, visibility: 30 * sim.Second})
	at, hidden := m.shelf.Next()
	require.True(t, hidden)
	require.Equal(t, sim.Time(40*sim.Second), at)
}

// What the disk holds of a command is the command.
func TestCommandsSurviveTheDisk(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		at := sim.Time(rapid.Int64Min(0).Draw(t, "at"))
		name := rapid.String().Draw(t, "consumer")
		ns := rapid.SliceOfN(rapid.Int64(), 1, 4).Draw(t, "handles")
		yes := rapid.Bool().Draw(t, "flag")
		m := model.Message{Intent: model.Intent{Event: name, Key: "k"}, Payload: "12:3", Stored: ns[0]}
		for _, c := range []raft.Command{
			put{yes, at, at + 1, ns[0], []model.Message{m, m}, []string{"", name}},
			take{at, name, len(ns), sim.Second}, ack{at, name, ns, ns}, extend{at, at + 7, ns}, back{at, name, ns, yes, !yes},
			connect{name}, end{at, name, yes}, move{at: at, place: ns[0], gone: "dropped"}, move{at, 1, ns[0], &m, "dead-lettered"},
		} {
			require.Equal(t, c, decode(encode(c)))
		}
	})
}
