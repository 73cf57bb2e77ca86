package scenarios

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// minimal has nothing but what is needed.
const minimal = `version: 1
name: minimal
broker: { topics: { orders: {} } }
workload: { arrival: poisson(4/s) }
flow:
  - { stage: charge, kind: effect, calls: payments, effect: critical }
downstreams: { payments: { kind: payments-api } }
stacks:
  - { name: plain, engine: commit-after }
`

// everything has every field.
const everything = `version: 1
name: everything
why: Every field once.
event: invoice
broker:
  kind: log
  topics: { invoices: { partitions: 12 }, invoices.dead: { partitions: 1 } }
  session_timeout: 6s
  rebalance_delay: 0s
  append: constant(50us)
  fsync: 1ms
workload: { arrival: poisson(90/m), during: chaos, topic: invoices, keys: "zipf(100, 1.1)", deadline: 1d }
flow:
  - { stage: parse, kind: pure, takes: "uniform(1ms, 3ms)" }
  - { stage: look, kind: read, calls: ledger.balance }
  - { stage: charge, kind: effect, calls: payments, effect: critical, amount: 40.5 }
  - { stage: book, kind: effect, calls: ledger, effect: state }
  - { stage: tell, kind: effect, calls: mail, effect: notify }
downstreams:
  payments: { kind: payments-api, latency: 80ms, capacity: 20/s, idempotency_keys: offered, fencing: offered, keep_keys: 48h }
  ledger: { kind: database }
  mail: { kind: notification }
producer: { request_timeout: 1s, delivery_timeout: 30s, backoff: 50ms }
consumers:
  members: 3
  max_poll_records: 10
  max_poll_interval: 1m
  heartbeat: 1s
  fetch_wait: 100ms
  call_timeout: 3s
  request_timeout: 2s
  restart: 1s
network: { latency: 1ms }
phases: { chaos: 2m, drain: 3h }
limits: { events: 1000000, facts: 100000 }
stacks:
  - name: full
    why: All layers.
    engine: commit-after
    acks: 1
    retries: true
    layers:
      - dead-letter: { topic: invoices.dead }
      - retry: { backoff: exponential, from: 200ms, to: 5s, budget: 4 }
      - idempotency-key: { from: [event, stage], keep: 24h }
      - dedup-store: { variant: durable }
    promises: { loss: never, duplicates: { critical: never, state: never, notify: allowed, derived: allowed }, order: per-key }
    envelope: { clock-skew: "<= 500ms", faults: "<= 2", outage: "<= 20m", pause: "<= 1m", power-loss: "<= 1", redelivery-horizon: "<= 24h" }
  - name: bare
    engine: commit-before
    acks: 0
    retries: false
expect:
  - { stack: full, damage: { consumer-kill: "p_duplicate < 1%", pause: "p_loss <= 1/500" }, lost_silent: none }
`

func TestDecodeMessages(t *testing.T) {
	for _, c := range []struct{ from, to, want string }{
		{"retry: { backoff", "retry: { backof", "x.yaml:44:18: stacks[0].layers[1].retry.backof: unknown field (did you mean backoff?)\n    44 |       - retry: { backof: exponential, from: 200ms, to: 5s, budget: 4 }\n       |                  ^^^^^^"},
		{"dead-letter: {", "dead-leter: {", "stacks[0].layers[0].dead-leter: unknown layer (did you mean dead-letter?)"},
		{"dedup-store: {", "hedging: {", "stacks[0].layers[3].hedging: unknown layer (known: dead-letter, dedup-store, "},
		{"- retry: {", "- { dead-letter: {}, retry: {} }\n      - retry: {", "stacks[0].layers[1]: 2 kinds in one entry of the list; want one, such as { retry: {} }"},
		{"budget: 4", "budget: 1001", "stacks[0].layers[1].retry.budget: 1001 tries; at most 1000"},
		{"from: 200ms", "from: 6s", "stacks[0].layers[1].retry.to: 5s is shorter than from, 6s"},
		{"backoff: exponential", "backoff: none", "stacks[0].layers[1].retry.backoff: none has no delays; leave out from and to, or use exponential"},
		{"from: [event, stage]", "from: [event, event]", "stacks[0].layers[2].idempotency-key.from[1]: event is there already"},
		{"from: [event, stage]", "from: []", "stacks[0].layers[2].idempotency-key.from: empty; want [event, stage]"},
		{"      - dead-letter: { topic: invoices.dead }\n", "      - retry: {}\n      - dead-letter:\n", "stacks[0].layers[1].dead-letter: stands inside retry"},
		{"zipf(100, 1.1)", "zipf(0, 1.1)", "workload.keys: 0 keys; at least 1"},
		{"keys: \"zipf(100, 1.1)\"", "keys: zipf(100, 1.1)", "inside { } put the value in quotes"},
		{"calls: mail", "calls: mial", "flow[4].calls: unknown service \"mial\" (did you mean mail?)"},
		{"  members: 3", "  members: 3\n  members: 4", "consumers.members: duplicate field; the first is in line 25"},
		{"name: everything\n", "", "name: missing; want for example name: payments"},
		{"event: invoice", "event: &x invoice", "anchors (&) are not allowed"},
		{"event: invoice", "event: *x", "aliases (*) are not allowed"},
		{"event: invoice", "<<: { a: 1 }", "merge keys (<<) are not allowed"},
		{"event: invoice", "event: !!str invoice", "tags (!) are not allowed"},
		{"event: invoice", "event: invoice\nevents: 1", "events: unknown field (did you mean event?)"},
		{"event: invoice", "event:\n\t- x", "x.yaml:5:"},
		{"event: invoice", "event: \"\\e[31m\"", "is not a name"},
		{"why: Every", "why: \"\\e[31m\" # ", "why: has control characters"},
		{"kind: log", "kind: log\n  nodes: 10", "broker.nodes: 10 brokers; at most 9"},
		{"kind: log", "kind: log\n  truncation: sometimes", "unknown truncation \"sometimes\""},
		{"kind: log", "kind: log\n  defects: [ nobodys ]", "unknown defects \"nobodys\""},
		{"partitions: 1 }", "partitions: 1, replication: 1, min_insync: 2 }", `broker.topics."invoices.dead".min_insync: 2 replicas in sync of 1 copies`},
		{"40.5", "40.555", "flow[2].amount: \"40.555\" has 3 decimals; at most 2"},
		{"40.5", "-1", "flow[2].amount: want a decimal number"},
		{"effect: state", "effect: notify", "an effect of class notify needs a service of kind notification"},
		{"effect: notify }", "effect: critical }", "its effects are of class notify, not critical"},
		{"idempotency_keys: offered, fencing: offered, keep_keys: 48h", "idempotency_keys: none", "set downstreams.payments.idempotency_keys: offered, or use the layer { dedup-store: { variant: durable } }"},
		{"keep: 24h", "keep: 72h", "stacks[0].layers[2].idempotency-key.keep: longer than payments keeps keys, 48h"},
		{"mail: { kind: notification", "mail: { kind: notification, fencing: offered", "a service of kind notification cannot refuse an earlier owner"},
		{"ledger: { kind: database", "ledger: { kind: database, idempotency_keys: offered", "a service of kind database takes no keys"},
		{"engine: commit-after", "engine: commit-before", "use engine: commit-after"},
		{"      - retry: { backoff: exponential, from: 200ms, to: 5s, budget: 4 }\n", "", "parks events that were tried in vain, but nothing tries again"},
		{"topic: invoices.dead }", "topic: invoices }", "parked events would come back at once"},
		{"retries: false", "retries: true", "with acks: 0 the producer hears no answer"},
		{"- name: bare", "- name: full", "stacks[1].name: a stack \"full\" exists already"},
		{"chaos: 2m", "chaos: 59s", "phases.chaos: 59s; at least ten session timeouts, 1m"},
		{"drain: 3h", "drain: 5m", "it may only be lengthened"},
		{"stack: full,", "stack: fall,", "expect[0].stack: unknown stack \"fall\" (did you mean full?)"},
		{"pause: \"<= 1m\"", "pause: \"<= 3\"", "stacks[0].envelope.pause: duration \"3\""},
		{"faults: \"<= 2\"", "faults: \"<= 2m\"", "stacks[0].envelope.faults: want a whole number"},
		{"heartbeat: 1s", "heartbeat: 6s", "is not shorter than the session timeout"},
		{"topic: invoices, keys", "keys", "workload.topic: missing: the broker has 2 topics"},
		{"ledger: { kind", "broker: { kind", "downstreams.broker: broker is a role"},
	} {
		src := strings.Replace(everything, c.from, c.to, 1)
		if src == everything {
			t.Fatalf("no place for %q", c.from)
		}
		_, err := Decode("x.yaml", []byte(src))
		if err == nil {
			t.Errorf("%q is accepted", c.to)
		} else if !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q:\n%v\nwant %s", c.to, err, c.want)
		}
	}
}

func TestDecodeReportsAllAtOnce(t *testing.T) {
	src := everything
	for _, edit := range wrongFiles()[4:10] {
		src = strings.Replace(src, edit[0], edit[1], 1)
	}
	_, err := Decode("x.yaml", []byte(src))
	ps, ok := errors.AsType[Problems](err)
	if !ok || len(ps) < 4 {
		t.Fatalf("%v", err)
	}
	for i := 1; i < len(ps); i++ {
		if ps[i].Line < ps[i-1].Line {
			t.Errorf("line %d after line %d", ps[i].Line, ps[i-1].Line)
		}
	}
}

func TestDecodePrintsAtMostFifty(t *testing.T) {
	var src strings.Builder
	for i := range 120 {
		src.WriteString("x" + strings.Repeat("y", i+5) + ": 1\n")
	}
	_, err := Decode("x.yaml", []byte(src.String()))
	ps, _ := errors.AsType[Problems](err)
	if len(ps) < 120 || strings.Count(err.Error(), "^\n") > 50 || !strings.Contains(err.Error(), "more problems") {
		t.Errorf("%d problems:\n%v", len(ps), err)
	}
}

// hostile are inputs that a parser could choke on.
func hostile() map[string]string {
	n := 1 << 20
	bomb := "a: &a [x, x, x, x, x, x, x, x, x]\n"
	for c := byte('b'); c < 'j'; c++ {
		p := string(c - 1)
		bomb += string(c) + ": &" + string(c) + " [" + strings.Repeat("*"+p+", ", 9) + "]\n"
	}
	return map[string]string{
		"empty": "", "spaces": "  \n\n", "comment": "# nothing\n", "separator": "---\n", "null": "null\n",
		"scalar": "hello\n", "list": "- a\n", "nul": "a: \x00\n", "invalid utf-8": "a: \xff\xfe\n", "elf": "\x7fELF\x02\x01\x01",
		"two documents": minimal + "---\n" + minimal, "bomb": bomb, "complex key": "? [a]\n: b\n", "directive": "%YAML 1.2\n---\na: 1\n",
		"3 MB of brackets": strings.Repeat("[", 3*n), "brackets": strings.Repeat("[", n-1), "some brackets": strings.Repeat("[", 90_000),
		"braces": strings.Repeat("{a: ", 30_000), "dashes": strings.Repeat("- ", 50_000), "marks": strings.Repeat("? ", 50_000),
		"false closes": strings.Repeat("['", 1) + strings.Repeat("]", 999) + "'" + strings.Repeat(",[", 2000),
		"plain":        strings.Repeat("a", n), "words": "a: " + strings.Repeat("b ", n/2-2), "quoted": "\"" + strings.Repeat("a\n", 4_900),
		"blank literal": "a: |\n" + strings.Repeat("\n", 4_900), "literal": "a: |\n" + strings.Repeat("  a\n", 4_900),
		"lines": strings.Repeat("a: 1\n", 200_000), "keys": strings.Repeat("a: 1\n", 4_900), "spaces wide": strings.Repeat(" ", n-10) + "a: 1",
		"wide flow": "{" + strings.Repeat("a: 1, ", 30_000) + "}", "comments": strings.Repeat("a: 1 # x\n", 4_900), "escape": "a: \"" + strings.Repeat("\\x41", n/5) + "\"",
		"tags": strings.Repeat("! ", 50_000), "stars": strings.Repeat("* ", 50_000), "hashes": strings.Repeat("#", n-1), "mixed": strings.Repeat("- a:\n", 4_900),
		"stairs": stairs(60), "long literal": "a: |\n" + strings.Repeat("  "+strings.Repeat("x", 200)+"\n", 4_900), "flow": "{" + strings.Repeat("a: 1, ", 13_000) + "}",
		"long folded": "a: >\n" + strings.Repeat("  "+strings.Repeat("x", 200)+"\n", 4_900), "long plain": "a:\n" + strings.Repeat("  "+strings.Repeat("x", 200)+"\n", 4_900),
		"long list": "[" + strings.Repeat("1, ", 19_000) + "]", "long quoted": "a: '" + strings.Repeat(strings.Repeat("x", 200)+"\n", 4_900) + "'", "number": "version: " + strings.Repeat("9", 100_000), "cr": strings.Repeat("a: 1\r", 100),
	}
}

func stairs(n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(strings.Repeat(" ", i) + "a:\n")
	}
	return b.String()
}

func TestDecodeHostile(t *testing.T) {
	alone(t)
	inputs := hostile()
	for _, name := range SortedKeys(inputs) {
		start := time.Now()
		_, err := Decode("x.yaml", []byte(inputs[name]))
		if err == nil {
			t.Errorf("%s is accepted", name)
			continue
		}
		if ps, ok := errors.AsType[Problems](err); !ok || len(ps) == 0 {
			t.Errorf("%s: %T", name, err)
		}
		if len(err.Error()) > 100_000 {
			t.Errorf("%s: a message of %d bytes", name, len(err.Error()))
		}
		if d := time.Since(start); d > 5*time.Second {
			t.Errorf("%s takes %v", name, d)
		} else if d > time.Second/2 {
			t.Logf("%s takes %v", name, d)
		}
	}
}

func TestDecodeAcceptsWindowsAndBOM(t *testing.T) {
	src := "\ufeff# comment\n" + everything
	a, err := Decode("x.yaml", []byte(src))
	if err != nil {
		t.Fatal(err)
	}
	b, err := Decode("x.yaml", []byte(strings.ReplaceAll(src, "\n", "\r\n")))
	if err != nil || a.Hash() != b.Hash() {
		t.Errorf("%v", err)
	}
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte(minimal))
	f.Add([]byte(everything))
	for _, edit := range wrongFiles() {
		f.Add([]byte(strings.Replace(everything, edit[0], edit[1], 1)))
	}
	f.Fuzz(func(t *testing.T, src []byte) {
		s, err := Decode("x.yaml", src)
		if err != nil {
			_ = err.Error()
			return
		}
		roundTrip(t, s)
	})
}

func TestLibraryLoad(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "mine.yaml")
	if err := os.WriteFile(file, []byte(minimal), 0o644); err != nil {
		t.Fatal(err)
	}
	large := filepath.Join(dir, "large.yaml")
	if err := os.WriteFile(large, make([]byte, 2<<20), 0o644); err != nil {
		t.Fatal(err)
	}
	if s, err := Load(file); err != nil || s.Name != "minimal" {
		t.Errorf("%v", err)
	}
	if s, err := load("-", strings.NewReader(minimal)); err != nil || s.Name != "minimal" {
		t.Errorf("%v", err)
	}
	for path, want := range map[string]string{
		dir: "a directory", large: "larger than 1048576 bytes", filepath.Join(dir, "none.yaml"): "no such file",
		"paymets": "did you mean payments?", os.DevNull: "not a regular file",
	} {
		if _, err := Load(path); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v; want %s", path, err, want)
		}
	}
	if _, err := load("-", strings.NewReader(strings.Repeat("a", 2<<20))); err == nil {
		t.Error("a large standard input is accepted")
	}
}

func TestLibraryNamesAreThoseOfTheFiles(t *testing.T) {
	for i, e := range Library() {
		if e.Name != LibraryNames()[i] || e.Why == "" {
			t.Errorf("%+v", e)
		}
	}
}
