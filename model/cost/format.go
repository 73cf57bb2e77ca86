package cost

// Format is how records lie in a log and in a produce request, in bytes.
type Format struct {
	Name   string // unique, lower case
	Why    string
	Source string

	Batch   int  // header of each batch, on disk and on the wire
	Record  int  // beside the payload of each record, if that is constant
	Varints bool // the bytes beside a payload are those of a v2 record instead, see record
	Request int  // around the batch of a produce request for one partition; 0 = not known
}

// Formats is the table, in order of the name.
func Formats() []Format {
	return []Format{activeMQ(), messageV1(), kafka07(), messageV0(), recordBatch()}
}

// FormatNamed is the format of that name; ok is false if there is none.
func FormatNamed(name string) (f Format, ok bool) {
	for _, f := range Formats() {
		if f.Name == name {
			return f, true
		}
	}
	return Format{}, false
}

func activeMQ() Format {
	return Format{Name: "activemq", Why: "a JMS broker's header and index entry", Record: 144,
		Source: netDB + ": 144 bytes a message"}
}

func kafka07() Format {
	return Format{Name: "kafka-0.7", Why: "length 4, magic 1, checksum 4 for each message", Record: 9, Request: 22,
		Source: netDB + ": 9 bytes a message; request of Kafka 0.7: size 4, type 2, topic 2 + 6, partition 4, size of the messages 4"}
}

func messageV0() Format {
	return Format{Name: "kafka-0.8", Why: "magic 0: offset 8, size 4, checksum 4, magic 1, attributes 1, lengths of key and value 4 + 4", Record: 26,
		Request: produceRequest, Source: "Kafka 0.10 documentation, Message Format"}
}

func messageV1() Format {
	return Format{Name: "kafka-0.10", Why: "magic 1: magic 0 with a timestamp of 8", Record: 34,
		Request: produceRequest, Source: "Kafka 0.10 documentation, Message Format (KIP-32)"}
}

// produceRequest is what stands around the records of one partition in a produce request of version 3 to 8: size 4, key 2, version
// 2, correlation 4, client id 2 + 10, transactional id 2, acks 2, timeout 4, number of topics 4, topic 2 + 6, number of
// partitions 4, partition 4, size of the records 4.
const produceRequest = 56

func recordBatch() Format {
	return Format{Name: "kafka-v2", Why: "record batch, magic 2: 61 bytes a batch, 7 or more a record, by variable lengths", Batch: 61, Varints: true,
		Request: produceRequest, Source: kip98 + " and Kafka documentation, Message Format"}
}

// Bytes of one batch in the log: so many records, each with so many bytes of payload and without key and headers.
func (f *Format) Bytes(records, payload int) int {
	if records < 1 || payload < 0 {
		panic("cost: a batch without records, or less than no payload")
	}
	if !f.Varints {
		return f.Batch + records*(f.Record+payload)
	}
	total := f.Batch
	for i, step := 0, 0; i < records; i += step { // records whose delta is as long are as long
		step = min(records, deltasAsLong(i)) - i
		total += step * record(i, payload)
	}
	return total
}

// Overhead is Bytes less the payload.
func (f *Format) Overhead(records, payload int) int {
	return f.Bytes(records, payload) - records*payload
}

// Wire is how many bytes a produce request with one batch takes.
func (f *Format) Wire(records, payload int) int { return f.Request + f.Bytes(records, payload) }

// Headers of one packet on Ethernet, and how much it carries: Ethernet 14, IPv4 20, TCP 32 with timestamps; of 1500 bytes.
const (
	packetHeaders = 66
	packetPayload = 1448
)

// Framed is Wire with the headers of the packets that carry the request if each starts one anew.
func (f *Format) Framed(records, payload int) int {
	bytes := f.Wire(records, payload)
	return bytes + (bytes+packetPayload-1)/packetPayload*packetHeaders
}

// record is the length of a v2 record whose offset is delta above the first of its batch and whose time is less than 64 ms
// later: its length, attributes 1, time delta 1, offset delta, key length 1 (none), value length, value, number of headers 1.
func record(delta, payload int) int {
	body := 1 + 1 + varint(delta) + 1 + varint(payload) + payload + 1
	return varint(body) + body
}

// varint is the length of a number ≥ 0 in zigzag encoding: seven bits a byte, of which the lowest holds the sign.
func varint(n int) int {
	length := 1
	for n >>= 6; n > 0; n >>= 7 {
		length++
	}
	return length
}

// deltasAsLong is the first number above n whose varint is longer.
func deltasAsLong(n int) int { return 1 << (7*varint(n) - 1) }
