package blackbox

import (
	"strconv"
	"strings"

	"github.com/twiceless/twiceless/checker/ops"
)

// none stands for an operation, a record or a position that is not there.
const none = int32(-1)

// noOffset is the offset of a record that nobody told.
const noOffset = int64(-1)

// kafkaStore is a history in compact form: names are numbers, and what an operation did is a range of a flat slice.
// A record is a value at an offset; nearly every value has one, so a returned record costs four bytes however often it
// is returned.
type kafkaStore struct {
	keys      []string
	processes []string
	ops       []kafkaOp
	values    []kafkaValue
	records   []kafkaRecord
	sends     []int32 // records, by operation
	reads     []int32 // records, by operation; nextPoll between two polls of one operation
	lists     []int32 // keys of assign and subscribe, by operation

	keyByInt  map[int64]int32
	keyByName map[string]int32
	process   map[string]int32
	numbered  map[kafkaNumber]int32
	texts     map[kafkaText]int32
	further   map[kafkaAt]int32 // records, without the first of each value
}

// nextPoll stands between the records of two polls of one operation.
const nextPoll = int32(-2)

// A kafkaNumber and a kafkaText are the value of a key: a number is looked up several times faster.
type kafkaNumber struct {
	number int64
	key    int32
	kind   ops.Kind
}

type kafkaText struct {
	text string
	key  int32
}

type kafkaAt struct {
	offset int64
	value  int32
}

// kafkaFunc is what an operation does.
type kafkaFunc uint8

const (
	kafkaTransact kafkaFunc = iota // send, poll, txn
	kafkaAssign
	kafkaSubscribe
	kafkaCrash
)

// kafkaOp is an operation. Its sends, reads and listed keys begin where those of the operation before it end.
type kafkaOp struct {
	call, ret              int64
	invoked, completed     int64
	callTime, completeTime int64
	line                   int64
	process                int32
	sendsEnd, readsEnd     int32
	listEnd                int32
	proof                  int32 // the acknowledged poll that first returned a value of it; none = there is none
	f                      kafkaFunc
	outcome                ops.Type
	polls                  bool // it polled, perhaps to get nothing
}

// kafkaValue is a value of a key.
type kafkaValue struct {
	number int64
	text   string // of kind Text
	key    int32
	first  int32 // its records are a chain
	writer int32 // the operation that sent it; none = nobody
	reader int32 // the first acknowledged operation that polled it; none = nobody
	lowest int32 // its first position; none = there is no evidence of any
	last   int32 // its last position, the same
	kind   ops.Kind
	unsure bool // an operation of unknown outcome polled it
	again  bool // an acknowledged poll of a process that subscribes returned it
}

// kafkaRecord is a value at an offset.
type kafkaRecord struct {
	offset int64 // noOffset = nobody told
	value  int32
	next   int32 // of the same value
	shown  int32 // the first operation that is evidence for it; none = there is no evidence
	pos    int32 // rank among the offsets that hold something; none = not known
}

func newKafkaStore() kafkaStore {
	return kafkaStore{
		keyByInt: map[int64]int32{}, keyByName: map[string]int32{}, process: map[string]int32{},
		numbered: map[kafkaNumber]int32{}, texts: map[kafkaText]int32{}, further: map[kafkaAt]int32{},
	}
}

// key is the number of a key; ok is false if the value is no name.
func (s *kafkaStore) key(v ops.Value) (k int32, ok bool) {
	if v.Kind == ops.Int {
		if k, ok = s.keyByInt[v.Int]; ok {
			return k, true
		}
		k = s.keyNamed(strconv.FormatInt(v.Int, 10))
		s.keyByInt[v.Int] = k
		return k, true
	}
	name, ok := v.Name()
	if !ok {
		return none, false
	}
	return s.keyNamed(name), true
}

func (s *kafkaStore) keyNamed(name string) int32 {
	k, ok := s.keyByName[name]
	if !ok {
		k = int32(len(s.keys))
		name = strings.Clone(name) // it may be a piece of a whole line
		s.keyByName[name] = k
		s.keys = append(s.keys, name)
	}
	return k
}

func (s *kafkaStore) processNamed(name string) int32 {
	p, ok := s.process[name]
	if !ok {
		p = int32(len(s.processes))
		name = strings.Clone(name)
		s.process[name] = p
		s.processes = append(s.processes, name)
	}
	return p
}

// value is the number of a scalar as a value of a key.
func (s *kafkaStore) value(key int32, v ops.Value) int32 {
	fresh := kafkaValue{number: v.Int, key: key, first: none, writer: none, reader: none, lowest: none, last: none, kind: v.Kind}
	if v.Kind == ops.Text {
		n, ok := s.texts[kafkaText{v.Text, key}]
		if !ok {
			n = int32(len(s.values))
			fresh.text = strings.Clone(v.Text)
			s.texts[kafkaText{fresh.text, key}] = n
			s.values = append(s.values, fresh)
		}
		return n
	}
	at := kafkaNumber{v.Int, key, v.Kind}
	n, ok := s.numbered[at]
	if !ok {
		n = int32(len(s.values))
		s.numbered[at] = n
		s.values = append(s.values, fresh)
	}
	return n
}

// record is the number of a value at an offset. All but the first of a value are looked up: a broker that repeats one
// value for ever must not make its chain be walked for ever.
func (s *kafkaStore) record(value int32, offset int64) int32 {
	v := &s.values[value]
	if v.first != none && s.records[v.first].offset == offset {
		return v.first
	}
	at := kafkaAt{offset, value}
	r, ok := s.further[at]
	if ok {
		return r
	}
	r = int32(len(s.records))
	s.records = append(s.records, kafkaRecord{offset: offset, value: value, next: none, shown: none, pos: none})
	if v.first == none {
		v.first = r
		return r
	}
	first := &s.records[v.first]
	s.records[r].next, first.next = first.next, r
	s.further[at] = r
	return r
}

// keyOf is the key of a record.
func (s *kafkaStore) keyOf(record int32) int32 { return s.values[s.records[record].value].key }

// sendsOf are the records that an operation sent, in order.
func (s *kafkaStore) sendsOf(op int32) []int32 {
	if op == 0 {
		return s.sends[:s.ops[0].sendsEnd]
	}
	return s.sends[s.ops[op-1].sendsEnd:s.ops[op].sendsEnd]
}

// readsOf are the records that an operation was handed, in order, with nextPoll between polls.
func (s *kafkaStore) readsOf(op int32) []int32 {
	if op == 0 {
		return s.reads[:s.ops[0].readsEnd]
	}
	return s.reads[s.ops[op-1].readsEnd:s.ops[op].readsEnd]
}

// listOf are the keys that an operation assigned or subscribed to.
func (s *kafkaStore) listOf(op int32) []int32 {
	if op == 0 {
		return s.lists[:s.ops[0].listEnd]
	}
	return s.lists[s.ops[op-1].listEnd:s.ops[op].listEnd]
}

// proveCommits notes which operations are known to be committed by what was read of them.
func (s *kafkaStore) proveCommits() {
	for i := range s.values {
		v := &s.values[i]
		if v.writer == none || v.reader == none {
			continue
		}
		if w := &s.ops[v.writer]; w.proof == none || w.proof > v.reader {
			w.proof = v.reader
		}
	}
}

// committed says whether an operation is known to have happened: it was acknowledged, or its outcome is unknown and
// an acknowledged poll returned a value of it.
func (s *kafkaStore) committed(op int32) bool {
	o := &s.ops[op]
	return o.outcome == ops.OK || o.outcome == ops.Info && o.proof != none
}
