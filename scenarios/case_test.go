package scenarios

import (
	"bytes"
	"math"
	"reflect"
	"strings"
	"testing"
)

func sampleCase(t testing.TB) *Case {
	t.Helper()
	s, err := Load("payments")
	if err != nil {
		t.Fatal(err)
	}
	return &Case{
		Version: CaseVersion,
		Intent: Intent{
			Scenario: s, Stack: "at-least-once", Fault: "consumer-kill", PlanType: PlanHunting,
			Plan:       []string{"when payments.charge/applied{event=order-117} #1 kill $caller for 1s"},
			Reductions: &Reductions{KeepEvents: []string{"order-117"}},
			Property:   "duplicate-effect (critical)", Fingerprint: "duplicate-effect (critical)/charge/redelivered-after-commit-lost", Expected: "fail",
		},
		Witness: Witness{Seed: math.MaxUint64, Digest: "51d0a27c44be109f", HistoryDigest: "0123456789abcdef", Checkpoints: []string{"51d0a27c44be109f"}, Epoch: 1, Go: "go1.26", Format: "case 1"},
	}
}

func TestCaseRoundTrip(t *testing.T) {
	c := sampleCase(t)
	text := c.Encode()
	got, err := DecodeCase("x.case", text)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, c) || !bytes.Equal(got.Encode(), text) || got.Name() != c.Name() || len(c.Name()) != 12 {
		t.Errorf("%s differs", got.Encode())
	}
	if !strings.Contains(string(text), `"seed": "18446744073709551615"`) {
		t.Error("the seed is not decimal text")
	}
	c.Witness.Seed, c.Witness.Digest = 1, "ffffffffffffffff"
	if c.Name() != got.Name() {
		t.Error("the witness changes the name")
	}
	c.Intent.Stack = "at-most-once"
	if c.Name() == got.Name() {
		t.Error("the stack does not change the name")
	}
}

func TestCaseMessages(t *testing.T) {
	text := string(sampleCase(t).Encode())
	for _, c := range []struct{ from, to, want string }{
		{`"version": 1`, `"version": 2`, "x.case:2:14: version: this program reads version 1, not \"2\""},
		{`"plan_type"`, `"plan_typ"`, "intent.plan_typ: unknown field (did you mean plan_type?)"},
		{`"stack": "at-least-once"`, `"stack": "at-last-once"`, "intent.stack: unknown stack \"at-last-once\" (did you mean at-least-once?)"},
		{`"fault": "consumer-kill"`, `"fault": "kill"`, "intent.fault: unknown fault"},
		{`"hunting"`, `"guessing"`, "intent.plan_type: unknown type of plan"},
		{`"members": 3`, `"members": 3000`, "intent.scenario.consumers.members: 3000 members; at most 100"},
		{`"members": 3`, `"members": 3.5`, "want a value of Go type int"},
		{`"members": 3`, `"members": {}`, "intent.scenario.consumers.members: want a text, a number or a truth value, not a map"},
		{`"members": 3`, `"Members": 3`, "unknown field (did you mean members?)"},
		{`"members": 3`, `"members": 3, "members": 3`, "duplicate field"},
		{`"digest": "51d0`, `"digest": "51D0`, "witness.digest: want 16 hexadecimal digits"},
		{`"seed": "1844`, `"seed": "x1844`, "witness.seed: want a whole number from 0 to 2^64-1 in quotes, not the text"},
		{`#1 kill`, `\u001b[31m`, "intent.plan[0]: has unprintable characters"},
		{`"expected": "fail"`, `"expected": "wrong"`, "intent.expected: unknown verdict"},
		{`"intent": {`, `"intent": [`, "not JSON"},
	} {
		src := strings.Replace(text, c.from, c.to, 1)
		if src == text {
			t.Fatalf("no place for %q", c.from)
		}
		if _, err := DecodeCase("x.case", []byte(src)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s:\n%v\nwant %s", c.to, err, c.want)
		}
	}
}

func TestCaseDamaged(t *testing.T) {
	alone(t)
	text := sampleCase(t).Encode()
	for n := 0; n < len(text)-1; n += 29 {
		if _, err := DecodeCase("x.case", text[:n]); err == nil {
			t.Fatalf("%d of %d bytes are accepted", n, len(text))
		}
	}
	for i := 0; i < len(text); i += 23 {
		flipped := bytes.Clone(text)
		flipped[i] ^= 1 << (i % 8)
		if c, err := DecodeCase("x.case", flipped); err == nil {
			_ = c.Encode() // another valid case
		}
	}
	for _, src := range []string{
		"", "null", "[]", "1", `{"version":1}`, `{"version":1,"intent":null,"witness":null}`, `{"version":1,"intent":{"scenario":null},"witness":{}}`,
		strings.Repeat("[", 4<<20), strings.Repeat(`{"a":`, 100_000), strings.Repeat(" ", 5<<20), "\x00", "\xff", `{"version":1,` + strings.Repeat(`"a":1,`, 500_000) + `"b":1}`,
	} {
		if _, err := DecodeCase("x.case", []byte(src)); err == nil {
			t.Errorf("%.20q is accepted", src)
		}
	}
}

func FuzzDecodeCase(f *testing.F) {
	f.Add(sampleCase(f).Encode())
	f.Add([]byte(`{"version":1,"intent":{"scenario":{}},"witness":{}}`))
	f.Fuzz(func(t *testing.T, src []byte) {
		c, err := DecodeCase("x.case", src)
		if err != nil {
			_ = err.Error()
			return
		}
		text := c.Encode()
		again, err := DecodeCase("x.case", text)
		if err != nil {
			t.Fatalf("%v\n%s", err, text)
		}
		if !bytes.Equal(again.Encode(), text) || again.Name() != c.Name() {
			t.Errorf("differs:\n%s\n%s", again.Encode(), text)
		}
	})
}
