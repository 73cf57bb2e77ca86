package scenarios

import (
	"github.com/twiceless/twiceless/sim/history"
	"github.com/twiceless/twiceless/sim/rng"
)

// Scenario is what is simulated, resolved: every default filled in, every duration an integer of nanoseconds.
// It is pure data; its canonical JSON is part of every case and its hash names the rows.
//
// Durations are ns. Where zero has a meaning the field says so; otherwise Resolve has replaced it.
type Scenario struct {
	Version     int                   `json:"version"`
	Name        string                `json:"name"`
	Why         string                `json:"why,omitempty"`
	Event       string                `json:"event"` // noun of an intent: order gives order-117
	Broker      Broker                `json:"broker"`
	Workload    Workload              `json:"workload"`
	Flow        []Stage               `json:"flow"`
	Downstreams map[string]Downstream `json:"downstreams"`
	Producer    Producer              `json:"producer"`
	Consumers   Consumers             `json:"consumers"`
	Network     Network               `json:"network"`
	Phases      Phases                `json:"phases"`
	Limits      Limits                `json:"limits"`
	Stacks      []Stack               `json:"stacks"`
	Expect      []Expectation         `json:"expect,omitempty"`

	code *Code // a team's own; nil = what the file says. It is no part of the data
}

// Broker is the replicated, partitioned log. Where nothing else is said a default is Kafka's of today, and times are on
// the monotonic clock of the node that they are about.
type Broker struct {
	Kind             string           `json:"kind"`                    // log
	Nodes            int              `json:"nodes"`                   // brokers; default 3
	Truncation       string           `json:"truncation"`              // how a follower finds where its log and its leader's part; default fenced
	ELR              bool             `json:"eligible_replicas"`       // KIP-966; default true
	StrictHigh       bool             `json:"strict_high_watermark"`   // it stands still below min_insync; default true
	BrokerEpochs     bool             `json:"broker_epochs"`           // a fetch of an earlier uptime counts for nothing (KIP-841); default true
	QuickRestart     bool             `json:"quick_restart,omitempty"` // a broker that is back within its session stays in sync, as with ZooKeeper; default false
	EarlyOffsets     bool             `json:"early_offsets,omitempty"` // a new leader tells of a high watermark that may be behind (before KIP-207); default false
	ReplicaLag       int64            `json:"replica_lag"`             // a follower that has not caught up for so long leaves the ISR; default 30s
	BrokerSession    int64            `json:"broker_session"`          // a broker unheard for so long is fenced by the controller; default 9s
	FlushMessages    int64            `json:"flush_messages"`          // records between two fsyncs of a partition; 0 = never
	FlushInterval    int64            `json:"flush_interval"`          // time between two fsyncs of a partition; 0 = never
	Writeback        int64            `json:"writeback"`               // the operating system writes back what is older; default 30s, 0 = never
	OffsetsRetention int64            `json:"offsets_retention"`       // of the positions of an empty group; default 168h
	Transactions     string           `json:"transactions"`            // protocol: v1, v1-verified or v2 (default)
	Queue            *Queue           `json:"queue,omitempty"`         // of kind queue; nil = of kind log
	Defects          []string         `json:"defects,omitempty"`       // published defects of brokers and clients, sorted
	FirstEpoch       int              `json:"first_producer_epoch"`    // of a transactional producer; default 0
	Costs            string           `json:"costs,omitempty"`         // profile of how long brokers of kind log are busy; "" = no time
	EarlyListener    bool             `json:"early_listener"`          // a broker that starts says of every topic that there is none; default false
	Topics           map[string]Topic `json:"topics"`
	SessionTimeout   int64            `json:"session_timeout"` // on the broker's monotonic clock; default 6s
	RebalanceDelay   int64            `json:"rebalance_delay"` // first join of an empty group waits this long; default 3s
	Append           rng.Dist         `json:"-"`               // page cache write
	Fsync            rng.Dist         `json:"-"`               //
	AppendText       string           `json:"append"`          // default uniform(50us, 150us)
	FsyncText        string           `json:"fsync"`           // default lognormal(p50 1ms, p99 6ms)
}

// Topic of the broker. The flow's source is the topic named in Workload.Topic.
type Topic struct {
	Partitions  int   `json:"partitions"`       // 1 to 1024; default 6
	Replication int   `json:"replication"`      // copies of each partition; default one on each broker, at most 3
	MinInsync   int   `json:"min_insync"`       // replicas that must be in sync for acks=all; default 1
	Unclean     bool  `json:"unclean_election"` // a replica that lags may lead when no other is left; default false
	Retention   int64 `json:"retention"`        // of records; default 168h, 0 = for ever
}

// Queue is how a broker of kind queue behaves. Defaults are those of the profile; times are on the monotonic clock of the
// node that serves.
type Queue struct {
	Profile              string `json:"profile"`                // sqs, sqs-fifo, rabbitmq-quorum, jetstream or pubsub
	Visibility           int64  `json:"visibility"`             // how long a receive hides a message
	MaxReceives          int    `json:"max_receives"`           // then it is a dead letter; 0 = any number
	DedupWindow          int64  `json:"dedup_window"`           // how long a message's id is known; 0 = it is not
	Retention            int64  `json:"retention"`              // how long a message lives; 0 = for ever
	SyncEvery            int64  `json:"sync_every"`             // between two fsyncs; 0 = before anything is confirmed
	Extend               int64  `json:"extend"`                 // consumers extend the visibility of what they work on so often; 0 = never
	Batch                int    `json:"batch"`                  // messages of one receive
	Confirmed            bool   `json:"confirmed"`              // consumers wait for the answer to an acknowledgement where the profile need not
	SingleActive         bool   `json:"single_active"`          // only the consumer that has been connected longest gets messages
	DeadLetters          bool   `json:"dead_letters"`           // the queue moves what was received too often
	DeadLettersConfirmed bool   `json:"dead_letters_confirmed"` // and keeps it until the other queue has it
}

// Workload offers intents open-loop: arrivals do not wait for anything.
type Workload struct {
	Arrival  string `json:"arrival"`  // poisson(4/s): mean rate
	Interval int64  `json:"interval"` // mean time between arrivals, ns, from Arrival
	During   string `json:"during"`   // chaos
	Topic    string `json:"topic"`    // default: the only topic
	Keys     string `json:"keys"`     // zipf(100, 1.1)
	KeyCount int    `json:"key_count"`
	KeySkew  int    `json:"key_skew"` // exponent in thousandths; 0 = uniform
	Deadline int64  `json:"deadline"` // from the intended arrival; later is late; 0 = never
}

// Stage of the flow.
type Stage struct {
	Name      string        `json:"stage"`
	Kind      string        `json:"kind"`              // pure, read or effect
	Takes     rng.Dist      `json:"-"`                 //
	TakesText string        `json:"takes,omitempty"`   // time of a pure stage at the consumer; default constant(0s)
	Service   string        `json:"service,omitempty"` // from calls: service or service.op
	Op        string        `json:"op,omitempty"`      // default: the stage's name
	Effect    string        `json:"effect,omitempty"`  // critical, state, notify or derived
	Class     history.Class `json:"-"`
	Amount    int64         `json:"amount,omitempty"` // in hundredths
}

// Downstream is a service that stages call, or a store that layers use.
type Downstream struct {
	Kind            string   `json:"kind"` // payments-api, database, notification
	Latency         rng.Dist `json:"-"`
	LatencyText     string   `json:"latency"`
	Capacity        int64    `json:"capacity"` // calls a second, spaced evenly; 0 = unlimited
	CapacityText    string   `json:"capacity_text,omitempty"`
	IdempotencyKeys string   `json:"idempotency_keys,omitempty"` // offered or none (default)
	KeepKeys        int64    `json:"keep_keys,omitempty"`        // on the service's wall clock; 0 = for ever
	Fencing         string   `json:"fencing,omitempty"`          // offered or none (default)
	Poison          string   `json:"poison,omitempty"`           // the intent that it refuses for ever; "" = none
}

// Producer is the client that publishes intents. What is 0 is the default of the client.
type Producer struct {
	Client          string `json:"client"`           // java (default) or librdkafka
	Linger          int64  `json:"linger"`           // how long a batch waits for more; default of the client
	BatchRecords    int    `json:"batch_records"`    // most records of a batch; 0 = by bytes alone
	InFlight        int    `json:"in_flight"`        // requests under way per connection; default of the client
	RecordBytes     int    `json:"record_bytes"`     // of a record in its batch; 0 = what its texts take
	RequestTimeout  int64  `json:"request_timeout"`  // default 2s
	DeliveryTimeout int64  `json:"delivery_timeout"` // with retries: from hand-over to giving up; default 2m
	Backoff         int64  `json:"backoff"`          // between tries; default 100ms

	TransactionTimeout int64 `json:"transaction_timeout"` // of engines with transactions; default 1m
}

// Consumers is the group.
type Consumers struct {
	Client          string `json:"client"`            // java (default) or librdkafka
	Protocol        string `json:"protocol"`          // eager (default), cooperative or server
	Static          bool   `json:"static"`            // members keep their share over a restart within the session; default false
	Reset           string `json:"reset"`             // where to read without a position: earliest (default), latest
	Isolation       string `json:"isolation"`         // read-uncommitted or read-committed; default of the client
	RequireStable   bool   `json:"require_stable"`    // positions of open transactions are waited for (KIP-447); default true
	Members         int    `json:"members"`           // 1 to 100; default 3
	MaxPollRecords  int    `json:"max_poll_records"`  // default 50
	MaxPollInterval int64  `json:"max_poll_interval"` // on the member's monotonic clock; default 5m
	Heartbeat       int64  `json:"heartbeat"`         // default session_timeout/3, cut to two digits
	FetchWait       int64  `json:"fetch_wait"`        // long poll; default 500ms
	CallTimeout     int64  `json:"call_timeout"`      // of a stage's call; default 5s, beyond the slowest answer of every default service
	RequestTimeout  int64  `json:"request_timeout"`   // of requests to the broker (besides fetch and join waits); default 2s
	CommitTimeout   int64  `json:"commit_timeout"`    // how long a commit asks again while the coordinator does not answer; default 60s
	Restart         int64  `json:"restart"`           // time from boot to the first instruction; default 200ms
}

// Network is the latency of one hop, and how connections bear links that lose packets: see sim.Streams.
type Network struct {
	Congestion  string   `json:"congestion"` // reno (default) or cubic: what a loss leaves of the window
	Offload     int      `json:"offload"`    // full segments that are one packet; default 1
	Latency     rng.Dist `json:"-"`
	LatencyText string   `json:"latency"` // default lognormal(p50 300us, p99 2ms)
}

// Phases of a run. Warm-up, heal and drain are derived unless a file lengthens the drain.
type Phases struct {
	WarmUp int64 `json:"warm_up"` // derived: the groups must be stable when it ends
	Chaos  int64 `json:"chaos"`   // default 90s; at least ten session timeouts
	Drain  int64 `json:"drain"`   // derived: limit from the longest chain of timeouts
	Chain  int64 `json:"chain"`   // derived: that chain
}

// Limits of one run; hitting one is a stop reason that names it.
type Limits struct {
	Events int64 `json:"events"` // default 20,000,000
	Facts  int64 `json:"facts"`  // default 2,000,000
}

// Stack is one engine, its layers, and the contract.
type Stack struct {
	Name       string           `json:"name"`
	Why        string           `json:"why,omitempty"`
	Engine     string           `json:"engine"`
	Acks       int              `json:"acks"`       // 0, 1 or -1 = all (default)
	Retries    bool             `json:"retries"`    // of the producer; default false for commit-before, true otherwise
	Idempotent bool             `json:"idempotent"` // the producer numbers its records (KIP-98); default of the client, with acks all and retries
	Layers     []Layer          `json:"layers,omitempty"`
	Contract   history.Contract `json:"contract"`
}

// Layer is one layer with its parameters, as its row of stack.Layers declares them.
type Layer struct {
	Kind string            `json:"kind"`
	With map[string]string `json:"with,omitempty"` // by name, canonical, static defaults filled in; a list is event,stage
}

// Expectation is a statement about cells that must hold, or compare exits 1; or a finding that is accepted for a while.
type Expectation struct {
	Stack      string            `json:"stack,omitempty"`       // "" = every one, of an acceptance only
	Damage     map[string]string `json:"damage,omitempty"`      // fault kind → "p_duplicate < 1%"
	LostSilent string            `json:"lost_silent,omitempty"` // none
	Accept     string            `json:"accept,omitempty"`      // see Acceptance
	Issue      string            `json:"issue,omitempty"`
	Until      string            `json:"until,omitempty"`
}
