package reports

import "math"

// sequence is the 95 % confidence sequence of a share, k of n runs: of H. Robbins ("Statistical methods related to the
// law of the iterated logarithm", Ann. Math. Statist. 41, 1970), the shares p under which the likelihood of the runs is
// more than 1/20 of its average over a uniform prior. The ratio is a martingale under the true p, so that by Ville's
// inequality the truth lies in all intervals of a growing number of runs at once with 95 %. One may look after every run
// and stop when one likes: an interval for a fixed number of runs is wrong then, because a sweep that stops when it looks
// narrow stops at samples that happen to look narrow.
func sequence(k, n int) (lo, hi float64) {
	if n <= 0 {
		return 0, 1
	}
	a, b := float64(k), float64(n-k)
	up, _ := math.Lgamma(a + 1)
	down, _ := math.Lgamma(b + 1)
	all, _ := math.Lgamma(a + b + 2)
	average := up + down - all
	excess := func(p float64) float64 { // above 0: p is excluded
		likelihood := 0.0
		if k > 0 {
			likelihood += a * math.Log(p)
		}
		if k < n {
			likelihood += b * math.Log1p(-p)
		}
		return average - likelihood - math.Log(1/(2*tail))
	}
	centre := a / (a + b)
	lo, hi = 0, 1
	if k > 0 {
		lo = bisect(excess, centre, 0)
	}
	if k < n {
		hi = bisect(excess, centre, 1)
	}
	return lo, hi
}

// bisect finds where excess changes its sign between a share that is held and one that is excluded.
func bisect(excess func(float64) float64, held, excluded float64) float64 {
	for range 60 {
		if mid := (held + excluded) / 2; excess(mid) > 0 {
			excluded = mid
		} else {
			held = mid
		}
	}
	return excluded
}

// Precise says whether a share of runs is known to ± precision, whoever looks how often. Of a zero only the touched runs
// count; a cell none of whose runs touched anything will not become more precise, and is as precise as it gets.
func Precise(k, n, touched int, precision float64) bool {
	if k == 0 {
		if touched == 0 {
			return true
		}
		n = touched
	}
	lo, hi := sequence(k, n)
	return (hi-lo)/2 <= precision
}

// RunsFor is the number of runs after which a share is known to ± precision if it is near p, for estimates.
func RunsFor(p, precision float64) int {
	low, high := 1, 1
	precise := func(n int) bool { return Precise(int(math.Round(p*float64(n))), n, n, precision) }
	for !precise(high) {
		low, high = high, 2*high
	}
	for high-low > 1 {
		if mid := (low + high) / 2; precise(mid) {
			high = mid
		} else {
			low = mid
		}
	}
	return high
}
