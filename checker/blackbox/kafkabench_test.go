package blackbox_test

import (
	"bufio"
	"bytes"
	"fmt"
	"runtime"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/twiceless/twiceless/checker"
	"github.com/twiceless/twiceless/checker/blackbox"
	"github.com/twiceless/twiceless/checker/ops"
)

// logStream makes a long clean history piece by piece: producers send to all keys, every twentieth time three records
// in a transaction; two sets of consumers share the keys and read everything in batches.
type logStream struct {
	operations, keys int
	n                int
	now, value       int64
	heads            []int64 // by key: how many records
	logs             [][]int64
	at               [2][]int // by set and key
	turn             int
	out              logHistory
}

const (
	streamProducers = 20
	streamConsumers = 20 // in each set
	firstOffset     = 1_000_000_000_000_000
)

func newLogStream(operations, keys int) *logStream {
	s := &logStream{operations: operations, keys: keys, heads: make([]int64, keys), logs: make([][]int64, keys)}
	for set := range s.at {
		s.at[set] = make([]int, keys)
		for c := range streamConsumers {
			o := &logOp{process: s.consumer(set, c), f: "assign", call: s.tick(), ret: s.tick()}
			o.outcome = ops.OK
			for k := c; k < keys; k += streamConsumers {
				o.list = append(o.list, k)
			}
			s.out = append(s.out, o)
		}
	}
	return s
}

func (s *logStream) consumer(set, c int) int { return streamProducers + set*streamConsumers + c }

func (s *logStream) tick() int64 { s.now++; return s.now - 1 }

// piece is the next piece, empty at the end.
func (s *logStream) piece() logHistory {
	const most = 5000
	for ; len(s.out) < most && s.n < s.operations; s.n++ {
		if s.n%10 < 7 {
			s.send()
		} else {
			s.poll(8)
		}
	}
	for n := 0; s.n == s.operations && n < most && !s.drained(); n++ {
		s.poll(1 << 30)
	}
	out := s.out
	s.out = nil
	return out
}

func (s *logStream) drained() bool {
	for k := range s.logs {
		if s.at[0][k] < len(s.logs[k]) || s.at[1][k] < len(s.logs[k]) {
			return false
		}
	}
	return true
}

func (s *logStream) send() {
	o := &logOp{process: s.n % streamProducers, f: "send", call: s.tick(), outcome: ops.OK}
	records := 1
	if s.n%20 == 0 {
		o.f, records = "txn", 3
	}
	for i := range records {
		k := (s.n*7 + i*13) % s.keys
		s.value++
		o.micro = append(o.micro, logMicro{recs: []logRec{{k, firstOffset + int64(len(s.logs[k])), int(s.value)}}})
		s.logs[k] = append(s.logs[k], s.value)
	}
	o.ret = s.tick()
	s.out = append(s.out, o)
}

func (s *logStream) poll(most int) {
	s.turn++
	set, c := s.turn%2, s.turn/2%streamConsumers
	o := &logOp{process: s.consumer(set, c), f: "poll", call: s.tick(), outcome: ops.OK}
	m := logMicro{poll: true}
	for k := c; k < s.keys && len(m.recs) < most; k += streamConsumers {
		for ; s.at[set][k] < len(s.logs[k]) && len(m.recs) < most; s.at[set][k]++ {
			at := s.at[set][k]
			m.recs = append(m.recs, logRec{k, firstOffset + int64(at), int(s.logs[k][at])})
		}
	}
	o.micro, o.ret = []logMicro{m}, s.tick()
	s.out = append(s.out, o)
}

// BenchmarkKafkaJudge judges a million operations on a thousand keys, handed to the judge without a file between:
// go test -run - -bench KafkaJudge -benchtime 1x ./checker/blackbox
func BenchmarkKafkaJudge(b *testing.B) {
	total := 0
	for b.Loop() {
		b.StopTimer()
		s := newLogStream(1_000_000, 1000)
		var p ops.Problems
		j := kafkaModel().New(ops.Header{}, blackbox.Options{Budget: blackbox.DefaultBudget}, &p)
		n, before := 0, live()
		for piece := s.piece(); len(piece) > 0; piece = s.piece() {
			given := make([]*ops.Operation, len(piece))
			for i, o := range piece {
				given[i] = o.operation()
			}
			n += len(piece)
			b.StartTimer()
			for _, o := range given {
				j.Take(o)
			}
			b.StopTimer()
		}
		s.logs = nil
		b.StartTimer()
		r := j.Report()
		b.StopTimer()
		require.Equal(b, checker.Pass, r.Verdict(), "%v %v", r.Anomalies, r.Why)
		total += n
		b.ReportMetric(float64(live()-before)/float64(n), "B/operation")
		runtime.KeepAlive(j)
		b.StartTimer()
	}
	b.ReportMetric(float64(total)/b.Elapsed().Seconds(), "operations/s")
}

func live() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// BenchmarkKafkaCheck judges the same history from its text.
func BenchmarkKafkaCheck(b *testing.B) {
	var text bytes.Buffer
	w := bufio.NewWriter(&text)
	s := newLogStream(1_000_000, 1000)
	for piece := s.piece(); len(piece) > 0; piece = s.piece() {
		for _, o := range piece {
			op := o.operation()
			for _, e := range []struct {
				t ops.Type
				v ops.Value
			}{{ops.Invoke, op.In}, {op.Outcome, op.Out}} {
				fmt.Fprintf(w, `{"process":%d,"type":"%s","f":"%s","value":`, o.process, e.t, o.f)
				writeJSON(w, e.v)
				w.WriteString("}\n")
			}
		}
	}
	require.NoError(b, w.Flush())
	b.SetBytes(int64(text.Len()))
	for b.Loop() {
		j, err := blackbox.Check(blackbox.Source{Name: "history", Reader: bytes.NewReader(text.Bytes())}, "kafka", blackbox.Options{})
		require.NoError(b, err)
		require.Equal(b, checker.Pass, j.Report.Verdict(), "%v %v", j.Report.Anomalies, j.Report.Why)
	}
}

// writeJSON writes the whole of a value; its String shortens what is long.
func writeJSON(w *bufio.Writer, v ops.Value) {
	switch v.Kind {
	case ops.List:
		for i, item := range v.Items {
			w.WriteByte("[,"[min(i, 1)])
			writeJSON(w, item)
		}
		if len(v.Items) == 0 {
			w.WriteByte('[')
		}
		w.WriteByte(']')
	case ops.Map:
		w.WriteByte('{')
		for i, item := range v.Items {
			if i > 0 {
				w.WriteByte(",:"[i%2])
			}
			writeJSON(w, item)
		}
		w.WriteByte('}')
	case ops.Text:
		w.WriteString(strconv.Quote(v.Text))
	case ops.Null:
		w.WriteString("null")
	default:
		w.WriteString(strconv.FormatInt(v.Int, 10))
	}
}
