package store

import (
	"strconv"

	"github.com/twiceless/twiceless/sim"
)

// file is the name of a store's only file: the changes of its records, in order.
const file = "claims"

// name identifies a record.
type name struct{ event, stage string }

// state of a record; token is empty when absent.
type state struct {
	is    status
	token string
}

type status uint8

const (
	absent status = iota
	pending
	done
)

// change is one line of the file: a record's new state.
type change struct {
	name
	state
}

// encode writes a change as a netstring of netstrings: one that is cut short anywhere does not decode.
func (c *change) encode() string {
	b := make([]byte, 0, 64)
	for _, s := range [...]string{c.event, c.stage, c.token, strconv.Itoa(int(c.is))} {
		b = appendString(b, s)
	}
	return string(appendString(nil, string(b)))
}

func decode(s string) (c change, ok bool) {
	body, rest, ok := cut(s)
	if !ok || rest != "" {
		return change{}, false
	}
	is := ""
	for _, field := range [...]*string{&c.event, &c.stage, &c.token, &is} {
		if *field, body, ok = cut(body); !ok {
			return change{}, false
		}
	}
	n, err := strconv.Atoi(is)
	c.is = status(n)
	return c, err == nil && body == ""
}

// changes reads the file; the node may be down. A line torn by a power loss, which the next boot would cut off, is
// left out.
func changes(n *sim.Node) []change {
	lines := n.Disk().Read(file)
	out := make([]change, 0, len(lines))
	for i, s := range lines {
		c, ok := decode(s)
		if !ok && i == len(lines)-1 {
			break
		}
		if !ok {
			panic("store: damaged record " + strconv.Quote(s))
		}
		out = append(out, c)
	}
	return out
}

// FinalState states what the store still holds undecided: one fact per pending record, in order of first insertion.
// It reads the disk only, so it works while the node is down.
func FinalState(n *sim.Node) {
	all := changes(n)
	last := make(map[name]state, len(all))
	for i := range all {
		last[all[i].name] = all[i].state
	}
	for i := range all {
		if last[all[i].name].is == pending {
			n.Held(all[i].event, all[i].stage, Service, "undecided", -1)
			delete(last, all[i].name)
		}
	}
}

func cut(s string) (field, rest string, ok bool) {
	for i := range len(s) {
		if s[i] != ':' {
			continue
		}
		n, err := strconv.Atoi(s[:i])
		if err != nil || n < 0 || n > len(s)-i-1 {
			return "", "", false
		}
		return s[i+1 : i+1+n], s[i+1+n:], true
	}
	return "", "", false
}

func appendString(b []byte, s string) []byte {
	b = strconv.AppendInt(b, int64(len(s)), 10)
	b = append(b, ':')
	return append(b, s...)
}
