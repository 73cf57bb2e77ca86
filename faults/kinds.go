package faults

import "github.com/twiceless/twiceless/sim/history"

// verb is one row of the engine's table: what a plan line with it says, and what the injector does.
type verb struct {
	name    string
	doc     string
	target  targetKind
	single  bool   // exactly one target
	from    bool   // takes "from"
	by      byKind // takes "by", and what follows it
	rolls   bool   // takes "grace" and "pause"
	drained bool   // its trigger is "after drain", and it is the only one
	lasts   bool   // takes "for" or "until heal"; it must have one of them
	loads   []history.Dimension
	apply   func(*shot) string // begins the fault, or says why it cannot; called when the trigger fires
	lift    func(*shot)        // ends it, whatever has become of its targets since; nil if it does not last
}

// targetKind says what the targets of a verb name.
type targetKind uint8

const (
	targetNodes targetKind = iota
	targetRole
	targetService
	targetGroup
	targetMessage
)

// byKind says what follows "by".
type byKind uint8

const (
	noBy     byKind = iota
	byOffset        // a duration, backwards if negative
	byDelay         // a duration above 0
	byLoss          // a percentage
)

// message is the one target of a verb about the message that meets the hook of the trigger.
const message = "$message"

// targetTable names the target kinds in messages.
var targetTable = [...]string{"node or role", "role", "service", "group", "message"}

// verbs is the table, sorted by name. It is a function because its rows lead back to it through the parser.
func verbs() []verb {
	return []verb{
		{name: "deploy", doc: "each target in turn is asked to stop, killed after its grace, and boots as the new version; the next follows when it is up, or a pause later", rolls: true, apply: applyDeploy},
		{name: "drop-inbound", doc: "the first side hears nothing from the second, which hears it, and nobody is told", from: true, lasts: true, loads: []history.Dimension{history.Outage}, apply: applyDropInbound, lift: liftPartition},
		{name: "hold", doc: "the message at the hook is under way for this much longer: what is sent later overtakes it, and it arrives whether or not anybody still waits", target: targetMessage, single: true, by: byDelay, loads: []history.Dimension{history.Delay}, apply: applyHold},
		{name: "join", doc: "one more member of a role boots, and leaves gracefully at the end", target: targetRole, single: true, lasts: true, apply: applyJoin, lift: liftJoin},
		{name: "jump", doc: "the wall clock steps by this much, backwards if negative, and is stepped right again at the end; other clocks go on", by: byOffset, lasts: true, loads: []history.Dimension{history.ClockSkew}, apply: applyJump, lift: liftJump},
		{name: "kill", doc: "the process ends; it boots from its disk at the end", lasts: true, loads: []history.Dimension{history.Outage}, apply: applyKill, lift: liftStopped},
		{name: "lose", doc: "the message at the hook never arrives", target: targetMessage, single: true, apply: applyLose},
		{name: "lose-reply", doc: "the next reply of an effect op never arrives", target: targetService, single: true, apply: applyLoseReply},
		{name: "lossy", doc: "each packet between the two sides gets lost with this probability, each way: connections lose no message by that, but time, and then room", from: true, by: byLoss, lasts: true, apply: applyLossy, lift: liftLossy},
		{name: "partition", doc: "the two sides do not hear each other, and nobody is told", from: true, lasts: true, loads: []history.Dimension{history.Outage}, apply: applyPartition, lift: liftPartition},
		{name: "pause", doc: "nothing runs, time passes, nobody is told", lasts: true, loads: []history.Dimension{history.Pause}, apply: applyPause, lift: liftPause},
		{name: "power-loss", doc: "the machine ends: what was not fsynced is lost, peers meet silence; it boots at the end", lasts: true, loads: []history.Dimension{history.Outage, history.PowerLoss}, apply: applyPowerLoss, lift: liftStopped},
		{name: "refuse", doc: "the services refuse every call", target: targetService, lasts: true, loads: []history.Dimension{history.Outage}, apply: applyRefuse, lift: liftRefuse},
		{name: "replay", doc: "an operator stops the group, resets its positions to the earliest retained offsets and starts it again", target: targetGroup, single: true, drained: true, loads: []history.Dimension{history.RedeliveryHorizon}, apply: applyReplay},
		{name: "skew", doc: "the wall clock is off by this much, backwards if negative", by: byOffset, lasts: true, loads: []history.Dimension{history.ClockSkew}, apply: applySkew, lift: liftSkew},
		{name: "slow", doc: "what the first side hears from the second takes this much longer, in order; the other way is as fast as ever", from: true, by: byDelay, lasts: true, loads: []history.Dimension{history.Delay}, apply: applySlow, lift: liftSlow},
	}
}

// verbByName finds a row.
func verbByName(name string) (verb, bool) {
	for _, v := range verbs() {
		if v.name == name {
			return v, true
		}
	}
	return verb{}, false
}

// load says whether a verb loads a dimension of envelopes.
func (v verb) load(d history.Dimension) bool {
	for _, l := range v.loads {
		if l == d {
			return true
		}
	}
	return false
}

// Verb describes one verb for people and for tables of reports.
type Verb struct {
	Name  string
	Doc   string
	When  string // pattern of the trigger that it usually has
	Usage string // pattern of a plan line after that
}

// Verbs lists the verbs, sorted by name.
func Verbs() []Verb {
	var out []Verb
	for _, v := range verbs() {
		out = append(out, Verb{v.name, v.doc, v.when(), v.usage()})
	}
	return out
}

// when is the pattern of the trigger with which the verb is mostly used; but for replay and the verbs about messages, it
// may as well be at a hook.
func (v verb) when() string {
	switch {
	case v.drained:
		return "after drain DURATION"
	case v.target == targetMessage:
		return "when SERVICE.OP/(sent | replied){event=EVENT} #N"
	}
	return "at TIME"
}

// usage is the pattern of a line with this verb.
func (v verb) usage() string {
	what := [...]string{"NODE", "ROLE", "SERVICE", "GROUP", message}[v.target]
	s := v.name + " " + what
	if !v.single {
		s += "[,…]"
	}
	if v.from {
		s += " from NODE[,…]"
	}
	s += [...]string{"", " by DURATION", " by DURATION", " by PERCENT"}[v.by]
	if v.rolls {
		s += " [grace DURATION] [pause DURATION]"
	}
	if v.lasts {
		s += " (for DURATION | until heal)"
	}
	return s
}
