package reports

import (
	"math"
	"slices"
	"strconv"

	"gonum.org/v1/gonum/stat/distuv"

	"github.com/twiceless/twiceless/sim/history"
	"github.com/twiceless/twiceless/sim/rng"
)

// Interval is an estimate with its 95 % interval. A value of zero has lo 0 and the one-sided bound as hi.
type Interval struct {
	Value float64 `json:"value"`
	Lo    float64 `json:"lo"`
	Hi    float64 `json:"hi"`
}

const (
	resamples = 2000
	tail      = 0.025 // on either side of a 95 % interval
)

// rounded keeps six significant digits: what is written is what is shown and compared.
func rounded(x float64) float64 {
	y, err := strconv.ParseFloat(strconv.FormatFloat(x, 'g', 6, 64), 64)
	if err != nil {
		panic("reports: a figure that does not parse: " + err.Error())
	}
	return y
}

func ratio(a, b int64) float64 {
	if b == 0 {
		return 0
	}
	return rounded(float64(a) / float64(b))
}

// zeroBound is the largest probability that n clean runs leave open, one-sided at 95 %. No run leaves everything open.
func zeroBound(n int) float64 {
	if n <= 0 {
		return 1
	}
	return 1 - math.Pow(0.05, 1/float64(n))
}

// share is the exact (Clopper–Pearson) interval of k in n runs. touched is the n of the bound when k is 0.
func share(k, n, touched int) Interval {
	if k == 0 {
		return Interval{Hi: rounded(zeroBound(touched))}
	}
	iv := Interval{Value: ratio(int64(k), int64(n)), Hi: 1}
	a, b := float64(k), float64(n-k)
	iv.Lo = rounded(distuv.Beta{Alpha: a, Beta: b + 1}.Quantile(tail))
	if k < n {
		iv.Hi = rounded(distuv.Beta{Alpha: a + 1, Beta: b}.Quantile(1 - tail))
	}
	return iv
}

// mean is the mean over runs; its interval is that of resampled runs (percentile bootstrap). key names the stream
// of draws, so that the interval is a function of the rows.
func mean(counts []int64, touched int, key string) Interval {
	var sum int64
	for _, c := range counts {
		sum += c
	}
	if sum == 0 {
		return Interval{Hi: rounded(zeroBound(touched))}
	}
	lo, hi := resampled(counts, key)
	n := int64(len(counts))
	return Interval{Value: ratio(sum, n), Lo: ratio(lo, n), Hi: ratio(hi, n)}
}

// resampled returns the sums at both ends of the 95 % of all resampled sums.
func resampled(counts []int64, key string) (lo, hi int64) {
	draws := rng.NewStream(0, key)
	sums := make([]int64, resamples)
	for i := range sums {
		for range counts {
			sums[i] += counts[rng.Below(draws.Uint64(), uint64(len(counts)))]
		}
	}
	slices.Sort(sums)
	cut := resamples/40 - 1 // 2.5 %
	return sums[cut], sums[resamples-1-cut]
}

// latencyQuantile interpolates linearly within the bucket that holds the quantile, in ms. Without samples it is 0;
// in the last bucket, which is open, it is that bucket's lower edge.
func latencyQuantile(counts *[history.LatencyBuckets]int64, q float64) float64 {
	var total int64
	for _, c := range counts {
		total += c
	}
	want, below := q*float64(total), 0.0
	for i, c := range counts {
		if c == 0 || below+float64(c) < want {
			below += float64(c)
			continue
		}
		lo := float64(history.LatencyEdge(i))
		if i == history.LatencyBuckets-1 {
			return rounded(lo / 1e6)
		}
		width := float64(history.LatencyEdge(i+1)) - lo
		return rounded((lo + width*((want-below)/float64(c))) / 1e6)
	}
	return 0
}

// timeQuantile interpolates linearly between sorted times in ns and returns ms; 0 without any.
func timeQuantile(sorted []int64, q float64) float64 {
	if len(sorted) == 0 {
		return 0
	}
	at := q * float64(len(sorted)-1)
	i := int(at)
	lo := float64(sorted[i])
	hi := float64(sorted[min(i+1, len(sorted)-1)])
	return rounded((lo + (hi-lo)*(at-float64(i))) / 1e6)
}
