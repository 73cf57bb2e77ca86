// Package isolation decides which levels of isolation a history of transactions has kept.
//
// It knows transactions that read and wrote versions, no files and no facts; its callers bring both, and the order of the
// versions, exact or inferred. After Adya (Weak Consistency, 1999) a level is a set of anomalies that it rules out. Some
// are seen at one read (reads.go), the others are cycles in the graph of what had to come before what:
//
//	ww        To wrote the version after one of From
//	wr        To read a version of From
//	rw        To wrote the version after one that From has read
//	session   From returned before To was called, and the same client asked for both
//	realtime  From returned before To was called
//
// Whether there is a cycle of some class is decided in linear time, by components. A short one to show costs a search,
// which has a budget of steps, the same on every machine; beyond it a class is told without a cycle.
//
// It imports the standard library only. What to read next: history.go, levels.go, edges.go, cycles.go.
package isolation
