package faults

import (
	"errors"
	"flag"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/twiceless/twiceless/sim/history"
)

var update = flag.Bool("update", false, "write the golden files anew")

// canonical lines: each prints as it is written.
var canonical = []string{
	"at 0s join consumer for 10s",
	"at 12.5s kill consumer-2 for 1s",
	"when payments.charge/applied{event=order-117} #1 kill $caller for 1s",
	"when payments.charge/applied{event=order-117,stage=charge} #3 kill $caller,$node until heal",
	"when group/revoked{role=consumer} #2 pause $node for 1m",
	"when consumer.disk.fsync/done{role=consumer} #2 power-loss $node for 5s",
	"at 10s pause consumer-2 for 1m",
	"at 10s partition consumer-2 from broker for 20s",
	"at 10s partition consumer-2,consumer-1 from broker-1,$leader(orders/0) until heal",
	"at 10s skew consumer-2 by 400ms until heal",
	"at 10s skew consumer-2 by -1.5s for 250µs",
	"at 10s join consumer for 10s",
	"at 10s lose-reply payments",
	"at 10s refuse payments,notifier for 10m",
	"at 3s power-loss broker-1 for 5s",
	"at 3s kill $leader(orders.dlq/3) for 5s",
	"at 10s drop-inbound consumer-2 from broker for 20s",
	"when payments.charge/sent{event=order-117} #1 drop-inbound broker-1,broker-2 from $caller until heal",
	"at 10s jump payments-1 by 1h until heal",
	"at 10s jump consumer,broker-1 by -30m for 5s",
	"at 10s deploy consumer grace 5s",
	"at 10s deploy consumer-2,consumer-1 grace 250ms pause 10s",
	"when broker.fetch/sent{role=consumer} #9 deploy $caller grace 24h pause 1ns",
	"after drain 26h replay workers",
	"after drain 0s replay workers",
	"when broker.produce/sent{event=order-5} #1 hold $message by 1m10s",
	"when broker.fetch/replied{role=broker} #4 hold $message by 1ns",
	"when payments.charge/replied{event=order-5,stage=charge} #2 lose $message",
	"at 12s slow broker-2,controller-1 from broker-1,broker-3 by 40s for 1m",
	"at 12s lossy producer-1 from broker by 10% for 1m",
	"at 12s lossy producer-1,broker-1 from broker-2 by 0.0001% until heal",
	"when group/revoked{role=consumer} #2 lossy broker from $node by 12.25% for 1s",
	"at 12s lossy producer-1 from broker by 100% for 1m",
	"when group/revoked{role=consumer} #2 slow broker from $node by 1s until heal",
}

func TestCanonicalText(t *testing.T) {
	for _, line := range canonical {
		f, err := Parse(line)
		require.NoError(t, err, line)
		require.Equal(t, line, f.String())
		require.NoError(t, f.Validate(), line)
	}
	f, err := Parse("  at 60s   kill  consumer-2 for 1000ms ")
	require.NoError(t, err)
	require.Equal(t, Fault{Trigger: Trigger{At: 60 * second}, Verb: "kill", Targets: []string{"consumer-2"}, For: second}, f)
	f, err = Parse("when payments.charge/replied{event=order-117} lose-reply payments")
	require.NoError(t, err)
	require.Equal(t, "when payments.charge/replied{event=order-117} #1 lose-reply payments", f.String(), "#1 may be left out")
	f, err = Parse("at 10s deploy consumer pause 10s")
	require.NoError(t, err)
	require.Equal(t, "at 10s deploy consumer grace 5s pause 10s", f.String(), "so may the usual grace")
}

// TestParseErrors reads every line of the script alone and compares what is said about it.
func TestParseErrors(t *testing.T) {
	script, err := os.ReadFile("testdata/errors.txt")
	require.NoError(t, err)
	var got strings.Builder
	for line := range strings.Lines(string(script)) {
		line = strings.TrimSuffix(line, "\n")
		if line == "" || line[0] == '#' || line[0] == '!' {
			if !strings.HasPrefix(line, "!") {
				got.WriteString(line + "\n")
			}
			continue
		}
		_, err := Parse(line[1:])
		require.Error(t, err, line)
		var e *ParseError
		require.ErrorAs(t, err, &e)
		got.WriteString(line + "\n! " + err.Error() + "\n")
	}
	if *update {
		require.NoError(t, os.WriteFile("testdata/errors.txt", []byte(got.String()), 0o644))
	}
	require.Equal(t, string(script), got.String(), "go test ./faults -run TestParseErrors -update")
}

func TestParseLinesNamesEveryProblem(t *testing.T) {
	_, err := ParseLines([]string{"at 1s kil consumer-1 for 1s", canonical[0], "at x kill consumer-1 for 1s"})
	var p Problems
	require.True(t, errors.As(err, &p))
	require.Len(t, p, 2)
	require.Equal(t, []int{1, 3}, []int{p[0].Line, p[1].Line})
	require.Contains(t, err.Error(), "line 1, column 7: unknown verb \"kil\"; did you mean kill?\nline 3, column 4: ")

	_, err = ParseLines(make([]string, MaxFaults+1))
	require.ErrorContains(t, err, "1001 faults, more than 1000")
	_, err = Parse("at 1s kill " + strings.Repeat("a", MaxLine))
	require.ErrorContains(t, err, "more than 1024")
	long := "at 1s kill " + strings.Repeat("b", 100)
	for i := 0; len(long) < MaxLine-10; i++ {
		long += ",n" + strconv.Itoa(i)
	}
	long += strings.Repeat("x", MaxLine-len(long)-len(" for 1d")) + " for 1d"
	_, err = Parse(long)
	require.ErrorContains(t, err, "canonical text has more than", "1d prints as 24h")
}

func TestPlanTypesStayApart(t *testing.T) {
	lines := []string{canonical[1], canonical[2]}
	_, err := ParseMeasuring("consumer-kill", lines)
	require.ErrorContains(t, err, "line 2, column 1: a measuring plan has times only")
	h, err := ParseHunting(lines)
	require.NoError(t, err)
	require.Equal(t, lines, h.Lines())
	m, err := ParseMeasuring("consumer-kill", lines[:1])
	require.NoError(t, err)
	require.Equal(t, lines[:1], m.Lines())
	require.Equal(t, lines[0], m.Faults[0].String())
	require.True(t, m.Plan()[0].Trigger.Timed())
}

func TestValidateRefusesWhatTheTextCannotSay(t *testing.T) {
	good, err := Parse(canonical[1])
	require.NoError(t, err)
	for name, spoil := range map[string]func(f *Fault){
		"verb":     func(f *Fault) { f.Verb = "maim" },
		"targets":  func(f *Fault) { f.Targets = nil },
		"comma":    func(f *Fault) { f.Targets = []string{"consumer-1,consumer-2"} },
		"space":    func(f *Fault) { f.Targets = []string{"consumer-1 for 2s"} },
		"from":     func(f *Fault) { f.From = []string{"broker"} },
		"by":       func(f *Fault) { f.By = 1 },
		"grace":    func(f *Fault) { f.Grace = second },
		"pause":    func(f *Fault) { f.Pause = second },
		"no grace": func(f *Fault) { f.Verb, f.For = "deploy", 0 },
		"no end":   func(f *Fault) { f.For = 0 },
		"two ends": func(f *Fault) { f.UntilHeal = true },
		"negative": func(f *Fault) { f.For = -second },
		"early":    func(f *Fault) { f.Trigger.At = -1 },
		"late":     func(f *Fault) { f.Trigger.At = MaxTime + 1 },
		"drained":  func(f *Fault) { f.Trigger.Drained = true },
		"event":    func(f *Fault) { f.Trigger.Event = "order-1" },
		"unkeyed":  func(f *Fault) { f.Trigger = Trigger{Hook: "group/revoked", Nth: 1} },
		"hit 0":    func(f *Fault) { f.Trigger = Trigger{Hook: "group/revoked", Role: "consumer"} },
	} {
		f := good
		spoil(&f)
		require.Error(t, f.Validate(), name)
	}
}

func TestCheck(t *testing.T) {
	voc := Vocabulary{ServiceOps: []string{"payments.charge"}, Roles: []string{"consumer", "broker", "payments"}, Services: []string{"payments", "notifier"}, Topics: []string{"orders"}, Groups: []string{"workers"}}
	for line, want := range map[string]string{
		canonical[1]:                 "",
		canonical[2]:                 "",
		canonical[4]:                 "",
		canonical[5]:                 "",
		canonical[13]:                "",
		"at 1s kill consumer for 1s": "",
		"when payments.charge/sent{event=order-1} #1 hold $message by 1s":        "",
		"when payments.refund/sent{event=order-1} #1 lose $message":              `is no operation of this scenario`,
		"at 1s slow consumer from brokr-1 by 1s for 1s":                          `unknown node or role "brokr-1"`,
		"at 1s kill $leader(order/1) for 1s":                                     `unknown topic "order"; did you mean orders?`,
		"at 1s kill consumr-1 for 1s":                                            `unknown node or role "consumr-1"`,
		"at 1s join gardener for 1s":                                             `unknown role "gardener"; there are: consumer, broker, payments`,
		canonical[16]:                                                            "",
		"after drain 26h replay orders":                                          `unknown group "orders"; did you mean workers?`,
		"at 1s lose-reply payment":                                               `unknown service "payment"; did you mean payments?`,
		"at 1s partition consumer-1 from brokr for 1s":                           `unknown node or role "brokr"; did you mean broker?`,
		"when payments.refund/sent{event=order-1} #1 kill $caller for 1s":        `is no operation of this scenario`,
		"when payments.charge/done{event=order-1} #1 kill $caller for 1s":        `an RPC has the steps`,
		"when group/revoked{role=member} #1 kill $caller for 1s":                 `unknown role "member"; there are: consumer, broker, payments; $caller: the hook group/revoked is no call`,
		"when broker.disk.fsync/started{event=order-1} #1 kill $caller for 1s":   `$caller: the hook`,
		"when broker.disk.fsync/started{event=order-1} #1 kill $node until heal": "",
	} {
		f, err := Parse(line)
		require.NoError(t, err, line)
		err = Check(f, voc)
		if want == "" {
			require.NoError(t, err, line)
		} else {
			require.ErrorContains(t, err, want, line)
		}
	}
}

func TestEveryFaultKindHasItsVerb(t *testing.T) {
	names := verbList()
	require.IsIncreasing(t, names)
	for _, k := range history.FaultKinds() {
		if k.Verb == "" {
			require.Equal(t, "none", k.Name)
			continue
		}
		v, ok := verbByName(k.Verb)
		require.True(t, ok, "fault kind %s has the verb %s", k.Name, k.Verb)
		require.NotNil(t, v.apply)
		require.Equal(t, v.lasts, k.For > 0 || k.UntilHeal, k.Name)
		require.Equal(t, v.lasts, v.lift != nil, k.Name)
		require.Equal(t, v.by != noBy, k.By != 0, k.Name)
		require.Equal(t, v.rolls, k.Grace != 0, k.Name)
		require.Equal(t, v.drained, k.After > 0, k.Name)
		if k.Dimension != "" {
			require.True(t, v.load(k.Dimension), "%s loads %s", k.Verb, k.Dimension)
		}
	}
	for _, v := range Verbs() {
		require.NotEmpty(t, v.Doc)
		require.True(t, strings.HasPrefix(v.Usage, v.Name+" "))
	}
}

func name(t *rapid.T, what string) string {
	return rapid.StringMatching(`[a-z][a-z0-9]{0,8}(-[1-9])?`).Filter(func(s string) bool { return !strings.Contains(keywordSet, " "+s+" ") }).Draw(t, what)
}

// drawFault draws a valid fault of any verb.
func drawFault(t *rapid.T) Fault {
	v := rapid.SampledFrom(verbs()).Draw(t, "verb")
	f := Fault{Verb: v.name}
	about := v.target == targetMessage
	if f.Trigger.Drained = v.drained; v.drained || !about && rapid.Bool().Draw(t, "timed") {
		f.Trigger.At = rapid.Int64Range(0, MaxTime).Draw(t, "at")
	} else {
		step := name(t, "step")
		if about {
			step = rapid.SampledFrom([]string{"sent", "replied"}).Draw(t, "step of a message")
		}
		f.Trigger = Trigger{Hook: name(t, "service") + "." + name(t, "op") + "/" + step, Nth: rapid.IntRange(1, MaxHit).Draw(t, "nth")}
		if rapid.Bool().Draw(t, "by event") {
			f.Trigger.Event = name(t, "event")
			if rapid.Bool().Draw(t, "by stage") {
				f.Trigger.Stage = name(t, "stage")
			}
		} else {
			f.Trigger.Role = name(t, "role")
		}
	}
	target := func(t *rapid.T) string {
		if v.target != targetNodes || rapid.Bool().Draw(t, "plain") {
			return name(t, "target")
		}
		options := []string{"$leader(" + name(t, "topic") + "/" + strconv.Itoa(rapid.IntRange(0, 1<<20).Draw(t, "partition")) + ")"}
		if !f.Trigger.Timed() {
			options = append(options, "$node", "$caller")
		}
		return rapid.SampledFrom(options).Draw(t, "bound")
	}
	most := 4
	if v.single {
		most = 1
	}
	list := func(most int) []string {
		return rapid.SliceOfNDistinct(rapid.Custom(target), 1, most, rapid.ID[string]).Draw(t, "list")
	}
	if about {
		f.Targets = []string{message}
	} else {
		f.Targets = list(most)
	}
	if v.from {
		f.From = list(4)
	}
	if v.by != noBy {
		f.By = rapid.Int64Range(1, MaxSkew).Draw(t, "by")
	}
	if v.by == byLoss {
		f.By = rapid.Int64Range(1, percentage).Draw(t, "loss")
	}
	if v.by == byOffset && rapid.Bool().Draw(t, "backwards") {
		f.By = -f.By
	}
	if v.rolls {
		f.Grace = rapid.Int64Range(1, MaxGrace).Draw(t, "grace")
		f.Pause = rapid.Int64Range(0, MaxGrace).Draw(t, "pause")
	}
	if v.lasts {
		if f.UntilHeal = rapid.Bool().Draw(t, "until heal"); !f.UntilHeal {
			f.For = rapid.Int64Range(1, MaxTime).Draw(t, "for")
		}
	}
	return f
}

func TestPrintParse(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := drawFault(t)
		g, err := Parse(f.String())
		require.NoError(t, err)
		require.Equal(t, f, g)
		require.NoError(t, f.Validate())
	})
}

func FuzzPlan(f *testing.F) {
	for _, line := range canonical {
		f.Add(line)
	}
	script, err := os.ReadFile("testdata/errors.txt")
	require.NoError(f, err)
	for line := range strings.Lines(string(script)) {
		f.Add(strings.TrimSuffix(line, "\n")[min(1, len(line)-1):])
	}
	f.Fuzz(func(t *testing.T, line string) {
		fault, err := Parse(line)
		if err != nil {
			var e *ParseError
			if !errors.As(err, &e) || e.Column < 1 || e.Column > MaxLine+1 {
				t.Fatalf("%q: %v", line, err)
			}
			return
		}
		again, err := Parse(fault.String())
		if err != nil || !again.Equal(fault) || again.String() != fault.String() {
			t.Fatalf("%q prints as %q, which reads as %q: %v", line, fault.String(), again.String(), err)
		}
	})
}
