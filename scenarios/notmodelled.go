package scenarios

// NotModelled lists what no run of a scenario can show, one sentence each, what matters most first. It is the one place
// that says so: whoever models one of these strikes its line.
func NotModelled() []string {
	return []string{
		"Replication: there is one broker and one copy of each partition. No followers, no elections, no acks=all, no min.insync.replicas, no unclean leader.",
		"Broker transactions and idempotent producers: a producer’s retry can make a second record, and read_committed does not exist.",
		"Damage of disks: a power loss drops or tears what was not fsynced, but nothing rots, fills up, slows down or lies about an fsync.",
		"Loss of single packets and congestion: a link is up, slow by its distribution, or cut. Bandwidth is unlimited, and a connection neither reorders nor repeats.",
		"Retention and compaction: topics keep everything, so that no consumer is too late for a record.",
		"Cooperative and incremental rebalancing, static members, KIP-848: groups rebalance eagerly.",
		"Several batches in flight: a producer has one request a partition on its way, so that its retries cannot reorder.",
		"Contention inside a process: threads, garbage collection and memory show only as pauses that a fault brings.",
		"Several faults that fall together: measuring runs have exactly one.",
		"Releases: versions of code, schemas and messages do not change in a run.",
		"Your latencies: those of a scenario are its author’s assumptions until they are replaced by measured ones.",
	}
}
