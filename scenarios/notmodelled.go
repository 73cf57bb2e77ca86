package scenarios

// NotModelled lists what no run of a scenario can show, one sentence each, what matters most first. It is the one place
// that says so: whoever models one of these strikes its line.
func NotModelled() []string {
	return []string{
		"A quorum of controllers: the metadata of the log lies on one node, which is durable and can be killed, paused and cut off.",
		"Followers that serve readers, compaction of logs, reassignment of replicas, quotas.",
		"Damage of disks: a power loss drops or tears what was not fsynced, but nothing rots, fills up, slows down or lies about an fsync.",
		"Loss of single packets, but for links that a plan makes lossy: any other link is up, slow by its distribution, or cut, and its bandwidth is unlimited.",
		"Contention inside a process: threads, garbage collection and memory show only as pauses that a fault brings.",
		"Several faults that fall together: measuring runs have exactly one.",
		"Releases: versions of code, schemas and messages do not change in a run.",
		"Your latencies: those of a scenario are its author’s assumptions until they are replaced by measured ones.",
	}
}
