package ops_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/twiceless/twiceless/checker/ops"
)

const benchEvents = 100_000

// effects are histories as a ledger of effects reads them: an intent and what was done for it.
func effects(line string) []byte {
	var b bytes.Buffer
	for i := range benchEvents {
		fmt.Fprintf(&b, line+"\n", i, i%16, i/3, i%3, i%100)
	}
	return b.Bytes()
}

var (
	effectsJSON = effects(`{"index":%d,"process":%d,"type":"ok","f":"apply","value":{"id":"order-%d","stage":"charge-%d","key":"k-%d","amount":1}}`)
	effectsEDN  = effects(`{:index %d, :process %d, :type :ok, :f :apply, :value {:id "order-%d", :stage :charge-%d, :key "k-%d", :amount 1}}`)
)

// BenchmarkRead compares reading and pairing 100 000 events with what encoding/json takes to find the same values.
func BenchmarkRead(b *testing.B) {
	for _, c := range []struct {
		name string
		text []byte
		read func([]byte) int
	}{
		{"json", effectsJSON, func(text []byte) int { return pairsOf(b, bytes.NewReader(text), ops.JSONLines) }},
		{"edn", effectsEDN, func(text []byte) int { return pairsOf(b, bytes.NewReader(text), ops.EDN) }},
		{"encoding-json", effectsJSON, func(text []byte) int { return standard(b, text) }},
	} {
		b.Run(c.name, func(b *testing.B) {
			b.SetBytes(int64(len(c.text)))
			b.ReportAllocs()
			for b.Loop() {
				require.Equal(b, benchEvents, c.read(c.text))
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/benchEvents, "ns/event")
		})
	}
}

func pairsOf(t testing.TB, r io.Reader, f ops.Format) (n int) {
	var p ops.Problems
	pairs := ops.NewPairs(true, func(*ops.Operation) { n++ }, &p)
	require.NoError(t, ops.Read(r, f, ops.Sink{Header: func(ops.Header) {}, Event: pairs.Event}, &p))
	pairs.End()
	require.NoError(t, p.Error("bench"))
	return n
}

func standard(t testing.TB, text []byte) (n int) {
	lines := bufio.NewScanner(bytes.NewReader(text))
	for lines.Scan() {
		var event struct {
			Index, Process int64
			Type, F        string
			Value          any
		}
		require.NoError(t, json.Unmarshal(lines.Bytes(), &event))
		n++
	}
	return n
}
