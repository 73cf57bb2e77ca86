package twiceless

import (
	"encoding/json"
	"time"

	"github.com/twiceless/twiceless/loop"
	"github.com/twiceless/twiceless/model"
	"github.com/twiceless/twiceless/sim"
)

// eventHeader carries the id of the business event.
const eventHeader = "event"

// envelope is what a message of the log does not hold of a record by itself.
type envelope struct {
	Headers []loop.Header
	Time    int64 // ms since 1970
	NoKey   bool  // nil, not empty
	NoValue bool
}

// messageOf is a record as the log keeps it. The zero time is now.
func messageOf(r loop.Record) model.Message {
	if r.Time.IsZero() {
		r.Time = time.Now()
	}
	m := model.Message{Intent: model.Intent{Key: string(r.Key)}, Payload: string(r.Value)}
	for _, h := range r.Headers {
		if h.Key == eventHeader {
			m.Event, m.Correlation = string(h.Value), string(h.Value)
		}
	}
	head, _ := json.Marshal(envelope{r.Headers, r.Time.UnixMilli(), r.Key == nil, r.Value == nil}) // cannot fail
	m.Headers = string(head)
	return m
}

// record is a message of the log as a loop reads it: one that a loop has produced, or the event of a producer.
func (cl *client) record(m *model.Message) loop.Record {
	r := loop.Record{Topic: m.Topic, Partition: int32(m.Partition), Offset: m.Offset}
	var e envelope
	if json.Unmarshal([]byte(m.Headers), &e) != nil {
		appended := cl.m.gu.hall.World.History.At(m.Stored).Time
		e = envelope{[]loop.Header{{Key: eventHeader, Value: []byte(m.Event)}}, cl.m.gu.b.Date(sim.Time(appended)).UnixMilli(), m.Key == "", false}
		r.Value = []byte(cl.m.gu.h.brought.payloadOf(*m))
	} else if !e.NoValue {
		r.Value = []byte(m.Payload)
	}
	if !e.NoKey {
		r.Key = []byte(m.Key)
	}
	r.Headers, r.Time = e.Headers, time.UnixMilli(e.Time)
	return r
}
