package command

// glossary is the table of what is explained and has no table elsewhere, by kind and in the order of its files.
func glossary() []meaning { return append(columns(), terms()...) }

// columns are those of results.json.
func columns() []meaning {
	const column = "column of results.json"
	return []meaning{
		{column, "cells", "one entry for each stack under each fault kind: sums over its measuring runs"},
		{column, "stack", "name of the stack"},
		{column, "fault", "name of the fault kind; none is the control"},
		{column, "runs", "measuring runs of the cell"},
		{column, "faults_hit", "runs whose fault fired and touched work in flight: while it lasted some intent had a delivery, call, write or commit open on its target or on the cut link"},
		{column, "offered", "intents that the workload offered: the denominator, for every stack"},
		{column, "accepted", "intents whose producer was told success"},
		{column, "buckets", "where the offered intents ended; each ends in exactly one, so that they sum to offered"},
		{column, "duplicates", "excess effects of class critical: max(0, applied − reversed − 1), summed over intents and runs"},
		{column, "duplicates_by_class", "excess effects by effect class"},
		{column, "transient", "excess effects that were reversed before the end"},
		{column, "losses", "lost_silent + lost_known"},
		{column, "lost_silent", "intents whose effect never came and that nobody was told of: not the producer, not a dead letter"},
		{column, "lost_known", "intents whose effect never came and of which a record remains that a person or a program can find"},
		{column, "partial", "intents of which some effects stand and some are missing"},
		{column, "stuck", "intents that a store still holds where a live component would take them up, after the drain"},
		{column, "parked", "intents in a place where a person finds them, with a reason"},
		{column, "parked_after_replay", "intents that are still parked after the scenario's replay by an operator"},
		{column, "late", "intents done after their deadline"},
		{column, "degraded", "intents served by a declared default"},
		{column, "reorders", "first applications out of log order within a key"},
		{column, "phantoms", "effects without an intent, or after a definite failure"},
		{column, "suppressed", "repetitions that were recognised and not applied: work, not an anomaly"},
		{column, "redelivered", "deliveries of an event after its first: work, not an anomaly"},
		{column, "runs_with_duplicate", "runs with at least one critical excess"},
		{column, "runs_with_loss", "runs with at least one lost intent"},
		{column, "worst_run", "the most duplicates, and the most losses, of any one run"},
		{column, "duplicates_per_fault", "mean of duplicates over the runs, with a 95 % interval over runs (Student's t, its skewness removed by Hall's transformation); in a cell of zeros hi is the bound of p_duplicate"},
		{column, "losses_per_fault", "mean of losses over the runs, with a 95 % interval over runs; in a cell of zeros hi is the bound of p_loss"},
		{column, "p_duplicate", "share of runs with a duplicate; of zero runs hi is 1 − 0.05^(1/n), n the runs whose fault touched work in flight"},
		{column, "p_loss", "share of runs with a loss; of zero runs hi is 1 − 0.05^(1/n), n the runs whose fault touched work in flight"},
		{column, "latency_ms", "from the intended arrival to the last deciding effect: p50 and p99 of intents that arrived before the fault, p99_in_fault of those in it"},
		{column, "p99_in_fault", "99th percentile of the latency of intents that arrived while the fault was on"},
		{column, "recovery_ms", "from the end of the fault until the intents that had arrived by then were done"},
		{column, "calls_per_intent", "calls to services, divided by offered intents"},
		{column, "writes_per_intent", "durable writes, divided by offered intents"},
		{column, "contract", "what the cell says about the stack's contract: held, broken, outside, vacuous or unknown"},
		{column, "case", "case of the failing run with the smallest seed, relative to the directory; null = no run failed"},
		{column, "stacks", "one entry for each stack: the verdict on its contract over all its rows"},
		{column, "verdict", "pass, fail, vacuous or unknown over all rows of a stack; unknown and vacuous are never pass"},
		{column, "promises", "verdict by promised property"},
		{column, "envelope", "the bounds inside which the stack makes its promises; a run whose plan exceeds one is outside"},
		{column, "permitted_but_never_seen", "anomalies that the contract permits and that no run with a fault showed"},
		{column, "hunts", "hunting runs: plans that aim at hooks. They count for verdicts and never for rates"},
		{column, "rates", "rates at an exposure profile, by stack: the sum over the compared fault kinds of frequency × parties × damage per fault; empty below 300 runs in a contributing cell"},
		{column, "duplicates_per_million", "duplicates for each million of offered intents at the exposure profile, with a 95 % interval made of those of the cells and of how they correlate; a cell of zeros adds its bound to hi"},
		{column, "losses_per_million", "lost intents for each million of offered ones at the exposure profile, with an interval as that of duplicates_per_million"},
		{column, "duplicates_per_day", "duplicates_per_million at the intents that the scenario's workload offers in a day"},
		{column, "losses_per_day", "losses_per_million at the intents that the scenario's workload offers in a day"},
		{column, "differences", "what a stack does more than the baseline (the first that promises to lose nothing) under one fault kind, per fault: runs are paired by seed; from 300 runs a cell on"},
		{column, "touched", "in differences: share of runs whose fault met work in flight; a stack that is met less often looks better for that alone"},
		{column, "sensitivity", "by stack: the rate simulated with all frequencies of the profile multiplied, as many faults a run as then come (rows with plan poisson)"},
		{column, "duplicates_slope", "slope of log rate over log multiplier, with a 95 % interval: how many faults must coincide for a duplicate; null with fewer than 10 damaged runs at all but one multiplier"},
		{column, "losses_slope", "as duplicates_slope, for losses"},
		{column, "duplicates_per_day_of_single_faults", "what level 1 says of the same multiplier: Σ frequency × damage per fault; agrees while one fault is over before the next"},
		{column, "losses_per_day_of_single_faults", "as duplicates_per_day_of_single_faults, for losses"},
		{column, "precision", "± of the shares of runs at which a cell stopped; 0 = every cell has runs_per_cell. With it p_duplicate and p_loss are confidence sequences, which hold however often one looks"},
		{column, "base_seed", "run i of every cell has seed base_seed + i"},
		{column, "runs_per_cell", "runs that were asked for; below 300 a table is a first look"},
		{column, "epoch", "model epoch: changes when any digest can"},
		{column, "exposure", "profile of fault frequencies that rates rest on; all of its lines: simulate explain cloud-default"},
	}
}

// terms are the words of files, tables and messages.
func terms() []meaning {
	const bucket, class, verdict, contract = "bucket", "effect class", "verdict", "contract of a cell"
	return []meaning{
		{bucket, "duplicated", "a deciding effect was applied more than once and not reversed"},
		{bucket, "done", "every deciding effect took place once, in time"},
		{bucket, "refused", "the producer was told no, or the flow was aborted and every effect reversed"},
		{bucket, "absent_unknown", "the producer never learned what became of it, and no log took it"},

		{class, "critical", "an effect of which one too many or too few is the damage in every headline: money moved"},
		{class, "state", "an effect on stored state"},
		{class, "notify", "a message to a person; it has no key and no query, so that no stack delivers it exactly once"},
		{class, "derived", "an effect that can be computed again"},

		{verdict, "pass", "decided, and no violation inside the envelope"},
		{verdict, "fail", "a violation inside the envelope"},
		{verdict, "vacuous", "nothing was exercised: the runs say nothing"},
		{verdict, "unknown", "something could not be decided; unknown is never pass"},
		{contract, "held", "the promises held in the cell's runs"},
		{contract, "broken", "a promise was violated inside the envelope"},
		{contract, "outside", "the cell's faults exceed the envelope, or violations lie outside it only: nothing was promised there"},

		{"word", "intent", "one business event offered by the workload, with the effects that it requires"},
		{"word", "stack", "one engine and any layers, with a contract: promises and the envelope inside which it makes them"},
		{"word", "case", "everything that does one run again bit for bit: resolved scenario, stack, plan and seed, and what it showed"},
		{"word", "seed", "what every draw of a run is keyed by; the same seed is the same environment under every stack"},
		{"word", "digest", "64 bits folded from every event of a run; equal digests are equal runs"},
		{"word", "fingerprint", "property/stage/cause label of a finding: the same for the same story at another seed"},
		{"word", "measuring", "a plan whose one fault was drawn without looking at what the stack does; rates rest on these alone"},
		{"word", "hunting", "a plan that aims: it can show that a story exists, never how often"},
		{"word", "hunt", "stands for the fault kind in rows and cases of hunting plans: such a plan may hold several kinds, or none"},
		{"word", "control", "the fault kind none: runs without a fault, which must be clean"},
	}
}
