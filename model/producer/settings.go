package producer

import (
	"github.com/twiceless/twiceless/model"
	"github.com/twiceless/twiceless/model/wire"
	"github.com/twiceless/twiceless/sim"
)

// Settings of a producing client: what Java, JavaBefore3, Java300 or Librdkafka gives, changed. Names in capitals are those of
// the real settings. All durations are on the node's monotonic clock, and 0 is a value like others: no time at all.
type Settings struct {
	Acks        int  // wire.AcksNone, wire.AcksLeader or wire.AcksAll
	Idempotence bool // enable.idempotence: needs AcksAll
	InFlight    int  // max.in.flight.requests.per.connection, from 1
	Retries     int  // retries of one batch; Unlimited

	Linger       sim.Duration // linger.ms: how long a batch waits for more records
	BatchRecords int          // batch.num.messages; Unlimited
	BatchBytes   int          // batch.size. A record that is larger goes alone
	RecordBytes  int          // what each record counts as; 0 = by its texts, see RecordSize
	OnePartition bool         // a request carries one batch, as librdkafka's; else one for each partition of the broker

	BufferBytes   int          // buffer.memory: what may wait or be in flight
	Pooled        bool         // BufferBytes is given out in pieces of BatchBytes, as in Java
	BufferRecords int          // queue.buffering.max.messages; Unlimited
	MaxBlock      sim.Duration // max.block.ms: how long a record waits for room, or for metadata; then it is refused
	Unassigned    bool         // without metadata a record waits under its delivery timeout instead, as in librdkafka

	RequestTimeout  sim.Duration // request.timeout.ms, socket.timeout.ms: after it the connection is given up with all that is in flight on it
	AckTimeout      sim.Duration // how long the leader is to wait for its followers: what is sent as the request's timeout
	DeliveryTimeout sim.Duration // delivery.timeout.ms (KIP-91), message.timeout.ms: from hand-over to the answer
	PerRecord       bool         // it is each record's, as in librdkafka; else that of the batch's first
	Backoff         sim.Duration // retry.backoff.ms: doubled with each retry, ±20 % (KIP-580)
	BackoffMax      sim.Duration // retry.backoff.max.ms
	Reconnect       sim.Duration // reconnect.backoff.ms: after a refused connection
	ReconnectMax    sim.Duration // reconnect.backoff.max.ms
	InOrder         bool         // what is tried again goes back to its place among what waits, as in librdkafka; else in front of it

	Transaction        string       // transactional.id; "" = none. Needs Idempotence
	TransactionTimeout sim.Duration // transaction.timeout.ms, on the coordinator's clock
	TransactionVersion int          // 1, or 2 (KIP-890 part 2)

	Began int // transactions that earlier clients of this id have begun in this incarnation of the node: the numbers in the names of transactions go on from there. It decides nothing

	Socket  func(broker *sim.Node) Socket // of the connection to a broker; nil = the kernel's
	Defects model.Defects
}

// Unlimited is that of retries and records.
const Unlimited = 1<<31 - 1

// Java are the defaults of the Java client from 3.0 on (KIP-679), but 3.0.0 and 3.1.0; linger.ms is 0 as up to 3.9, 5 ms
// from 4.0 on (KIP-1030).
func Java() Settings {
	return Settings{
		Acks: wire.AcksAll, Idempotence: true, InFlight: 5, Retries: Unlimited,
		BatchRecords: Unlimited, BatchBytes: 16 << 10,
		BufferBytes: 32 << 20, Pooled: true, BufferRecords: Unlimited, MaxBlock: sim.Minute,
		RequestTimeout: 30 * sim.Second, AckTimeout: 30 * sim.Second, DeliveryTimeout: 2 * sim.Minute,
		Backoff: 100 * sim.Millisecond, BackoffMax: sim.Second, Reconnect: 50 * sim.Millisecond, ReconnectMax: sim.Second,
		TransactionTimeout: sim.Minute, TransactionVersion: 1,
	}
}

// JavaBefore3 are the defaults before Kafka 3.0: acks=1 without idempotence.
func JavaBefore3() Settings {
	s := Java()
	s.Acks, s.Idempotence = wire.AcksLeader, false
	s.BackoffMax = s.Backoff // exponential only since KIP-580
	return s
}

// Java300 are those of 3.0.0 and 3.1.0, where idempotence, on by documentation, was left off (KAFKA-13598).
func Java300() Settings {
	s := Java()
	s.Idempotence = false
	s.BackoffMax = s.Backoff
	return s
}

// Librdkafka are the defaults of librdkafka: retries without idempotence and with any number of requests in flight, so that
// a retry doubles and overtakes by default.
func Librdkafka() Settings {
	return Settings{
		Acks: wire.AcksAll, InFlight: 1_000_000, Retries: Unlimited,
		Linger: 5 * sim.Millisecond, BatchRecords: 10_000, BatchBytes: 1_000_000, OnePartition: true,
		BufferBytes: 1 << 30, BufferRecords: 100_000, Unassigned: true,
		RequestTimeout: sim.Minute, AckTimeout: 30 * sim.Second, DeliveryTimeout: 5 * sim.Minute, PerRecord: true,
		Backoff: 100 * sim.Millisecond, BackoffMax: sim.Second, Reconnect: 100 * sim.Millisecond, ReconnectMax: 10 * sim.Second,
		InOrder: true, TransactionTimeout: sim.Minute, TransactionVersion: 1,
	}
}

// Idempotent turns idempotence on, with what it needs: acks=all and, as in both clients, at most 5 requests in flight.
func (s Settings) Idempotent() Settings {
	s.Idempotence, s.Acks, s.InFlight = true, wire.AcksAll, min(s.InFlight, 5)
	return s
}

// Transactional makes it a transactional client of that id.
func (s Settings) Transactional(id string) Settings {
	s = s.Idempotent()
	s.Transaction = id
	return s
}

// Problems lists what does not go together, in words of the settings.
func (s *Settings) Problems() (list []string) {
	for _, p := range []struct {
		wrong bool
		what  string
	}{
		{s.InFlight < 1, "max.in.flight.requests.per.connection below 1"},
		{s.Retries < 0, "retries below 0"},
		{s.BatchRecords < 1 || s.BatchBytes < 1, "batches without records"},
		{s.BufferRecords < 1 || s.BufferBytes < s.BatchBytes, "a buffer smaller than a batch"},
		{s.Acks != wire.AcksNone && s.Acks != wire.AcksLeader && s.Acks != wire.AcksAll, "acks is not 0, 1 or all"},
		{s.Idempotence && s.Acks != wire.AcksAll, "idempotence needs acks=all"},
		{s.Idempotence && s.InFlight > 5, "idempotence needs at most 5 requests in flight: a broker remembers 5 batches of a producer"},
		{s.Idempotence && s.Retries < 1, "idempotence needs retries"},
		{s.Transaction != "" && !s.Idempotence, "transactions need idempotence"},
		{s.Transaction != "" && (s.TransactionVersion < 1 || s.TransactionVersion > 2), "transaction version is not 1 or 2"},
		{s.Linger < 0 || s.DeliveryTimeout < 1 || s.RequestTimeout < 1, "a timeout that is over at once"},
	} {
		if p.wrong {
			list = append(list, p.what)
		}
	}
	return list
}

// Bytes of the record format of Kafka that are no text: a batch's header, and what a record has at most (KIP-98).
const (
	batchOverhead  = 61
	recordOverhead = 21
)

// RecordSize is how many bytes a record takes up in a batch, at most.
func RecordSize(m *model.Message) int {
	size := recordOverhead + len(m.Event) + len(m.Stage) + len(m.Key) + len(m.Correlation) + len(m.Payload) + len(m.Schema) + len(m.IdempotencyKey) + len(m.Headers)
	return size
}
