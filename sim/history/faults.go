package history

// FaultKind is one row of the table of fault kinds: the columns of a comparison. The engine behind a kind lives
// in package faults; the name, the defaults and the dimension it loads live here, where reports read them too.
type FaultKind struct {
	Name      string    // kebab-case, in rows and files
	Title     string    // what people say
	Doc       string    // the real incident it models
	Verb      string    // the verb of its plan lines
	Target    string    // role, or @broker, @any, @effect, @effects, @group, @workers, @primary
	For       int64     // default duration, ns; 0 = instantaneous or until heal
	By        int64     // default size (clock-skew, clock-jump), ns
	Grace     int64     // default grace period (deploy), ns; 0 = not taken
	UntilHeal bool      //
	After     int64     // ns from the end of the drain; 0 = at a moment of the chaos phase
	Default   bool      // among the columns of a default comparison
	Dimension Dimension // what an envelope bounds; "" = only the number of faults
}

const second = 1_000_000_000

// faultTable is the closed list of fault kinds, sorted by the order of the columns.
var faultTable = []FaultKind{
	{Name: "none", Title: "none", Doc: "control: no fault"},
	{Name: "consumer-kill", Title: "consumer kill", Doc: "a consumer process dies (out of memory, kill -9) and is restarted", Verb: "kill", Target: "consumer", For: second, Default: true, Dimension: Outage},
	{Name: "broker-kill", Title: "broker kill", Doc: "the broker process that leads a drawn partition dies and is restarted; its page cache survives", Verb: "kill", Target: "@broker", For: 5 * second, Default: true, Dimension: Outage},
	{Name: "partition", Title: "partition 20 s", Doc: "one consumer and all brokers do not hear each other; nobody is told", Verb: "partition", Target: "consumer", For: 20 * second, Default: true, Dimension: Outage},
	{Name: "pause", Title: "pause 60 s", Doc: "a consumer stands still (GC, VM migration, throttled container) and resumes without knowing", Verb: "pause", Target: "consumer", For: 60 * second, Default: true, Dimension: Pause},
	{Name: "clock-skew", Title: "clock skew", Doc: "one node's wall clock runs ahead until the heal", Verb: "skew", Target: "@any", By: 400_000_000, UntilHeal: true, Default: true, Dimension: ClockSkew},
	{Name: "rebalance", Title: "rebalance", Doc: "autoscaling: one more member joins the group and leaves again", Verb: "join", Target: "@group", For: 10 * second, Default: true},
	{Name: "reply-lost", Title: "reply lost", Doc: "an effect service applies a call and its reply never arrives", Verb: "lose-reply", Target: "@effect", Default: true},
	{Name: "downstream-outage", Title: "outage 10 min", Doc: "every effect service refuses every call", Verb: "refuse", Target: "@effects", For: 600 * second, Default: true, Dimension: Outage},
	{Name: "late-replay", Title: "late replay", Doc: "26 h after the work is done an operator stops the group, resets it to the earliest retained offset and starts it again", Verb: "replay", Target: "@workers", After: 26 * 3600 * second, Default: true, Dimension: RedeliveryHorizon},
	{Name: "power-loss", Title: "power loss", Doc: "a broker loses power: what it had not fsynced is gone, peers meet silence", Verb: "power-loss", Target: "@broker", For: 5 * second, Dimension: PowerLoss},
	{Name: "partition-one-way", Title: "one-way 20 s", Doc: "one consumer hears nothing from the brokers, which still hear it (a firewall rule, a lost route back); nobody is told", Verb: "drop-inbound", Target: "consumer", For: 20 * second, Dimension: Outage},
	{Name: "clock-jump", Title: "clock jump 1 h", Doc: "one node's wall clock steps ahead by an hour at once (a bad time source, a restored snapshot) and NTP steps it back at the heal", Verb: "jump", Target: "@any", By: 3600 * second, UntilHeal: true, Dimension: ClockSkew},
	{Name: "deploy", Title: "deploy", Doc: "rolling deploy: each consumer in turn is asked to stop, is killed when its grace is over, and boots as the new version", Verb: "deploy", Target: "@group", Grace: 5 * second},
	{Name: "dedup-down", Title: "dedup down 30 s", Doc: "the process of the dedup store dies and stays away; stacks without a store have nothing to lose", Verb: "kill", Target: "dedup", For: 30 * second, Dimension: Outage},
	{Name: "dedup-failover", Title: "dedup fail-over", Doc: "the primary of a replicated dedup store dies and stays away for longer than it takes to promote its replica; stacks without replicas have none to lose", Verb: "kill", Target: "@primary", For: 60 * second, Dimension: Outage},
}

// FaultKinds returns the table of fault kinds in column order.
func FaultKinds() []FaultKind { return append([]FaultKind(nil), faultTable...) }

// FaultKindByName finds a row; ok is false when there is none.
func FaultKindByName(name string) (FaultKind, bool) {
	for _, k := range faultTable {
		if k.Name == name {
			return k, true
		}
	}
	return FaultKind{}, false
}

// Dimension is what an envelope bounds.
type Dimension string

// The dimensions. Bounds of ClockSkew, Delay, Pause, Outage and RedeliveryHorizon are durations; PowerLoss bounds the
// number of brokers without power at once; Faults bounds the number of faults in a run.
const (
	ClockSkew         Dimension = "clock-skew"
	Delay             Dimension = "delay"
	Pause             Dimension = "pause"
	Outage            Dimension = "outage"
	RedeliveryHorizon Dimension = "redelivery-horizon"
	PowerLoss         Dimension = "power-loss"
	FaultCount        Dimension = "faults"
)

// Dimensions lists the closed table of envelope dimensions with the unit of their bounds.
func Dimensions() []struct {
	Name     Dimension
	Duration bool
	Doc      string
} {
	return []struct {
		Name     Dimension
		Duration bool
		Doc      string
	}{
		{ClockSkew, true, "how far one node's wall clock is from the others"},
		{Delay, true, "how much longer than usual a message may be under way"},
		{FaultCount, false, "how many faults one run may have"},
		{Outage, true, "how long a party is down or cut off"},
		{Pause, true, "how long a process stands still without knowing"},
		{PowerLoss, false, "how many brokers lose power at once"},
		{RedeliveryHorizon, true, "how long after its first delivery an event may be delivered again"},
	}
}
