package isolation

import (
	"cmp"
	"slices"
)

// The anomalies that are seen at one read, or at one version. All of them take linear time. Only committed transactions are
// asked for what they have read: one that aborted has told nobody.

// AbortedReads finds reads of versions of aborted transactions (G1a). Count: reads.
func AbortedReads(h *History) Found {
	f := Found{Name: G1a}
	h.reads(func(t int32, op Op) {
		if w := h.writerOf(op.Key, op.Version); w != t && h.is(w, Aborted) {
			f.note(op.Key, op.Version, t, w)
		}
	})
	return f
}

// IntermediateReads finds reads of versions that their writer, another and committed transaction, has overwritten itself
// (G1b). Count: reads.
func IntermediateReads(h *History) Found {
	f := Found{Name: G1b}
	final := h.finalWrites()
	h.reads(func(t int32, op Op) {
		if w := h.writerOf(op.Key, op.Version); w != Nobody && w != t && h.is(w, Committed) && !final[op.Key][op.Version] {
			f.note(op.Key, op.Version, t, w)
		}
	})
	return f
}

// finalWrites says, by key and version, whether it is the last of its writer.
func (h *History) finalWrites() [][]bool {
	final := make([][]bool, len(h.Keys))
	for k := range h.Keys {
		final[k] = make([]bool, len(h.Keys[k].Writers))
	}
	seen := make([]int32, len(h.Keys)) // by key, the last transaction, from 1, that was seen to write it
	for i := range h.Transactions {
		for _, op := range slices.Backward(h.Transactions[i].Ops) {
			if op.Write && seen[op.Key] != int32(i)+1 {
				seen[op.Key] = int32(i) + 1
				final[op.Key][op.Version] = true
			}
		}
	}
	return final
}

// InternalReads finds reads of another version than the one that the transaction itself has written or read before
// (internal). One that asked for read committed may read something else than before, but not than it has written. Count:
// reads.
func InternalReads(h *History) Found {
	f := Found{Name: Internal}
	type access struct {
		by      int32 // the transaction, from 1
		version int32
		wrote   bool
	}
	last := make([]access, len(h.Keys))
	for i := range h.Transactions {
		t := &h.Transactions[i]
		if t.Outcome != Committed {
			continue
		}
		for _, op := range t.Ops {
			l := last[op.Key]
			bound := l.by == int32(i)+1 && (l.wrote || !t.ReadCommitted)
			if bound && !op.Write && l.version != op.Version {
				f.note(op.Key, op.Version, int32(i))
			}
			if op.Write || !bound {
				last[op.Key] = access{int32(i) + 1, op.Version, op.Write}
			}
		}
	}
	return f
}

// FutureReads finds reads of versions that the transaction itself writes later (future-read). Count: reads.
func FutureReads(h *History) Found {
	f := Found{Name: FutureRead}
	written := make([][]bool, len(h.Keys))
	for k := range h.Keys {
		written[k] = make([]bool, len(h.Keys[k].Writers))
	}
	for i := range h.Transactions {
		t := &h.Transactions[i]
		for _, op := range t.Ops {
			switch {
			case op.Write:
				written[op.Key][op.Version] = true
			case t.Outcome == Committed && h.writerOf(op.Key, op.Version) == int32(i) && !written[op.Key][op.Version]:
				f.note(op.Key, op.Version, int32(i))
			}
		}
	}
	return f
}

// DirtyUpdates finds committed versions that come right after one of an aborted transaction (dirty-update). Count: versions.
func DirtyUpdates(h *History) Found {
	f := Found{Name: DirtyUpdate}
	for k := range h.Keys {
		order := h.Keys[k].Order
		for i := 1; i < len(order); i++ {
			before, after := h.writerOf(int32(k), order[i-1]), h.writerOf(int32(k), order[i])
			if h.is(before, Aborted) && h.is(after, Committed) {
				f.note(int32(k), order[i], after, before)
			}
		}
	}
	return f
}

// LostUpdates finds versions that several committed transactions have read before they wrote the key (lost-update), but for
// those that asked for read committed: these may. Count: versions.
func LostUpdates(h *History) Found {
	type update struct{ key, version, by int32 }
	var all []update
	h.updates(func(t int32, op Op) { all = append(all, update{op.Key, op.Version, t}) })
	slices.SortFunc(all, func(a, b update) int {
		return cmp.Or(cmp.Compare(a.key, b.key), cmp.Compare(a.version, b.version), cmp.Compare(a.by, b.by))
	})
	f := Found{Name: LostUpdate}
	for i := 0; i < len(all); {
		j := i
		var by []int32
		for ; j < len(all) && all[j].key == all[i].key && all[j].version == all[i].version; j++ {
			by = append(by, all[j].by)
		}
		if len(by) > 1 {
			f.note(all[i].key, all[i].version, by[:min(len(by), shown)]...)
		}
		i = j
	}
	return f
}

// updates gives the first reads of keys that a transaction writes afterwards.
func (h *History) updates(take func(t int32, read Op)) {
	type access struct {
		by   int32 // the transaction, from 1
		read Op
		over bool
	}
	first := make([]access, len(h.Keys))
	for i := range h.Transactions {
		t := &h.Transactions[i]
		if t.Outcome != Committed || t.ReadCommitted {
			continue
		}
		for _, op := range t.Ops {
			a := &first[op.Key]
			switch {
			case a.by != int32(i)+1:
				*a = access{int32(i) + 1, op, op.Write}
			case op.Write && !a.over:
				a.over = true
				take(int32(i), a.read)
			}
		}
	}
}

// reads gives the reads of committed transactions.
func (h *History) reads(take func(t int32, op Op)) {
	for i := range h.Transactions {
		if h.Transactions[i].Outcome != Committed {
			continue
		}
		for _, op := range h.Transactions[i].Ops {
			if !op.Write {
				take(int32(i), op)
			}
		}
	}
}

// note counts one more; the first decides what is told.
func (f *Found) note(key, version int32, by ...int32) {
	if f.Count++; f.Count == 1 {
		f.Key, f.Version, f.Transactions = key, version, by
	}
}
