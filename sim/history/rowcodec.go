package history

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
)

// Rows are JSON Lines too, one row a line and no header, canonical like histories: fixed order, maps sorted by
// key, latencies as [bucket,count] pairs of the buckets that are not empty.

// MaxRows is the largest number of rows that one file is read with.
const MaxRows = 1 << 22

// number is one integer field of a row.
type number struct {
	name string
	at   *int64
}

// work are the integer fields between the excess and the maps, in their order in files.
func (r *Row) work() [12]number {
	return [...]number{
		{"transient", &r.Transient}, {"phantoms", &r.Phantoms}, {"reorders", &r.Reorders},
		{"suppressed", &r.Suppressed}, {"redelivered", &r.Redelivered}, {"parked", &r.Parked}, {"parked_after_replay", &r.ParkedAfter},
		{"faults_fired", &r.FaultsFired}, {"faults_hit", &r.FaultsHit}, {"calls", &r.Calls}, {"writes", &r.Writes},
		{"recovery", &r.Recovery},
	}
}

// kernel are the integer fields after the maps.
func (r *Row) kernel() [4]number {
	return [...]number{
		{"events", &r.Events}, {"idle_events", &r.IdleEvents}, {"sim_time", &r.SimTime}, {"busy_time", &r.BusyTime},
	}
}

func (r *Row) maps() [3]struct {
	name string
	at   *map[string]int64
} {
	return [...]struct {
		name string
		at   *map[string]int64
	}{{"violations", &r.Violations}, {"undecided", &r.Undecided}, {"exercised", &r.Exercised}}
}

func (r *Row) latencies() [3]struct {
	name string
	at   *Latencies
} {
	return [...]struct {
		name string
		at   *Latencies
	}{{"calm", &r.Calm}, {"in_fault", &r.InFault}, {"after", &r.After}}
}

const seenName = "seen"

// AppendRow appends the row's line without its newline.
func AppendRow(b []byte, r *Row) []byte {
	b = appendString(append(b, `{"scenario":`...), r.Scenario)
	b = appendIntField(b, "epoch", int64(r.Epoch))
	b = appendStringField(b, "stack", r.Stack)
	b = appendStringField(b, "fault", r.Fault)
	b = appendStringField(b, "plan", r.Plan)
	b = strconv.AppendUint(appendName(b, "seed"), r.Seed, 10)
	b = appendIntField(b, "offered", r.Offered)
	b = appendIntField(b, "accepted", r.Accepted)
	b = append(appendName(b, "buckets"), '{')
	for i, n := range r.Buckets {
		b = strconv.AppendInt(appendNth(b, i, Bucket(i).String()), n, 10)
	}
	b = append(appendName(append(b, '}'), "excess"), '{')
	for i, c := range Classes() {
		b = strconv.AppendInt(appendNth(b, i, c.String()), r.Excess[c], 10)
	}
	b = append(b, '}')
	for _, n := range r.work() {
		b = appendIntField(b, n.name, *n.at)
	}
	b = strconv.AppendBool(appendName(b, "outside"), r.Outside)
	for _, m := range r.maps() {
		b = appendCounts(appendName(b, m.name), *m.at)
	}
	if len(r.Seen) > 0 { // left out when empty, as rows of before have none
		b = appendCounts(appendName(b, seenName), r.Seen)
	}
	b = append(appendName(b, "fingerprints"), '[')
	for i, p := range r.Prints {
		b = appendString(comma(b, i), p)
	}
	b = append(b, ']')
	for _, n := range r.kernel() {
		b = appendIntField(b, n.name, *n.at)
	}
	b = appendStringField(b, "stop", r.Stop)
	b = appendStringField(b, "digest", r.Digest)
	for _, l := range r.latencies() {
		b = appendLatencies(appendName(b, l.name), l.at)
	}
	return append(b, '}')
}

func appendNth(b []byte, i int, name string) []byte {
	return append(appendString(comma(b, i), name), ':')
}

func appendCounts(b []byte, m map[string]int64) []byte {
	b = append(b, '{')
	for i, k := range SortedKeys(m) {
		b = strconv.AppendInt(appendNth(b, i, k), m[k], 10)
	}
	return append(b, '}')
}

func appendLatencies(b []byte, l *Latencies) []byte {
	b = append(b, '[')
	n := 0
	for i, count := range l {
		if count != 0 {
			b = strconv.AppendInt(append(comma(b, n), '['), int64(i), 10)
			b = append(strconv.AppendInt(append(b, ','), int64(count), 10), ']')
			n++
		}
	}
	return append(b, ']')
}

// SortedKeys are the keys of a map in ascending order: the one way to walk a map.
func SortedKeys[K cmp.Ordered, V any](m map[K]V) []K {
	keys := make([]K, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// ReadRows reads a file of rows, at most MaxRows. Its errors name the line.
func ReadRows(r io.Reader) ([]Row, error) {
	lines := newLineReader(r)
	intern := map[string]string{}
	var rows []Row
	var scratch []byte
	for {
		line, err := lines.next()
		if errors.Is(err, io.EOF) {
			return rows, nil
		} else if err != nil {
			return nil, err
		}
		if len(rows) >= MaxRows {
			return nil, lines.wrap(fmt.Errorf("more than %d rows", MaxRows))
		}
		rows = append(rows, Row{})
		row := &rows[len(rows)-1]
		s := scanner{b: line, intern: intern}
		s.row(row)
		s.end()
		if s.err != nil {
			return nil, lines.wrap(s.err)
		}
		scratch = AppendRow(scratch[:0], row)
		if err := sameBytes(scratch, line); err != nil {
			return nil, lines.wrap(err)
		}
	}
}

// row reads the fields in their order.
func (s *scanner) row(r *Row) {
	s.expect('{')
	s.name("scenario")
	r.Scenario = s.string()
	s.next("epoch")
	r.Epoch = int(s.int(strconv.IntSize))
	s.next("stack")
	r.Stack = s.string()
	s.next("fault")
	r.Fault = s.string()
	s.next("plan")
	r.Plan = s.string()
	s.next("seed")
	r.Seed = s.uint()
	s.numbers(number{"offered", &r.Offered}, number{"accepted", &r.Accepted})
	s.next("buckets")
	for i := range r.Buckets {
		s.nth('{', i, Bucket(i).String())
		r.Buckets[i] = s.int(64)
	}
	s.expect('}')
	s.next("excess")
	for i, c := range Classes() {
		s.nth('{', i, c.String())
		r.Excess[c] = s.int(64)
	}
	s.expect('}')
	work := r.work()
	s.numbers(work[:]...)
	s.next("outside")
	r.Outside = s.bool()
	for _, m := range r.maps() {
		s.next(m.name)
		*m.at = s.counts()
	}
	if bytes.HasPrefix(s.b[s.i:], []byte(`,"`+seenName+`":`)) {
		s.next(seenName)
		r.Seen = s.counts()
	}
	s.next("fingerprints")
	r.Prints = s.strings()
	kernel := r.kernel()
	s.numbers(kernel[:]...)
	s.next("stop")
	r.Stop = s.string()
	s.next("digest")
	r.Digest = s.string()
	for _, l := range r.latencies() {
		s.next(l.name)
		s.pairs(l.at)
	}
	s.expect('}')
}

// next reads a comma and the name of the field that must follow.
func (s *scanner) next(name string) {
	s.expect(',')
	s.name(name)
}

func (s *scanner) numbers(list ...number) {
	for _, n := range list {
		s.next(n.name)
		*n.at = s.int(64)
	}
}

// nth reads what stands before the i-th value of an object: an opening or a comma, then its name.
func (s *scanner) nth(open byte, i int, name string) {
	if i > 0 {
		open = ','
	}
	s.expect(open)
	s.name(name)
}

func (s *scanner) counts() map[string]int64 {
	s.expect('{')
	if s.try('}') {
		return nil
	}
	m := map[string]int64{}
	for s.err == nil {
		k := s.string()
		s.expect(':')
		m[k] = s.int(64)
		if !s.try(',') {
			break
		}
	}
	s.expect('}')
	return m
}

func (s *scanner) strings() []string {
	s.expect('[')
	if s.try(']') {
		return nil
	}
	var list []string
	for s.err == nil {
		list = append(list, s.string())
		if !s.try(',') {
			break
		}
	}
	s.expect(']')
	return list
}

func (s *scanner) pairs(l *Latencies) {
	s.expect('[')
	if s.try(']') {
		return
	}
	for s.err == nil {
		s.expect('[')
		i := s.int(64)
		s.expect(',')
		n := s.int(32)
		s.expect(']')
		if s.err == nil && (i < 0 || i >= LatencyBuckets) {
			s.fail("there is no latency bucket %d", i)
		}
		if s.err == nil {
			l[i] = int32(n)
		}
		if !s.try(',') {
			break
		}
	}
	s.expect(']')
}

// ConflictError says that two rows have one key and different content: one of two runs of the same case was
// not deterministic, or two versions of the program share a model epoch.
type ConflictError struct{ Key Key }

// Error names the key.
func (e *ConflictError) Error() string {
	return fmt.Sprintf("two different rows for stack %s, fault %s, plan %s, seed %d (scenario %s, epoch %d)",
		e.Key.Stack, e.Key.Fault, e.Key.Plan, e.Key.Seed, e.Key.Scenario, e.Key.Epoch)
}

// MergeRows is the union of sets of rows by key, sorted by stack, fault, plan, seed, scenario and epoch. It is
// associative, commutative and idempotent; two rows with one key and different content are a *ConflictError.
func MergeRows(sets ...[]Row) ([]Row, error) {
	all := slices.Concat(sets...)
	slices.SortStableFunc(all, func(a, b Row) int { return compareKeys(a.Key(), b.Key()) })
	merged := all[:0]
	var left, right []byte
	for i := range all {
		if n := len(merged); n > 0 && merged[n-1].Key() == all[i].Key() {
			left, right = AppendRow(left[:0], &merged[n-1]), AppendRow(right[:0], &all[i])
			if !bytes.Equal(left, right) {
				return nil, &ConflictError{Key: all[i].Key()}
			}
			continue
		}
		merged = append(merged, all[i])
	}
	return merged, nil
}

func compareKeys(a, b Key) int {
	return cmp.Or(
		cmp.Compare(a.Stack, b.Stack), cmp.Compare(a.Fault, b.Fault), cmp.Compare(a.Plan, b.Plan),
		cmp.Compare(a.Seed, b.Seed), cmp.Compare(a.Scenario, b.Scenario), cmp.Compare(a.Epoch, b.Epoch),
	)
}
