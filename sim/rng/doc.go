// Package rng is all the randomness of a world: keyed draws, named streams,
// probabilities and distributions, in integer arithmetic only.
//
// What it has:
//
//   - Key names one domain action; its draws are a pure hash of (seed, purpose,
//     event, stage, service.op, attempt, step). Event 117 meets the same latency
//     whatever else a stack does, and removing something changes no other draw.
//   - Stream is for what happens in sequence to one owner, such as the nemesis.
//   - Ratio is a probability, an exact fraction.
//   - Dist is a distribution of durations in nanoseconds, given by its quantile
//     function: constant, uniform or lognormal. Exponential and Zipf stand beside it.
//   - ParseDuration and FormatDuration are the durations of scenario files.
//
// What it may import: the standard library without math, math/rand and time (the
// integer package math/bits is fine). Nothing else of this module.
//
// Invariants:
//
//   - No floats: results are equal, bit for bit, on every CPU and compiler. The
//     tests pin golden values; a change of one of them changes every recorded case.
//   - Draws are 64-bit words u, read as the probability u/2^64. Each value takes
//     one draw, never a loop of rejections, so that steps do not shift; each
//     mapping is monotone in u, so that runs with different parameters stay coupled.
//   - The numbers of Purpose are part of recorded cases: add at the end only.
//   - Nothing at package level changes; the tables are constants in fact.
//
// To add a distribution: a kind in dist.go; a file of its own with the
// constructor (which panics on bad parameters), the quantile, the mean, the
// maximum and the parser of its arguments (which returns errors); a case in each
// of Quantile, Mean, Max, String and parseDist; then golden quantiles, a moment
// check, and a line in the generator and in the seeds of FuzzParseDist.
//
// Read next: key.go, dist.go, then fixed.go for the arithmetic. Section 3 of the
// architecture says why draws are keyed.
package rng
