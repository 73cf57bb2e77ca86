package faults

// applyJump steps the wall clock of the targets at once; the end of the fault is the step back, as NTP steps a clock
// that is too far off to be slewed. Monotonic clocks, and so every timer and session, go on undisturbed.
//
// The hand on the clock is that of skew; the two say different things about the world. A skew is a standing
// disagreement of two machines' clocks, within what time synchronisation leaves: what compares stamps of different
// nodes meets it. A jump is an event on one node, beyond every such bound: what compares a stamp with a later
// reading of the same clock meets it, twice. Forward, all that was stored looks older by the step (keys expire
// early), and what is stored meanwhile lies in the future after the step back; backwards, the other way round.
//
// The step back is by as much, not to the true time: a skew that is in effect too must outlast it.
func applyJump(s *shot) string { return applySkew(s) }

// liftJump steps the clocks back.
func liftJump(s *shot) { liftSkew(s) }
