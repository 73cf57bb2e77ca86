package cost

import "github.com/twiceless/twiceless/sim"

// Evidence says what a figure rests on.
type Evidence uint8

// The kinds of evidence. The zero value is none, which no figure of a profile may have.
const (
	Assumed    Evidence = iota + 1 // a judgement; the source says what bounds it
	Stated                         // read in the source and used as it is
	Calibrated                     // fitted, so that the model returns what the source reports
)

// String is the word for tables.
func (e Evidence) String() string { return [...]string{"", "assumed", "stated", "calibrated"}[e] }

// Figure is a number that says where it comes from. Its unit is that of its field.
type Figure struct {
	N        int64
	Evidence Evidence
	Source   string
}

// duration of a figure in nanoseconds.
func (f Figure) duration() sim.Duration { return sim.Duration(f.N) }

// Work is how long one party is busy. Zero figures cost nothing.
type Work struct {
	Request Figure // ns for each request
	Record  Figure // ns for each record in it
	Byte    Figure // picoseconds for each byte of it
}

const picosecondsPerNanosecond = 1000

// Time of so many requests with so many records and bytes in all. None may be below 0.
func (w *Work) Time(requests, records, bytes int) sim.Duration {
	if requests < 0 || records < 0 || bytes < 0 {
		panic("cost: less than no work")
	}
	return sim.Duration(int64(requests)*w.Request.N + int64(records)*w.Record.N + int64(bytes)*w.Byte.N/picosecondsPerNanosecond)
}

// BrokerCost is for how long a broker is busy with so many requests that hold so many records and bytes in all, as brokers of
// worlds take it: an append of a leader, one of a follower, a request without records. It is a pure function.
func (p *Profile) BrokerCost() func(requests, records, bytes int) sim.Duration { return p.Broker.Time }

// Profile is one set of machines and versions.
type Profile struct {
	Name string // unique, lower case
	Why  string // what it is, one clause

	Format Format

	Client Work
	Broker Work

	Workers   Figure // request handlers of a broker; requests of one connection are still handled one by one
	OneWay    Figure // ns from one node to another, wire and kernels, of the first byte
	Bandwidth Figure // bytes a second that a link carries, each way

	TxnReplicas Figure // of the coordinator's log
	Backoff     Figure // ns until a transaction that came too early after the one before is tried again
}

// Profiles is the table, in order of the name.
func Profiles() []Profile { return []Profile{kafkaV2(), netDB11()} }

// Named is the profile of that name; ok is false if there is none.
func Named(name string) (p Profile, ok bool) {
	for _, p := range Profiles() {
		if p.Name == name {
			return p, true
		}
	}
	return Profile{}, false
}

// NamedFigure is one figure of a profile for tables.
type NamedFigure struct {
	Name, Unit string
	Figure
}

// Figures lists all figures of the profile, those of the format excepted: they carry its source.
func (p *Profile) Figures() []NamedFigure {
	return []NamedFigure{
		{"client, each request", "ns", p.Client.Request}, {"client, each record", "ns", p.Client.Record}, {"client, each byte", "ps", p.Client.Byte},
		{"broker, each request", "ns", p.Broker.Request}, {"broker, each record", "ns", p.Broker.Record}, {"broker, each byte", "ps", p.Broker.Byte},
		{"broker, request handlers", "", p.Workers},
		{"one way between nodes", "ns", p.OneWay}, {"link", "bytes/s", p.Bandwidth},
		{"replicas of the transaction log", "", p.TxnReplicas}, {"retry after CONCURRENT_TRANSACTIONS", "ns", p.Backoff},
	}
}

const (
	netDB      = "Kreps, Narkhede, Rao, Kafka, NetDB 2011, section 5"
	kip98      = "KIP-98"
	brokerRule = "no published figure; at most what the client takes, as the client was the bottleneck of " + netDB +
		", and not refuted by 2.02 M records/s taken by three brokers with three replicas (Kreps, Benchmarking Apache Kafka, LinkedIn 2014)"
)

// netDB11 is the experiment behind the quoted 50 k and 400 k messages a second: 10 million messages of 200 bytes, one producer,
// no acknowledgement, one broker without replicas; two machines with eight 2 GHz cores and a link of 1 Gb/s. With t(n) = a + b·n for a
// batch of n:
//
//	a +    b = 1/50 000 s  =  20 µs
//	a + 50·b = 50/400 000 s = 125 µs   ⇒   b = 105/49 µs = 2143 ns, a = 17 857 ns
//
// Kafka 0.7 knew no acknowledgement, no replica and no transaction: what Estimate says of these under this profile is what
// they would have cost on those machines.
func netDB11() Profile {
	return Profile{
		Name: "netdb11", Why: "Kafka 0.7 as measured in 2011: one producer, 200-byte messages, no acknowledgement awaited",
		Format: kafka07(),
		Client: Work{
			Request: Figure{17_857, Calibrated, netDB + ": 50 k and 400 k messages/s at batches of 1 and 50"},
			Record:  Figure{2_143, Calibrated, netDB + ": 50 k and 400 k messages/s at batches of 1 and 50"},
			Byte:    Figure{0, Assumed, "messages of one size only were measured: what their bytes take is in the time of the record"},
		},
		Broker: Work{
			Request: Figure{10_000, Assumed, brokerRule},
			Record:  Figure{500, Assumed, brokerRule},
			Byte:    Figure{1_000, Assumed, "checksum and copy into the page cache at 1 GB/s; " + brokerRule},
		},
		Workers:     Figure{8, Stated, "num.io.threads, default (Kafka documentation); eight cores in " + netDB},
		OneWay:      Figure{int64(250 * sim.Microsecond), Assumed, "half of a round trip of 500 µs within a data centre (Dean, Numbers everyone should know, 2010)"},
		Bandwidth:   Figure{125_000_000, Stated, netDB + ": 1 Gb/s"},
		TxnReplicas: Figure{3, Stated, "transaction.state.log.replication.factor, default (Kafka documentation)"},
		Backoff:     Figure{int64(20 * sim.Millisecond), Stated, "KAFKA-5477: 20 ms in the client; KAFKA-18654: add.partitions.to.txn.retry.backoff.ms = 20 in the broker"},
	}
}

// kafkaV2 is the record format and the protocol of Kafka since 0.11 on the machines of netDB11: what differs between the two
// profiles is what the format costs. The times of its client are carried over, so even its 50 k and 400 k are no measurement
// of it.
func kafkaV2() Profile {
	p := netDB11()
	p.Name, p.Why = "kafka-v2", "Kafka since 0.11 (acknowledgements, replicas, transactions, record batches) on the machines of netdb11"
	p.Format = recordBatch()
	const carried = "carried over from netdb11: no published series separates batches from records for this version"
	p.Client.Request = Figure{p.Client.Request.N, Assumed, carried}
	p.Client.Record = Figure{p.Client.Record.N, Assumed, carried}
	p.Workers.Source = "num.io.threads, default (Kafka documentation)"
	p.Bandwidth = Figure{p.Bandwidth.N, Assumed, "that of netdb11, so that formats are compared on one link"}
	return p
}
