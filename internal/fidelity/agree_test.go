package fidelity

import (
	"fmt"
	"math"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// agreement of a share of messages, measured and ours.
type agreement struct {
	cells          int
	rank           float64 // correlation of ranks (Spearman), ties share theirs
	median         float64 // of the absolute deviations
	mean, largest  float64
	where          string // the largest is
	measured, ours struct{ mean, most float64 }
}

func losses(r result) float64     { return r.loss }
func duplicates(r result) float64 { return r.dup }

func agree(cells []cell, share func(result) float64) agreement {
	a := agreement{cells: len(cells)}
	var measured, ours, off []float64
	for _, c := range cells {
		here, there := share(c.ours), share(c.measured)
		measured, ours = append(measured, there), append(ours, here)
		d := math.Abs(there - here)
		off = append(off, d)
		a.mean += d / float64(len(cells))
		if d > a.largest {
			a.largest, a.where = d, c.name()
		}
		a.measured.mean += there / float64(len(cells))
		a.ours.mean += here / float64(len(cells))
		a.measured.most, a.ours.most = max(a.measured.most, there), max(a.ours.most, here)
	}
	slices.Sort(off)
	a.median = (off[(len(off)-1)/2] + off[len(off)/2]) / 2
	a.rank = correlation(ranks(measured), ranks(ours))
	return a
}

// ranks from 1; those that are equal share the middle of theirs.
func ranks(x []float64) []float64 {
	sorted := slices.Clone(x)
	slices.Sort(sorted)
	out := make([]float64, len(x))
	for i, v := range x {
		first, found := slices.BinarySearch(sorted, v)
		last := first
		for found && last < len(sorted) && sorted[last] == v {
			last++
		}
		out[i] = float64(first+last+1) / 2
	}
	return out
}

// correlation of Pearson.
func correlation(a, b []float64) float64 {
	var ma, mb, ab, aa, bb float64
	for i := range a {
		ma += a[i] / float64(len(a))
		mb += b[i] / float64(len(a))
	}
	for i := range a {
		ab += (a[i] - ma) * (b[i] - mb)
		aa += (a[i] - ma) * (a[i] - ma)
		bb += (b[i] - mb) * (b[i] - mb)
	}
	return ab / math.Sqrt(aa*bb)
}

func TestRanks(t *testing.T) {
	require.Equal(t, []float64{2.5, 4, 1, 2.5}, ranks([]float64{5, 9, 1, 5}))
	require.InDelta(t, -1, correlation(ranks([]float64{1, 2, 30}), ranks([]float64{9, 5, 1})), 1e-9)
	a := agree([]cell{{percent: 1, measured: result{loss: 0.1}}, {percent: 2, measured: result{loss: 0.5}, ours: result{loss: 0.2}}, {percent: 3, measured: result{loss: 0.6}, ours: result{loss: 0.6}}}, losses)
	require.InDelta(t, 0.1, a.median, 1e-9)
	require.InDelta(t, 0.3, a.largest, 1e-9)
	require.InDelta(t, 1, a.rank, 1e-9)
}

// line of one cell in the comparison.
func (c cell) line() string {
	use := ""
	if c.calibration() {
		use = "   calibration"
	}
	return strings.TrimRight(fmt.Sprintf("%-32s %8.2f %8.2f %+8.2f   %8.3f %8.3f%s", c.name(), 100*c.measured.loss, 100*c.ours.loss,
		100*(c.ours.loss-c.measured.loss), 100*c.measured.dup, 100*c.ours.dup, use), " ") + "\n"
}

// compared is the whole comparison as text.
func compared(cells []cell) string {
	var b strings.Builder
	b.WriteString("Shares of messages in per cent: lost, and there more than once. Losses of packets are each way.\n")
	b.WriteString("Rank is the correlation of ranks; median, mean and largest are those of the deviations, in points.\n")
	b.WriteString("go test ./internal/fidelity -full -update\n\n")
	summarise(&b, "lost", cells, losses, func(c cell) bool { return true })
	b.WriteString("With acks 0 there are none twice, measured or ours:\n")
	summarise(&b, "there more than once", cells, duplicates, func(c cell) bool { return c.acks == 1 })
	fmt.Fprintf(&b, "%-32s %8s %8s %8s   %8s %8s\n", "", "lost", "ours", "off by", "twice", "ours")
	for _, c := range cells {
		b.WriteString(c.line())
	}
	return b.String()
}

// summarise writes how a share agrees in all cells of a sort, in those that settings were chosen by, and in the others.
func summarise(b *strings.Builder, title string, cells []cell, share func(result) float64, of func(cell) bool) {
	groups := []struct {
		name string
		in   func(cell) bool
	}{
		{"all", func(cell) bool { return true }},
		{"calibration", cell.calibration},
		{"validation", func(c cell) bool { return !c.calibration() }},
		{"validation, where over 1 % are lost", func(c cell) bool { return !c.calibration() && max(c.measured.loss, c.ours.loss) > 0.01 }},
	}
	fmt.Fprintf(b, "%-36s %5s %6s %8s %8s %8s   %10s %8s   %10s %8s\n", title, "cells", "rank", "median", "mean", "largest", "mean there", "ours", "most there", "ours")
	for _, g := range groups {
		var in []cell
		for _, c := range cells {
			if of(c) && g.in(c) {
				in = append(in, c)
			}
		}
		a := agree(in, share)
		fmt.Fprintf(b, "%-36s %5d %6.3f %8.3f %8.3f %8.3f   %10.3f %8.3f   %10.3f %8.3f   %s\n", g.name, a.cells, a.rank, 100*a.median, 100*a.mean, 100*a.largest,
			100*a.measured.mean, 100*a.ours.mean, 100*a.measured.most, 100*a.ours.most, a.where)
	}
	b.WriteString("\n")
}

// together runs n jobs on all processors. Each is a world of its own.
func together(n int, job func(i int)) {
	next := make(chan int, n)
	for i := range n {
		next <- i
	}
	close(next)
	var wg sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			for i := range next {
				job(i)
			}
		})
	}
	wg.Wait()
}
