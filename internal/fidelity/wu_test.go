package fidelity

import (
	"bufio"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/twiceless/twiceless/sim"
	"github.com/twiceless/twiceless/sim/rng"
)

var (
	full   = flag.Bool("full", false, "run every cell of the published measurements: some minutes")
	update = flag.Bool("update", false, "with -full: write the golden comparison anew")
)

const (
	ms = sim.Millisecond

	warmUp = 10 * sim.Second // queues and windows reach their state
	window = 60 * sim.Second // of the messages that count: 200,000 to 230,000
)

// linux is what the streams of that setup are: defaults, and two calibrated numbers. The emulated link is a virtual one to which
// the machine hands segments that it has not split yet (offloading), and which loses them together: at most four of them fit
// best. The window falls to 7/10 by a loss, as with CUBIC, and not to Reno's 1/2.
func linux() sim.Streams {
	return sim.Streams{Offload: 4, Decrease: rng.Ratio{Num: 7, Den: 10}}
}

// cell is one measurement of Wu, Shang and Wolter.
type cell struct {
	percent     float64 // of packets lost, each way
	acks, batch int
	seconds     float64 // that the 1,000,000 messages took: the pace of the generator
	measured    result
	ours        result
}

// calibration says whether the streams were chosen by this cell; the others are for validation.
func (c cell) calibration() bool { return c.acks == 0 && c.batch == 1 || c.acks == 1 && c.batch == 5 }

func (c cell) name() string {
	return fmt.Sprintf("acks %d, batches of %d, %g %%", c.acks, c.batch, c.percent)
}

// settings of the cell: 30 ms each way, a million messages in the time they took, a linger of 0.5 ms; a message may take 5 s with acks 0, and
// 2 s and one retry with acks 1.
func (c cell) settings() settings {
	s := settings{loss: rng.Ratio{Num: uint64(c.percent * 10), Den: 1000}, acks: c.acks, batch: c.batch, timeout: 5 * sim.Second, delay: 30 * ms,
		every: sim.Duration(c.seconds * 1000), linger: 500 * sim.Microsecond, streams: linux()}
	if c.acks == 1 {
		s.timeout, s.retries = 2*sim.Second, 1
	}
	return s
}

func (c cell) simulate() result {
	seed := uint64(c.percent*10)<<8 | uint64(c.acks)<<4 | uint64(c.batch)
	return c.settings().measure(seed, sim.Time(warmUp), sim.Time(warmUp+window))
}

// published reads the measurements.
func published(t *testing.T) (out []cell) {
	f, err := os.Open("testdata/wu.csv")
	require.NoError(t, err)
	defer f.Close()
	for in := bufio.NewScanner(f); in.Scan(); {
		if strings.HasPrefix(in.Text(), "#") {
			continue
		}
		var c cell
		_, err := fmt.Sscanf(in.Text(), "%g,%d,%d,%g,%g,%g", &c.percent, &c.acks, &c.batch, &c.measured.loss, &c.measured.dup, &c.seconds)
		require.NoError(t, err, in.Text())
		out = append(out, c)
	}
	return out
}

const golden = "testdata/wu-compared.txt"

// TestEveryMeasurement compares all cells, with -full; the comparison is a golden file, which docs/fidelity.md quotes.
func TestEveryMeasurement(t *testing.T) {
	if !*full {
		t.Skip("with -full: half a minute")
	}
	cells := published(t)
	together(len(cells), func(i int) { cells[i].ours = cells[i].simulate() })
	text := compared(cells)
	if *update {
		require.NoError(t, os.WriteFile(golden, []byte(text), 0o644))
	}
	want, err := os.ReadFile(golden)
	require.NoError(t, err)
	require.Equal(t, string(want), text)
	var rest []cell
	for _, c := range cells {
		if c.acks == 0 {
			require.Zero(t, c.measured.dup+c.ours.dup, c.name())
		}
		if !c.calibration() {
			rest = append(rest, c)
		}
	}
	for _, of := range [][]cell{cells, rest} {
		a := agree(of, losses)
		require.GreaterOrEqual(t, a.rank, 0.95)
		require.LessOrEqual(t, a.median, 0.08)
	}
}

// A few cells always: what the whole comparison says of them is what they still are. The same seeds, so the same numbers.
func TestSomeMeasurements(t *testing.T) {
	text, err := os.ReadFile(golden)
	require.NoError(t, err)
	some := map[string]bool{"acks 0, batches of 1, 6 %": true, "acks 0, batches of 10, 10 %": true, "acks 1, batches of 5, 12 %": true}
	for _, c := range published(t) {
		if some[c.name()] {
			delete(some, c.name())
			c.ours = c.simulate()
			require.Contains(t, string(text), c.line())
		}
	}
	require.Empty(t, some)
}

// On a clean link an idle librdkafka without answers to wait for wakes once a second: what may take less than that is lost in
// proportion. With answers nothing is. The sockets' buffers have grown, as Linux has them grow where the window does.
func TestTheClientsTick(t *testing.T) {
	if testing.Short() {
		t.Skip("long, and nothing is concurrent in it")
	}
	tick := func(acks int, timeout sim.Duration) float64 {
		c := cell{acks: acks, batch: 1, seconds: 259.7}
		s := c.settings()
		s.timeout = timeout
		s.streams.SendBuffer = 4 << 20
		return s.measure(1, sim.Time(warmUp), sim.Time(warmUp+9*sim.Second)).loss
	}
	require.InDelta(t, 0.899, tick(0, 100*ms), 0.02)
	require.InDelta(t, 0.497, tick(0, 500*ms), 0.02)
	require.InDelta(t, 0.087, tick(0, 900*ms), 0.03)
	require.Zero(t, tick(0, sim.Second+ms))
	require.Zero(t, tick(1, 200*ms))
}
