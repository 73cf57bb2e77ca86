package scenarios

import (
	"testing"
	"time"

	"github.com/twiceless/twiceless/checker"
	"github.com/twiceless/twiceless/sim/history"
)

// BenchmarkJudges is what the judges cost of a default run: its own time (which includes them), theirs, and that of each
// checker with a ledger of its own. The promise is judged/run < 1/3.
func BenchmarkJudges(b *testing.B) {
	sc := payments(b)
	mem := &Memory{}
	var run time.Duration
	for b.Loop() {
		began := time.Now()
		measured(b, sc, "at-least-once", "consumer-kill", 3, mem)
		run += time.Since(began)
	}
	h := measured(b, sc, "at-least-once", "consumer-kill", 3, mem).History
	spent := func(judge func()) time.Duration {
		began := time.Now()
		for range b.N {
			judge()
		}
		return time.Since(began)
	}
	judged := spent(func() {
		var r history.Row
		checker.FillRow(&r, h, checker.CheckAll(h))
	})
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(float64(h.Len()), "facts")
	b.ReportMetric(float64(run.Microseconds())/float64(b.N), "µs/run")
	b.ReportMetric(float64(judged.Microseconds())/float64(b.N), "µs/judged")
	b.ReportMetric(float64(judged)/float64(run), "judged/run")
	for _, c := range checker.Kinds() {
		b.ReportMetric(float64(spent(func() { c.Check(h) }).Nanoseconds())/1000/float64(b.N), "µs/"+c.Name)
	}
}
