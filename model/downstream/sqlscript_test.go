package downstream

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/twiceless/twiceless/internal/scripttest"
	"github.com/twiceless/twiceless/internal/sqldoor"
	"github.com/twiceless/twiceless/model"
)

// TestSQLScripts plays testdata/sql/*.txt. "> " goes before the name of a session and what it says, "#" before a comment;
// what is indented is what came of it. go test -update writes it anew.
func TestSQLScripts(t *testing.T) { scripttest.Files(t, "testdata/sql/*.txt", playSQL) }

// sqlScript is some sessions at one engine. A statement outside of a transaction commits by itself. A deadlock is found
// at once. What is committed is kept as a disk would hold it.
type sqlScript struct {
	t        *testing.T
	r        *Relational
	sessions []*scriptSession
	disk     []string
	out      strings.Builder
}

type scriptSession struct {
	name string
	t    *Transaction
	auto bool
	e    *Execution // waits
}

func playSQL(t *testing.T, text string) string {
	p := &sqlScript{t: t}
	p.r, _ = NewRelational(nil)
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(line, "\n")
		if !strings.HasPrefix(line, " ") {
			p.out.WriteString(line + "\n")
		}
		if said, ok := strings.CutPrefix(line, "> "); ok {
			name, said, _ := strings.Cut(said, " ")
			p.say(name, said)
		}
	}
	for _, s := range p.sessions {
		require.Nil(t, s.e, "%s waits at the end", s.name)
	}
	p.restart()
	return p.out.String()
}

func (p *sqlScript) say(name, said string) {
	if name == "restart" {
		p.restart()
		return
	}
	i := slices.IndexFunc(p.sessions, func(s *scriptSession) bool { return s.name == name })
	if i < 0 {
		p.sessions, i = append(p.sessions, &scriptSession{name: name}), len(p.sessions)
	}
	s := p.sessions[i]
	require.Nil(p.t, s.e, "%s waits", name)
	switch said {
	case "begin", "begin serializable", "begin read only":
		level := model.ReadCommitted
		if said == "begin serializable" {
			level = model.Serializable
		}
		s.t = p.r.Begin(level, said == "begin read only", 1_000_000_000)
	case "commit":
		p.commit(s, "committed")
	case "rollback":
		p.r.Rollback(s.t)
		s.t = nil
		p.print(s, "rolled back")
	default:
		p.statement(s, said)
	}
	p.finished()
}

// statement may end with its arguments: SELECT … WHERE id = $1 -- 7, 'a'
func (p *sqlScript) statement(s *scriptSession, said string) {
	said, list, _ := strings.Cut(said, " -- ")
	st, err := sqldoor.Parse(said)
	require.NoError(p.t, err)
	if s.auto = s.t == nil; s.auto {
		s.t = p.r.Begin(model.ReadCommitted, false, 1_000_000_000)
	}
	e := p.r.Execute(s.t, st, arguments(p.t, list))
	if e.Waits == nil {
		p.ended(s, e)
		return
	}
	s.e = e
	p.print(s, "waits for "+p.nameOf(e.Waits))
	if p.r.Deadlocked(e) {
		s.e = nil
		p.r.Fail(e, failure(model.SQLDeadlock, "deadlock detected"))
		p.ended(s, e)
	}
}

func arguments(t *testing.T, list string) (args []model.SQLValue) {
	for _, a := range strings.Split(list, ", ") {
		switch n, err := strconv.ParseInt(a, 10, 64); {
		case a == "":
		case err == nil:
			args = append(args, model.SQLValue{Kind: model.SQLInteger, Int: n})
		default:
			require.Equal(t, "'", a[:1])
			args = append(args, model.SQLValue{Kind: model.SQLText, Text: strings.Trim(a, "'")})
		}
	}
	return args
}

// finished prints what statements that waited have come to, and who waits for another now.
func (p *sqlScript) finished() {
	for done := p.r.Finished(); len(done) > 0; done = p.r.Finished() {
		for _, e := range done {
			i := slices.IndexFunc(p.sessions, func(s *scriptSession) bool { return s.e == e })
			s := p.sessions[i]
			s.e = nil
			p.ended(s, e)
		}
	}
}

func (p *sqlScript) nameOf(t *Transaction) string {
	i := slices.IndexFunc(p.sessions, func(s *scriptSession) bool { return s.t == t })
	return p.sessions[i].name
}

func (p *sqlScript) ended(s *scriptSession, e *Execution) {
	if e.Err != nil {
		p.print(s, e.Err.Error())
		if s.auto {
			p.r.Rollback(s.t)
			s.t = nil
		}
		return
	}
	for _, row := range e.Reply.Rows {
		var cells []string
		for i, v := range row {
			cells = append(cells, e.Reply.Columns[i]+"="+show(v))
		}
		p.print(s, strings.Join(cells, " "))
	}
	if e.Statement.Does != model.SQLSelect || e.Reply.Affected == 0 {
		p.print(s, fmt.Sprintf("%d rows", e.Reply.Affected))
	}
	if s.auto {
		p.commit(s, "")
	}
}

func (p *sqlScript) commit(s *scriptSession, say string) {
	if s.t.Failed() {
		say = "rolled back"
	} else if changes, err := p.r.Prepare(s.t); err != nil {
		say = err.Error()
	} else if len(changes) > 0 {
		p.disk = append(p.disk, (&record{changes: changes}).encode())
	}
	if s.t.Failed() {
		p.r.Rollback(s.t)
	} else {
		p.r.Commit(s.t)
	}
	s.t = nil
	if say != "" {
		p.print(s, say)
	}
}

func (p *sqlScript) print(s *scriptSession, what string) {
	fmt.Fprintf(&p.out, "  %s: %s\n", s.name, what)
}

// restart is a new engine from the disk, with the same rows in the same order.
func (p *sqlScript) restart() {
	for _, s := range p.sessions {
		if s.t != nil {
			p.r.Rollback(s.t)
			s.t = nil
		}
	}
	before := contents(p.r)
	p.r, _ = NewRelational(nil)
	for _, line := range p.disk {
		rec, ok := decode(line)
		require.True(p.t, ok)
		p.r.Load(rec.changes)
	}
	require.Equal(p.t, before, contents(p.r), "what the disk holds is what was committed")
}

// contents are the committed rows of all tables. It demands that nothing is left of the transactions: no lock, no version
// that nobody sees, no key that leads to a row that has not got it.
func contents(r *Relational) (out []string) {
	for _, in := range r.tables {
		keys := 0
		for _, x := range in.rows {
			if x.owner != nil || len(x.versions) != 1 || x.latest().values == nil {
				out = append(out, fmt.Sprintf("%s/%d is not clean", in.name, x.id))
			}
			line := in.name
			for _, v := range x.latest().values {
				line += " " + show(v)
			}
			for _, k := range in.keys {
				if text, ok := k.at(x.latest().values); ok {
					keys++
					if !slices.Contains(k.index[text], x) {
						out = append(out, fmt.Sprintf("%s/%d is not in %s", in.name, x.id, k.name))
					}
				}
			}
			out = append(out, line)
		}
		for _, k := range in.keys {
			keys -= len(k.index)
		}
		if keys != 0 {
			out = append(out, fmt.Sprintf("%s has %d keys too few", in.name, keys))
		}
	}
	return out
}

func show(v model.SQLValue) string {
	switch v.Kind {
	case model.SQLNull:
		return "NULL"
	case model.SQLInteger:
		return strconv.FormatInt(v.Int, 10)
	case model.SQLBoolean:
		return strconv.FormatBool(v.Int != 0)
	case model.SQLTime:
		return strconv.FormatInt(v.Int, 10) + "ns"
	}
	return "'" + v.Text + "'"
}
