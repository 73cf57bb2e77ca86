package scenarios

// The structs of a scenario file are its field table: the decoder, the messages and the JSON Schema all come from
// their tags. f = name of the field, need = it must be there (and an example), min and max = bounds of the value,
// len = most entries of a list or map, enum and keys = the names that are allowed, unit = what a number counts. The
// fields of layers come from their own table, stack.Layers.

type fileScenario struct {
	Version     *whole                     `f:"version" need:"version: 1" min:"1" max:"1" doc:"Version of the format of scenario files."`
	Name        *ident                     `f:"name" need:"name: payments" doc:"Name of the scenario."`
	Why         prose                      `f:"why" doc:"What the scenario shows, in plain words."`
	Event       *ident                     `f:"event" default:"order" doc:"Noun of an intent: order gives order-117."`
	Broker      *fileBroker                `f:"broker" need:"broker: { topics: { orders: {} } }" doc:"The partitioned log."`
	Workload    *fileWorkload              `f:"workload" need:"workload: { arrival: poisson(4/s) }" doc:"The events offered. Arrivals wait for nothing."`
	Flow        []fileStage                `f:"flow" need:"flow: [ … ]" len:"32" doc:"What the business does with an event: stages with their effects, in order."`
	Downstreams map[string]*fileDownstream `f:"downstreams" keys:"@ident" len:"64" doc:"The services that stages call."`
	Producer    fileProducer               `f:"producer" doc:"The client that publishes the events."`
	Consumers   fileConsumers              `f:"consumers" doc:"The group of consumers."`
	Network     fileNetwork                `f:"network" doc:"The network between all parties."`
	Phases      filePhases                 `f:"phases" doc:"The phases of a run. Warm-up, heal and drain are derived."`
	Limits      fileLimits                 `f:"limits" doc:"Limits of one run; hitting one stops it and names it."`
	Stacks      []fileStack                `f:"stacks" need:"stacks: [ … ]" len:"64" doc:"The strategies compared: an engine, layers and a contract each."`
	Expect      []fileExpect               `f:"expect" len:"256" doc:"Statements about cells that must hold, or compare exits 1."`
}

type fileBroker struct {
	Kind             *choice               `f:"kind" enum:"@broker" default:"log" doc:"Kind of broker."`
	Nodes            *whole                `f:"nodes" min:"1" max:"9" unit:"brokers" default:"3" doc:"Number of brokers."`
	Truncation       *choice               `f:"truncation" enum:"high-watermark|epoch|matched-epoch|fenced" default:"fenced" doc:"How a follower finds where its log and its leader's part: by its high watermark (before 0.11), by epochs (KIP-101), with the epoch that was matched (KIP-279), fenced (KIP-320)."`
	ELR              *yesNo                `f:"eligible_replicas" default:"true" doc:"Whether replicas that left the in-sync set with all that was committed may lead again (KIP-966)."`
	StrictHigh       *yesNo                `f:"strict_high_watermark" default:"true" doc:"Whether the high watermark stands still while fewer than min_insync are in sync (3.7 and later)."`
	BrokerEpochs     *yesNo                `f:"broker_epochs" default:"true" doc:"Whether what a broker sent in an earlier uptime counts for nothing (KIP-841)."`
	QuickRestart     *yesNo                `f:"quick_restart" default:"false" doc:"Whether a broker that comes back within its session stays in the in-sync sets, as with ZooKeeper, which knew sessions of clients and not of processes."`
	EarlyOffsets     *yesNo                `f:"early_offsets" default:"false" doc:"Whether a new leader tells readers of a high watermark that may be behind the one before it (before KIP-207)."`
	EarlyListener    *yesNo                `f:"early_listener" default:"false" doc:"Whether a broker that starts answers clients before it knows any topic, that there is none (Kafka with ZooKeeper)."`
	ReplicaLag       *period               `f:"replica_lag" min:"100ms" max:"1h" default:"30s" doc:"A follower that has not caught up for so long leaves the in-sync set."`
	BrokerSession    *period               `f:"broker_session" min:"1s" max:"10m" default:"9s" doc:"A broker unheard for so long is fenced by the controller."`
	FlushMessages    *whole                `f:"flush_messages" min:"0" max:"1000000" unit:"records" default:"0" doc:"Records between two fsyncs of a partition. 0 = never: replication is what keeps records."`
	FlushInterval    *period               `f:"flush_interval" min:"0s" max:"24h" default:"0s" doc:"Time between two fsyncs of a partition. 0 = never."`
	Writeback        *period               `f:"writeback" min:"0s" max:"24h" default:"30s" doc:"The operating system writes back by itself what has been in the page cache for so long. 0 = never."`
	OffsetsRetention *period               `f:"offsets_retention" min:"1m" max:"87840h" default:"168h" doc:"How long the positions of a group without members are kept."`
	Transactions     *choice               `f:"transactions" enum:"v1|v1-verified|v2" default:"v2" doc:"Protocol of transactions: as before 3.6, with verification (KIP-890 part 1), with an epoch for each transaction (part 2)."`
	Queue            *fileQueue            `f:"queue" doc:"How a broker of kind queue behaves."`
	FirstEpoch       *whole                `f:"first_producer_epoch" min:"0" max:"32766" default:"0" doc:"Epoch of the first identity that a transactional producer is given; the last is 32766."`
	Defects          []choice              `f:"defects" enum:"@defect" len:"64" doc:"Published defects that brokers and clients have here."`
	Costs            *choice               `f:"costs" enum:"@costs" doc:"For how long a broker of kind log is busy with each request, record and byte: a profile of package model/cost; see docs/costs.md. By default it takes no time."`
	Topics           map[string]*fileTopic `f:"topics" need:"topics: { orders: { partitions: 6 } }" keys:"@topic" len:"64" doc:"The topics by name."`
	SessionTimeout   *period               `f:"session_timeout" min:"100ms" max:"30m" default:"6s" doc:"A member unheard for so long, on the broker's monotonic clock, is removed from its group."`
	RebalanceDelay   *period               `f:"rebalance_delay" min:"0s" max:"10m" default:"3s" doc:"How long the first join of an empty group waits for others."`
	Append           *distText             `f:"append" min:"0s" max:"24h" default:"uniform(50us, 150us)" doc:"Time of a write to the page cache."`
	Fsync            *distText             `f:"fsync" min:"0s" max:"24h" default:"lognormal(p50 1ms, p99 6ms)" doc:"Time of an fsync."`
}

type fileQueue struct {
	Profile              *choice `f:"profile" need:"profile: sqs" enum:"@queue" doc:"Which system; what is not said here is its default."`
	Visibility           *period `f:"visibility" min:"1s" max:"12h" doc:"How long a receive hides a message from others."`
	MaxReceives          *whole  `f:"max_receives" min:"0" max:"1000" unit:"receives" doc:"What was received more often is a dead letter. 0 = any number."`
	DedupWindow          *period `f:"dedup_window" min:"0s" max:"24h" doc:"How long the id of a message is known. 0 = it is not."`
	Retention            *period `f:"retention" min:"0s" max:"8784h" doc:"How long a message lives. 0 = for ever."`
	SyncEvery            *period `f:"sync_every" min:"0s" max:"1h" doc:"Time between two fsyncs. 0 = before anything is confirmed."`
	Extend               *period `f:"extend" min:"0s" max:"1h" default:"0s" doc:"Consumers extend the visibility of what they work on so often. 0 = never."`
	Batch                *whole  `f:"batch" min:"1" max:"1000" unit:"messages" default:"10" doc:"Most messages of one receive."`
	Confirmed            *yesNo  `f:"confirmed" default:"false" doc:"Whether consumers wait for the answer to an acknowledgement where the system need not give one."`
	SingleActive         *yesNo  `f:"single_active" default:"false" doc:"Whether only the consumer that has been connected longest gets messages (x-single-active-consumer of RabbitMQ)."`
	DeadLetters          *yesNo  `f:"dead_letters" default:"false" doc:"Whether the queue itself moves what was received too often to a queue of dead letters."`
	DeadLettersConfirmed *yesNo  `f:"dead_letters_confirmed" default:"false" doc:"Whether it keeps a dead letter until the other queue has confirmed it."`
}

type fileTopic struct {
	Replication *whole  `f:"replication" min:"1" max:"9" unit:"copies" doc:"Copies of each partition; by default one on each broker, at most 3."`
	MinInsync   *whole  `f:"min_insync" min:"1" max:"9" unit:"replicas" default:"1" doc:"Replicas, the leader too, that must be in sync for acks all."`
	Unclean     *yesNo  `f:"unclean_election" default:"false" doc:"Whether a replica that lags may lead when no other is left."`
	Retention   *period `f:"retention" min:"0s" max:"87840h" default:"168h" doc:"How long records are kept. 0 = for ever."`
	Partitions  *whole  `f:"partitions" min:"1" max:"1024" unit:"partitions" default:"6" doc:"Number of partitions."`
}

type fileWorkload struct {
	Arrival  *arrivalText `f:"arrival" need:"arrival: poisson(4/s)" min:"1us" max:"24h" doc:"When events are offered: poisson and a mean rate."`
	During   *choice      `f:"during" enum:"chaos" default:"chaos" doc:"The phase in which events are offered."`
	Topic    *dotted      `f:"topic" doc:"The topic that events are published to; by default the only one."`
	Keys     *keySpace    `f:"keys" min:"1" max:"1000000" unit:"keys" default:"uniform(100)" doc:"The entities that events are about: zipf(number, exponent) or uniform(number)."`
	Deadline *period      `f:"deadline" min:"0s" max:"8784h" default:"0s" doc:"An event done later than this, from its intended arrival, is late. 0 = never."`
}

type fileStage struct {
	Stage  *ident    `f:"stage" need:"stage: charge" doc:"Name of the stage."`
	Kind   *choice   `f:"kind" need:"kind: effect" enum:"pure|read|effect" doc:"pure computes, read asks a service, effect changes something at a service."`
	Takes  *distText `f:"takes" min:"0s" max:"24h" default:"constant(0s)" doc:"Time of a pure stage at the consumer."`
	Calls  *callRef  `f:"calls" doc:"The service called, or service.op; the op is the stage's name by default."`
	Effect *choice   `f:"effect" enum:"critical|state|notify|derived" doc:"Class of the effect: what one too many or too few means."`
	Amount *cents    `f:"amount" min:"0" max:"10000000000.00" doc:"What one application of the effect moves, with at most two decimals."`
}

type fileDownstream struct {
	Kind            *choice   `f:"kind" need:"kind: database" enum:"@downstream" doc:"Kind of service."`
	Latency         *distText `f:"latency" min:"0s" max:"24h" doc:"Time of a call at the service; by default a prior of its kind."`
	Capacity        *perSec   `f:"capacity" min:"1" max:"1000000" doc:"Most calls a second, spaced evenly; unlimited by default."`
	IdempotencyKeys *choice   `f:"idempotency_keys" enum:"offered|none" default:"none" doc:"Whether a call may carry a key by which the service recognises a repetition."`
	Fencing         *choice   `f:"fencing" enum:"offered|none" default:"none" doc:"Whether the service refuses a call of an earlier owner than one it has seen."`
	Poison          *ident    `f:"poison" doc:"The intent that the service refuses for ever, such as order-50: the poison pill."`
	KeepKeys        *period   `f:"keep_keys" min:"0s" max:"87840h" default:"0s" doc:"How long the service keeps keys, on its wall clock. 0 = for ever."`
}

type fileProducer struct {
	Client          *choice `f:"client" enum:"java|librdkafka" default:"java" doc:"Which client library, with its defaults."`
	Linger          *period `f:"linger" min:"0s" max:"10m" doc:"How long a batch waits for more records; by default as the client does."`
	BatchRecords    *whole  `f:"batch_records" min:"0" max:"1000000" unit:"records" default:"0" doc:"Most records of a batch. 0 = as many as fit in its bytes."`
	InFlight        *whole  `f:"in_flight" min:"1" max:"1000000" unit:"requests" doc:"Most requests under way to one broker; by default as the client does."`
	RecordBytes     *whole  `f:"record_bytes" min:"0" max:"1000000" unit:"bytes" default:"0" doc:"What a record takes in its batch. 0 = what its texts take."`
	RequestTimeout  *period `f:"request_timeout" min:"1ms" max:"10m" default:"2s" doc:"How long one try waits for its answer."`
	DeliveryTimeout *period `f:"delivery_timeout" min:"1ms" max:"24h" default:"2m" doc:"With retries: from hand-over to giving up."`
	Backoff         *period `f:"backoff" min:"1ms" max:"10m" default:"100ms" doc:"Between two tries."`

	TransactionTimeout *period `f:"transaction_timeout" min:"1s" max:"15m" default:"1m" doc:"Of engines with transactions: a transaction that is open for so long is aborted by its coordinator, on the coordinator's wall clock, when it next looks, every 10 s."`
}

type fileConsumers struct {
	Client          *choice `f:"client" enum:"java|librdkafka" default:"java" doc:"Which client library, with its defaults."`
	Protocol        *choice `f:"protocol" enum:"eager|cooperative|server" default:"eager" doc:"How shares are handed over: all revoked at each rebalance, only what moves (KIP-429), or assigned by the coordinator (KIP-848)."`
	Static          *yesNo  `f:"static" default:"false" doc:"Whether members have a name of their own and keep their share over a restart within the session (KIP-345)."`
	Reset           *choice `f:"reset" enum:"earliest|latest" default:"earliest" doc:"Where to read from without a position. The clients' own default is latest."`
	Isolation       *choice `f:"isolation" enum:"read-uncommitted|read-committed" doc:"Which records of transactions are read; by default as the client does."`
	RequireStable   *yesNo  `f:"require_stable" default:"true" doc:"Whether a position that an open transaction may move is waited for (KIP-447)."`
	Members         *whole  `f:"members" min:"1" max:"100" unit:"members" default:"3" doc:"Number of members."`
	MaxPollRecords  *whole  `f:"max_poll_records" min:"1" max:"100000" default:"50" doc:"Most events of one poll."`
	MaxPollInterval *period `f:"max_poll_interval" min:"100ms" max:"24h" default:"5m" doc:"A member that does not poll for so long, on its own monotonic clock, leaves the group."`
	Heartbeat       *period `f:"heartbeat" min:"10ms" max:"10m" doc:"Between two heartbeats; by default a third of the session timeout, cut to two digits."`
	FetchWait       *period `f:"fetch_wait" min:"1ms" max:"5m" default:"500ms" doc:"How long a poll waits for events."`
	CallTimeout     *period `f:"call_timeout" min:"1ms" max:"1h" default:"5s" doc:"How long a stage waits for the answer of a service."`
	RequestTimeout  *period `f:"request_timeout" min:"1ms" max:"10m" default:"2s" doc:"How long requests to the broker wait for their answer."`
	CommitTimeout   *period `f:"commit_timeout" min:"1ms" max:"1h" default:"60s" doc:"How long a commit asks again while the coordinator does not answer."`
	Restart         *period `f:"restart" min:"1ms" max:"10m" default:"200ms" doc:"From boot to the first instruction."`
}

type fileNetwork struct {
	Latency    *distText `f:"latency" min:"0s" max:"24h" default:"lognormal(p50 300us, p99 2ms)" doc:"Time of one hop."`
	Congestion *choice   `f:"congestion" enum:"reno|cubic" default:"reno" doc:"What a loss of packets leaves of a connection's window: half, or seven tenths."`
	Offload    *whole    `f:"offload" min:"1" max:"44" unit:"segments" default:"1" doc:"Full segments that leave as one packet, and are lost as one: on virtual links, which get them before they are split."`
}

type filePhases struct {
	Chaos *period `f:"chaos" min:"1s" max:"24h" default:"90s" doc:"The phase of events and faults; at least ten session timeouts."`
	Drain *period `f:"drain" min:"1m" max:"87840h" doc:"Limit of the drain. Derived from the longest chain of timeouts; it may only be lengthened."`
}

type fileLimits struct {
	Events *whole `f:"events" min:"1000" max:"10000000000" unit:"events" default:"20000000" doc:"Most kernel events of a run."`
	Facts  *whole `f:"facts" min:"1000" max:"100000000" unit:"facts" default:"2000000" doc:"Most facts of a history."`
}

type fileStack struct {
	Name       *ident            `f:"name" need:"name: at-least-once" doc:"Name of the stack: what it does."`
	Why        prose             `f:"why" doc:"What the stack relies on, in plain words."`
	Engine     *choice           `f:"engine" need:"engine: commit-after" enum:"@engine" doc:"When the position of an event is committed."`
	Acks       *ackText          `f:"acks" default:"all" doc:"What the producer waits for: 0 nothing, 1 the leader, all the replicas in sync."`
	Idempotent *yesNo            `f:"idempotent" doc:"Whether the producer numbers its records, so that the log recognises a repetition; by default as the client does, with acks all and retries."`
	Retries    *yesNo            `f:"retries" doc:"Whether the producer tries again; by default not with commit-before, and not with acks 0."`
	Layers     []Layer           `f:"layers" len:"16" doc:"The layers; the first is the outermost."`
	Promises   filePromises      `f:"promises" doc:"What the stack promises; what is not named is permitted."`
	Envelope   map[string]atMost `f:"envelope" keys:"@dimension" len:"16" doc:"The bounds inside which the promises are made; what is not named does not restrict."`
}

type filePromises struct {
	Loss       *choice        `f:"loss" enum:"never|allowed" doc:"Events whose effect never comes."`
	Duplicates fileDuplicates `f:"duplicates" doc:"Effects that come more than once, by class."`
	Order      *choice        `f:"order" enum:"per-key" doc:"Effects of one key in the order of the log."`
	Zombies    *choice        `f:"zombies" enum:"never|allowed" doc:"Critical effects of a consumer after the one that replaced it has acted."`
}

type fileDuplicates struct {
	Critical *choice `f:"critical" enum:"never|allowed" doc:"Effects of class critical."`
	State    *choice `f:"state" enum:"never|allowed" doc:"Effects of class state."`
	Notify   *choice `f:"notify" enum:"never|allowed" doc:"Effects of class notify."`
	Derived  *choice `f:"derived" enum:"never|allowed" doc:"Effects of class derived."`
}

type fileExpect struct {
	Stack      *ident                `f:"stack" doc:"The stack that the statement is about; an acceptance without one is about every stack."`
	Damage     map[string]chanceText `f:"damage" keys:"@fault" len:"64" doc:"Share of runs with damage, by kind of fault."`
	LostSilent *choice               `f:"lost_silent" enum:"none" doc:"No event is lost without a trace."`
	Accept     *prose                `f:"accept" doc:"A finding that is lived with until a day: its fingerprint, or its property."`
	Issue      *prose                `f:"issue" doc:"Of an acceptance: where the work on it is followed."`
	Until      *prose                `f:"until" doc:"Of an acceptance: the last day, such as 2026-12-31."`
}
