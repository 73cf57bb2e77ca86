package history

import (
	"bytes"
	"encoding/json"
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// The text form, as people see it.
func TestWrite(t *testing.T) {
	h := &History{Header: Header{
		Scenario: "payments", Hash: "ab12", Stack: "at-least-once", Seed: 7, Epoch: 1,
		Plan:     []string{"at 5s kill consumer-1 for 1s"},
		Requires: []Requirement{{Stage: "charge", Resource: "payments", Class: Critical}},
		Chaos:    [2]int64{1, 2}, Deadline: 3,
	}}
	id := h.Record(Fact{Time: 10, Node: "producer-1", Incarnation: 1, Kind: KindOffered, Event: "order-1", Key: "anna", Until: 9, Fence: -1, Offset: -1})
	h.Record(Fact{
		Time: 12, Node: "payments-1", Incarnation: 1, Kind: KindApplied, Cause: id, Event: "order-1", Stage: "charge",
		Attempt: 1, Fence: -1, Outcome: Acked, Resource: "payments", Op: "charge", Offset: 0, Hash: 0xbeef, Changed: true,
		Class: Critical, Note: "a \"quote\"\n<&>",
	})
	var b bytes.Buffer
	require.NoError(t, h.Write(&b))
	require.Equal(t, strings.Join([]string{
		`{"header":{"format":"twiceless-history","version":1,"epoch":1,"scenario":"payments","hash":"ab12","stack":"at-least-once","seed":"7","plan":["at 5s kill consumer-1 for 1s"],"requires":[{"stage":"charge","resource":"payments","class":"critical"}],"ordered":false,"chaos":[1,2],"deadline":3}}`,
		`{"id":1,"time":10,"node":"producer-1","incarnation":1,"kind":"offered","cause":0,"event":"order-1","stage":"","attempt":0,"fence":-1,"outcome":"","key":"anna","until":9}`,
		`{"id":2,"time":12,"node":"payments-1","incarnation":1,"kind":"applied","cause":1,"event":"order-1","stage":"charge","attempt":1,"fence":-1,"outcome":"acked","resource":"payments","op":"charge","offset":0,"hash":"000000000000beef","changed":true,"class":"critical","note":"a \"quote\"\n<&>"}`,
		"",
	}, "\n"), b.String())
}

// Strings are escaped as encoding/json does it, byte for byte.
func TestStringsLikeEncodingJSON(t *testing.T) {
	check := func(s string) bool {
		var b bytes.Buffer
		enc := json.NewEncoder(&b)
		enc.SetEscapeHTML(false)
		if err := enc.Encode(s); err != nil {
			return false
		}
		return string(appendString(nil, s))+"\n" == b.String()
	}
	for r := range rune(0x3000) {
		require.True(t, check(string(r)), "%q", r)
	}
	rapid.Check(t, func(t *rapid.T) {
		require.True(t, check(rapid.String().Draw(t, "s")))
		require.True(t, check(string(rapid.SliceOf(rapid.Byte()).Draw(t, "bytes"))))
	})
}

func drawFact(t *rapid.T, id int) Fact {
	s := rapid.StringN(0, 6, -1)
	i64 := rapid.Int64()
	return Fact{
		Time: i64.Draw(t, "time"), Node: s.Draw(t, "node"), Incarnation: rapid.Int32().Draw(t, "incarnation"),
		Kind: Kind(rapid.IntRange(1, int(kindCount)-1).Draw(t, "kind")), Cause: int64(rapid.IntRange(0, id-1).Draw(t, "cause")),
		Event: s.Draw(t, "event"), Stage: s.Draw(t, "stage"), Attempt: rapid.Int32().Draw(t, "attempt"), Fence: i64.Draw(t, "fence"),
		Outcome:  Outcome(rapid.IntRange(0, int(outcomeCount)-1).Draw(t, "outcome")),
		Resource: s.Draw(t, "resource"), Op: s.Draw(t, "op"), Key: s.Draw(t, "key"), Value: s.Draw(t, "value"),
		Offset: rapid.Int64Range(-2, 2).Draw(t, "offset"), Until: rapid.Int64Range(-1, 1).Draw(t, "until"),
		Hash: rapid.Uint64().Draw(t, "hash"), Changed: rapid.Bool().Draw(t, "changed"),
		Class: Class(rapid.IntRange(0, int(ClassCount)-1).Draw(t, "class")), Note: s.Draw(t, "note"), Site: s.Draw(t, "site"),
	}
}

// What is written reads back as the same history: facts, header, digest, bytes.
func TestRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		h := &History{Header: Header{Format: formatName, Version: FormatVersion, Seed: rapid.Uint64().Draw(t, "seed"), Stack: rapid.String().Draw(t, "stack")}}
		h.Reset(0)
		for i := range rapid.IntRange(0, 8).Draw(t, "facts") {
			h.Record(drawFact(t, i+1))
		}
		var first, second bytes.Buffer
		require.NoError(t, h.Write(&first))
		got, err := Read(bytes.NewReader(first.Bytes()), 0)
		require.NoError(t, err)
		require.Equal(t, h.Digest(), got.Digest())
		require.Equal(t, len(h.Facts), len(got.Facts))
		for i := range h.Facts {
			require.Equal(t, h.Facts[i], got.Facts[i])
		}
		require.NoError(t, got.Write(&second))
		require.Equal(t, first.String(), second.String())
	})
}

const (
	goodHeader = `{"header":{"format":"twiceless-history","version":1,"epoch":0,"scenario":"","hash":"","stack":"","seed":"0","plan":[],"requires":[],"ordered":false,"chaos":[0,0],"deadline":0}}` + "\n"
	goodFact   = `{"id":1,"time":0,"node":"","incarnation":0,"kind":"phase","cause":0,"event":"","stage":"","attempt":0,"fence":-1,"outcome":""}` + "\n"
)

// What is not exactly what Write writes is an error that names its line.
func TestReadRefuses(t *testing.T) {
	twice := strings.Replace(goodFact, `"id":1`, `"id":2`, 1)
	cases := []struct{ name, text, want string }{
		{"nothing", "", "line 1: no header"},
		{"no header", goodFact, "line 1: not a header"},
		{"another format", `{"header":{"model":"register"}}` + "\n", "line 1: not a header"},
		{"a newer version", strings.Replace(goodHeader, `"version":1`, `"version":2`, 1), "line 1: format version 2"},
		{"cut", goodHeader + goodFact[:40], "line 2: the file ends inside this line"},
		{"an unknown field", goodHeader + strings.Replace(goodFact, `"outcome":""`, `"outcome":"","mood":1`, 1), `line 2: column 134: unknown field "mood"`},
		{"an unknown kind", goodHeader + strings.Replace(goodFact, "phase", "fit", 1), `line 2: column 56: unknown fact kind "fit"`},
		{"an id twice", goodHeader + goodFact + goodFact, "line 3: fact 1 where fact 2 must be"},
		{"an id left out", goodHeader + twice, "line 2: fact 2 where fact 1 must be"},
		{"its own cause", goodHeader + strings.Replace(goodFact, `"cause":0`, `"cause":1`, 1), "line 2: fact 1 names fact 1 as its cause"},
		{"a field left out", goodHeader + strings.Replace(goodFact, `"node":"",`, "", 1), "line 2: column 19: not in canonical form"},
		{"a neutral detail", goodHeader + strings.Replace(goodFact, `""}`, `"","offset":-1}`, 1), "not in canonical form"},
		{"white space", goodHeader + strings.Replace(goodFact, `{"id"`, `{ "id"`, 1), "line 2: column 2"},
		{"a second spelling", goodHeader + strings.Replace(goodFact, `"node":""`, `"node":"\u0041"`, 1), "not in canonical form"},
		{"half a surrogate", goodHeader + strings.Replace(goodFact, `"node":""`, `"node":"\ud800"`, 1), "not in canonical form"},
		{"too big a number", goodHeader + strings.Replace(goodFact, `"attempt":0`, `"attempt":2147483648`, 1), "not an integer of 32 bits"},
		{"a long line", goodHeader + strings.Repeat("x", MaxLine+2) + "\n", "line 2: longer than 1048576 bytes"},
		{"too many facts", goodHeader + goodFact + twice + strings.Replace(goodFact, `"id":1`, `"id":3`, 1), "line 4: more than 2 facts"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			_, err := Read(strings.NewReader(c.text), 2)
			require.ErrorContains(t, err, c.want)
		})
	}
	_, err := Read(strings.NewReader(goodHeader+goodFact+twice), 2)
	require.NoError(t, err)
}

// What could not be read back is not written.
func TestWriteRefuses(t *testing.T) {
	var b bytes.Buffer
	h := &History{}
	h.Record(Fact{Kind: KindPhase, Note: "\xff"})
	require.ErrorContains(t, h.Write(&b), "fact 1: the string \"\\xff\" is not UTF-8")
	h = &History{}
	h.Record(Fact{})
	require.ErrorContains(t, h.Write(&b), "fact 1: none, outcome , class : not in the tables")
}

// Whatever Read accepts, Write gives back byte for byte.
func FuzzRead(f *testing.F) {
	f.Add([]byte(goodHeader + goodFact))
	f.Add([]byte(goodHeader + strings.Replace(goodFact, `""}`, `"acked","offset":3,"hash":"00000000000000ff","changed":true,"class":"state","note":"a\\n\u2028"}`, 1)))
	f.Add([]byte(goodHeader))
	f.Add([]byte("{"))
	f.Fuzz(func(t *testing.T, data []byte) {
		h, err := Read(bytes.NewReader(data), 100)
		if err != nil {
			return
		}
		var b bytes.Buffer
		if err := h.Write(&b); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(b.Bytes(), data) {
			t.Fatalf("read %q, wrote %q", data, b.Bytes())
		}
	})
}

func BenchmarkCodec(b *testing.B) {
	h := &History{}
	for i := range 100_000 {
		h.Record(Fact{
			Time: int64(i) * 1000, Node: "consumer-1", Incarnation: 1, Kind: KindCalled, Cause: int64(i), Event: "order-117",
			Stage: "charge", Attempt: 1, Fence: 3, Outcome: Acked, Resource: "payments", Op: "charge", Offset: -1, Hash: math.MaxUint64,
		})
	}
	var text bytes.Buffer
	require.NoError(b, h.Write(&text))
	b.Run("write", func(b *testing.B) {
		b.SetBytes(int64(text.Len()))
		var out bytes.Buffer
		for b.Loop() {
			out.Reset()
			_ = h.Write(&out)
		}
	})
	b.Run("read", func(b *testing.B) {
		b.SetBytes(int64(text.Len()))
		for b.Loop() {
			_, _ = Read(bytes.NewReader(text.Bytes()), 0)
		}
	})
}
