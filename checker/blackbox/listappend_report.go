package blackbox

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/twiceless/twiceless/checker/isolation"
	"github.com/twiceless/twiceless/checker/ops"
)

// Report infers what the reads say of versions and asks package isolation.
func (j *listAppendJudge) Report() *ops.Report {
	r := &ops.Report{Numbers: map[string]int64{}}
	j.settle()
	for _, k := range j.keys {
		order := k.trunk
		if k.parted != noPlace {
			order = k.trunk[:k.parted]
		}
		j.h.Keys = append(j.h.Keys, isolation.Key{Writers: k.writers, Order: order, Unread: k.parted == noPlace && !k.twice})
	}
	j.tell(r, isolation.DuplicateElements, &j.duplicates, "read %s of %s: an element twice, though each was appended once")
	j.tell(r, isolation.Internal, &j.internal, "read %s of %s, which is not what it had read and appended there itself")
	j.shown(r)
	j.incompatible(r)
	j.future(r)
	j.version(r, isolation.IntermediateReads(&j.h), "%[1]s read %[2]s of %[3]s as the last element, though %[4]s appended more to it")
	j.version(r, isolation.DirtyUpdates(&j.h), "%[1]s appended %[2]s to %[3]s right after what %[4]s appended, which failed")
	j.version(r, isolation.LostUpdates(&j.h), "%[1]s and %[4]s both read %[3]s up to %[2]s, and both appended to it")
	c := isolation.FindCycles(&j.h, j.budget)
	for i := range c.Found {
		j.cycle(r, &c.Found[i])
	}
	for _, u := range c.Undecided {
		if j.level.Violates(u.Name) && !j.level.Violates(isolation.GNonadjacent) {
			r.Undecided += u.Count
			r.Why = append(r.Why, fmt.Sprintf("the budget of %d steps ran out before it was known whether a cycle is of class %s", j.budget, u.Name))
		}
	}
	r.Exercised = c.Linked
	j.number(r)
	j.why(r)
	r.Sort()
	return r
}

// settle says of operations of unknown outcome that they committed, where an acknowledged read shows an element of theirs.
func (j *listAppendJudge) settle() {
	saw := func(k *listKey, v int32) {
		if w := k.writers[v]; w != isolation.Nobody && j.h.Transactions[w].Outcome == isolation.Unknown {
			j.h.Transactions[w].Outcome = isolation.Committed
		}
	}
	for _, k := range j.keys {
		for _, v := range k.trunk {
			saw(k, v)
		}
	}
	for i := range j.reads {
		k := j.keys[j.reads[i].key]
		for _, v := range j.reads[i].other {
			saw(k, v)
		}
	}
}

// add adds an anomaly.
func (j *listAppendJudge) add(r *ops.Report, name string, count int64, detail string, story []string, by ...int32) {
	if count == 0 {
		return
	}
	severity := ops.SeverityInfo
	if j.level.Violates(name) {
		severity = ops.SeverityFail
	}
	r.Find(name, severity, func(a *ops.Anomaly) {
		a.Detail, a.Story = detail, story
		for _, t := range by {
			a.Evidence = append(a.Evidence, j.evidence[t]...)
		}
	})
	r.Anomalies[len(r.Anomalies)-1].Count = count
}

// name is a transaction in a sentence: T and the index of its last event.
func (j *listAppendJudge) name(t int32) string {
	e := j.evidence[t]
	return fmt.Sprintf("T%d", e[len(e)-1])
}

func (j *listAppendJudge) tell(r *ops.Report, name string, n *tally, sentence string) {
	if n.count > 0 {
		j.add(r, name, n.count, j.name(n.t)+" "+fmt.Sprintf(sentence, n.read, showAtom(j.keys[n.key].name)), nil, n.t)
	}
}

// version tells of an anomaly that is seen at one version: by whom, what, of which key, and of whom.
func (j *listAppendJudge) version(r *ops.Report, f isolation.Found, sentence string) {
	if f.Count > 0 {
		detail := fmt.Sprintf(sentence, j.name(f.Transactions[0]), j.element(f.Key, f.Version), showAtom(j.keys[f.Key].name), j.name(f.Transactions[1]))
		j.add(r, f.Name, f.Count, detail, nil, f.Transactions...)
	}
}

// element is a version in a sentence.
func (j *listAppendJudge) element(key, version int32) string {
	if version == isolation.Initial {
		return "the empty list"
	}
	return showAtom(j.keys[key].elements[version])
}

// shown looks for elements that no read may show: of failed operations, and of nobody. A read that does not part from the
// order shows one if it is as long as the first one in it.
func (j *listAppendJudge) shown(r *ops.Report) {
	for _, x := range []struct {
		name, sentence string
		wrong          func(writer, reader int32) bool
	}{
		{isolation.G1a, "%s read %s of %s, which was appended by an operation that failed", func(w, reader int32) bool {
			return w != isolation.Nobody && j.h.Transactions[w].Outcome == isolation.Aborted
		}},
		{isolation.GarbageRead, "%s read %s of %s, which nobody appended", func(w, _ int32) bool { return w == isolation.Nobody }},
	} {
		first := make([]int32, len(j.keys)) // by key, how long a read has to be
		for i, k := range j.keys {
			first[i] = int32(len(k.trunk)) + 1
			for at, v := range k.trunk {
				if x.wrong(k.writers[v], isolation.Nobody) {
					first[i] = int32(at) + 1
					break
				}
			}
		}
		var count int64
		var detail string
		var by []int32
		for i := range j.reads {
			rd := &j.reads[i]
			k := j.keys[rd.key]
			v := int32(isolation.Initial)
			if rd.length >= first[rd.key] {
				v = k.trunk[first[rd.key]-1]
			}
			for _, o := range rd.other {
				if v == isolation.Initial && x.wrong(k.writers[o], rd.t) {
					v = o
				}
			}
			if v == isolation.Initial {
				continue
			}
			if count++; count == 1 {
				detail = fmt.Sprintf(x.sentence, j.name(rd.t), j.element(rd.key, v), showAtom(k.name))
				if by = []int32{rd.t}; k.writers[v] != isolation.Nobody {
					by = append(by, k.writers[v])
				}
			}
		}
		j.add(r, x.name, count, detail, nil, by...)
	}
}

// incompatible counts the keys whose reads are of different orders.
func (j *listAppendJudge) incompatible(r *ops.Report) {
	var count int64
	var by []int32
	var detail string
	for key, k := range j.keys {
		if k.parted == noPlace {
			continue
		}
		if count++; count > 1 {
			continue
		}
		along, apart := int32(isolation.Nobody), int32(isolation.Nobody)
		for i := range j.reads {
			switch rd := &j.reads[i]; {
			case rd.key != int32(key) || rd.twice:
			case rd.other == nil && int(rd.length) > k.parted && along == isolation.Nobody:
				along = rd.t
			case rd.other != nil && int(rd.length) == k.parted && apart == isolation.Nobody:
				apart = rd.t
			}
		}
		by = []int32{along, apart}
		detail = fmt.Sprintf("%s and %s read %s in orders of which neither is the beginning of the other: they agree on %d elements",
			j.name(along), j.name(apart), showAtom(k.name), k.parted)
	}
	j.add(r, isolation.IncompatibleOrder, count, detail, nil, by...)
}

// future looks for reads of what the transaction itself appends later.
func (j *listAppendJudge) future(r *ops.Report) {
	var count int64
	var detail string
	var by int32
	tell := func(rd *listRead) {
		if count++; count == 1 {
			by, detail = rd.t, fmt.Sprintf("%s read an element of %s that it appended only afterwards", j.name(rd.t), showAtom(j.keys[rd.key].name))
		}
	}
	early := j.earliest()
	for i := range j.reads {
		rd := &j.reads[i]
		k := j.keys[rd.key]
		later := func(v int32) bool { return k.writers[v] == rd.t && k.at[v] >= rd.op }
		if early[i] < rd.length || slices.ContainsFunc(rd.other, later) {
			tell(rd)
		}
	}
	j.add(r, isolation.FutureRead, count, detail, nil, by)
}

// earliest says, by read, the earliest place in the order of its key of what its transaction appends there afterwards. It
// goes through each transaction from its end.
func (j *listAppendJudge) earliest() []int32 {
	type ahead struct{ t, place int32 } // the transaction, from 1
	next := make([]ahead, len(j.keys))
	out := make([]int32, len(j.reads))
	last := 0
	for i := len(j.reads) - 1; i >= 0; i-- {
		rd := &j.reads[i]
		tx := &j.h.Transactions[rd.t]
		if i == len(j.reads)-1 || j.reads[i+1].t != rd.t {
			last = len(tx.Ops)
		}
		for _, op := range tx.Ops[rd.op:last] {
			place := j.keys[op.Key].place[op.Version]
			if n := &next[op.Key]; op.Write && place != noPlace && (n.t != rd.t+1 || place < n.place) {
				*n = ahead{rd.t + 1, place}
			}
		}
		last = int(rd.op)
		if out[i] = math.MaxInt32; next[rd.key].t == rd.t+1 {
			out[i] = next[rd.key].place
		}
	}
	return out
}

// cycle tells of a class of cycles.
func (j *listAppendJudge) cycle(r *ops.Report, f *isolation.Found) {
	if f.Steps == nil {
		j.add(r, f.Name, f.Count, "a cycle goes through "+j.name(f.Transactions[0])+"; the budget of steps ran out before a short one was found", nil, f.Transactions...)
		return
	}
	var line strings.Builder
	var story []string
	for _, s := range f.Steps {
		fmt.Fprintf(&line, "%s -%s-> ", j.name(s.From), s.Kind)
		story = append(story, j.step(s))
	}
	line.WriteString(j.name(f.Steps[0].From))
	j.add(r, f.Name, f.Count, line.String(), story, f.Transactions...)
}

// step says why one transaction came before the other.
func (j *listAppendJudge) step(s isolation.Step) string {
	from, to := j.name(s.From), j.name(s.To)
	var element, key string
	if s.Kind == "ww" || s.Kind == "wr" || s.Kind == "rw" {
		element, key = j.element(s.Key, s.Version), showAtom(j.keys[s.Key].name)
	}
	switch s.Kind {
	case "ww":
		return fmt.Sprintf("%s came before %s, which appended %s to %s after an element of %s", from, to, element, key, from)
	case "wr":
		return fmt.Sprintf("%s came before %s, which read its %s of %s", from, to, element, key)
	case "rw":
		return fmt.Sprintf("%s came before %s, whose append of %s to %s it did not read", from, to, element, key)
	case "session":
		return fmt.Sprintf("%s came before %s in its process", from, to)
	}
	return fmt.Sprintf("%s had returned before %s was called", from, to)
}

// number counts, and says which levels what was found rules out: "not" the weakest, "also-not" those that follow, each with
// the number of names that rule it out.
func (j *listAppendJudge) number(r *ops.Report) {
	r.Numbers["transactions"], r.Numbers["keys"] = int64(len(j.h.Transactions)), int64(len(j.keys))
	for i := range j.h.Transactions {
		r.Numbers[[...]string{"committed", "aborted", "unknown"}[j.h.Transactions[i].Outcome]]++
	}
	var names []string
	for i := range r.Anomalies {
		names = append(names, r.Anomalies[i].Name)
	}
	count := func(what string, levels []isolation.Level) {
		for _, l := range levels {
			for _, n := range names {
				if l.Violates(n) {
					r.Numbers[what+" "+string(l)]++
				}
			}
		}
	}
	not, alsoNot := isolation.Boundary(names)
	count("not", not)
	count("also-not", alsoNot)
}

// why says what the history cannot show.
func (j *listAppendJudge) why(r *ops.Report) {
	unread, parted := int64(0), int64(0)
	for _, k := range j.keys {
		if k.parted != noPlace || k.twice {
			parted++
		}
		of := int64(0)
		for v, w := range k.writers {
			if w != isolation.Nobody && k.place[v] == noPlace && j.h.Transactions[w].Outcome == isolation.Committed {
				of++
			}
		}
		r.Numbers["unread"] += of
		if of > 1 {
			unread += of
		}
	}
	for _, w := range []struct {
		count    int64
		sentence string
	}{
		{unread, "%d appends were never read, of keys that have several: cycles that depend on the order among them are not seen"},
		{parted, "of %d keys the reads do not agree: cycles that depend on the order where they part are not seen"},
		{r.Numbers["unknown"], "%d operations of unknown outcome are left out, because no read shows that they took effect"},
	} {
		if w.count > 0 {
			r.Why = append(r.Why, fmt.Sprintf(w.sentence, w.count))
		}
	}
	if r.Exercised == 0 {
		r.Why = append(r.Why, "no committed transaction depends on another one: every level holds for want of anything that could break it")
	}
}
