package downstream

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/twiceless/twiceless/internal/sqldoor"
	"github.com/twiceless/twiceless/model"
	"github.com/twiceless/twiceless/sim/history"
)

// newMembers has the rows 1 and 2, at version 2.
func newMembers(t *testing.T) *Relational {
	var schema []*model.SQLStatement
	for _, text := range []string{"CREATE TABLE member (id BIGINT PRIMARY KEY, mail TEXT UNIQUE, age BIGINT)", "CREATE TABLE visit (at BIGINT)"} {
		s, err := sqldoor.Parse(text)
		require.NoError(t, err)
		schema = append(schema, s)
	}
	r, err := NewRelational(schema)
	require.NoError(t, err)
	commitAll(t, r, model.ReadCommitted, "INSERT INTO member VALUES (1, 'a@x', 30), (2, NULL, 40)")
	return r
}

func run(t *testing.T, r *Relational, by *Transaction, text string) *Execution {
	s, err := sqldoor.Parse(text)
	require.NoError(t, err)
	e := r.Execute(by, s, nil)
	require.Nil(t, e.Err, text)
	return e
}

// commitAll commits a transaction of these statements and says what it has read and written.
func commitAll(t *testing.T, r *Relational, level model.Isolation, texts ...string) string {
	by := r.Begin(level, false, 0)
	for _, text := range texts {
		require.Nil(t, run(t, r, by, text).Waits, text)
	}
	return committed(t, r, by)
}

func committed(t *testing.T, r *Relational, by *Transaction) string {
	_, err := r.Prepare(by)
	require.Nil(t, err)
	all := r.Accesses(by)
	r.Commit(by)
	return history.Accesses(all)
}

// What a transaction reads and writes, alone. The row 1 is also known by its mail; the row 2 has none.
func TestWhatTransactionsReadAndWrite(t *testing.T) {
	for name, c := range map[string]struct {
		texts []string
		want  string
	}{
		"a row by its key":                   {[]string{"SELECT age FROM member WHERE id = 1"}, "r2:member/1"},
		"a row by another key":               {[]string{"SELECT age FROM member WHERE mail = 'a@x'"}, "r2:member.member_mail_key/a@x"},
		"no row":                             {[]string{"SELECT age FROM member WHERE id = 9"}, "r0:member/9"},
		"a row that does not match the rest": {[]string{"SELECT age FROM member WHERE id = 1 AND age > 99"}, "r2:member/1"},
		"the rows that a scan takes":         {[]string{"SELECT age FROM member WHERE age > 35"}, "r2:member/2"},
		"twice the same":                     {[]string{"SELECT age FROM member WHERE id = 1", "SELECT mail FROM member WHERE id = 1"}, "r2:member/1"},
		"in a subselect":                     {[]string{"SELECT age FROM member WHERE id = 9 OR EXISTS (SELECT 1 FROM member WHERE id = 2)"}, "r2:member/2 r2:member/1"},
		"an update reads":                    {[]string{"UPDATE member SET age = age + 1 WHERE id = 2"}, "r2:member/2 w2>3:member/2"},
		"under both keys":                    {[]string{"UPDATE member SET age = 1 WHERE id = 1"}, "r2:member/1 w2>3:member/1 w2>3:member.member_mail_key/a@x"},
		"a key that moves":                   {[]string{"UPDATE member SET id = 7 WHERE id = 2"}, "r2:member/2 w2>3:member/2 w0>3:member/7"},
		"an insert has not looked":           {[]string{"INSERT INTO member VALUES (3, NULL, 1)"}, "w0>3:member/3"},
		"an insert that looked":              {[]string{"INSERT INTO member VALUES (3, 'c', 1) ON CONFLICT DO NOTHING"}, "r0:member/3 r0:member.member_mail_key/c w0>3:member/3 w0>3:member.member_mail_key/c"},
		"an insert that met a row":           {[]string{"INSERT INTO member VALUES (2, 'c', 1) ON CONFLICT DO NOTHING"}, "r2:member/2"},
		"a row without a key":                {[]string{"INSERT INTO visit VALUES (5)", "SELECT at FROM visit"}, "w0>3:visit/#1"},
		"its own write":                      {[]string{"UPDATE member SET age = 1 WHERE id = 2", "SELECT age FROM member WHERE id = 2"}, "r2:member/2 w2>3:member/2"},
		"what it has deleted":                {[]string{"DELETE FROM member WHERE id = 2", "SELECT age FROM member WHERE id = 2"}, "r2:member/2 w2>3:member/2"},
		"as it was before":                   {[]string{"UPDATE member SET age = 1 WHERE id = 2", "UPDATE member SET age = 40 WHERE id = 2"}, "r2:member/2"},
		"deleted, inserted and deleted":      {[]string{"DELETE FROM member WHERE id = 2", "INSERT INTO member VALUES (2, NULL, 1)", "DELETE FROM member WHERE id = 2"}, "r2:member/2 w2>3:member/2"},
		"inserted and deleted":               {[]string{"INSERT INTO member VALUES (3, NULL, 1)", "DELETE FROM member WHERE id = 3", "SELECT 1 FROM member WHERE id = 3"}, "r0:member/3"},
	} {
		t.Run(name, func(t *testing.T) {
			for _, level := range []model.Isolation{model.ReadCommitted, model.Serializable} {
				require.Equal(t, c.want, commitAll(t, newMembers(t), level, c.texts...), level)
			}
		})
	}
}

// A transaction has seen what it was shown, not what there is: a snapshot that of its beginning, a statement that waited the
// newest.
func TestReadsAreOfWhatWasShown(t *testing.T) {
	r := newMembers(t)
	snapshot := r.Begin(model.Serializable, false, 0)
	run(t, r, snapshot, "SELECT age FROM member WHERE id = 1")
	first, second := r.Begin(model.ReadCommitted, false, 0), r.Begin(model.ReadCommitted, false, 0)
	run(t, r, first, "UPDATE member SET age = age + 1 WHERE id = 2")
	waits := run(t, r, second, "UPDATE member SET age = age + 1 WHERE id = 2")
	require.NotNil(t, waits.Waits)
	require.Equal(t, "r2:member/2 w2>3:member/2", committed(t, r, first))
	require.Nil(t, waits.Waits)
	require.Equal(t, "r2:member/2 r3:member/2 w3>4:member/2", committed(t, r, second))
	run(t, r, snapshot, "SELECT age FROM member WHERE id = 2")
	require.Equal(t, "r2:member/1 r2:member/2", committed(t, r, snapshot))
}

// Who inserts a key and deletes it again has not written it. At read committed it then sees what another has made of it.
func TestWhatWasUndoneIsReadLikeAnyOther(t *testing.T) {
	r := newMembers(t)
	by := r.Begin(model.ReadCommitted, false, 0)
	run(t, r, by, "INSERT INTO member VALUES (3, NULL, 1)")
	run(t, r, by, "DELETE FROM member WHERE id = 3")
	commitAll(t, r, model.ReadCommitted, "INSERT INTO member VALUES (3, NULL, 2)")
	run(t, r, by, "UPDATE member SET age = 5 WHERE id = 3")
	require.Equal(t, "r3:member/3 w3>4:member/3", committed(t, r, by))
}

// The versions of a key go on where they were when its row is long gone, and after a restart.
func TestVersionsOfAKeyGoOn(t *testing.T) {
	r := newMembers(t)
	var disk [][]Change
	for _, text := range []string{"DELETE FROM member WHERE id = 2", "INSERT INTO visit VALUES (1)"} {
		by := r.Begin(model.ReadCommitted, false, 0)
		run(t, r, by, text)
		changes, err := r.Prepare(by)
		require.Nil(t, err)
		disk = append(disk, changes)
		r.Commit(by)
	}
	again := newMembers(t)
	for _, changes := range disk {
		again.Load(changes)
	}
	for _, r := range []*Relational{r, again} {
		require.Equal(t, "r3:member/2 r0:member/9 w3>5:member/2", commitAll(t, r, model.Serializable,
			"SELECT 1 FROM member WHERE id = 2", "SELECT 1 FROM member WHERE id = 9", "INSERT INTO member VALUES (2, NULL, 1)"))
	}
}

// Texts of keys are kept apart from what stands between them.
func TestObjectsHaveDistinctNames(t *testing.T) {
	s, err := sqldoor.Parse("CREATE TABLE pair (a TEXT, b TEXT, PRIMARY KEY (a, b))")
	require.NoError(t, err)
	r, err := NewRelational([]*model.SQLStatement{s})
	require.NoError(t, err)
	require.Equal(t, "w0>2:pair/a%252Cb,c w0>2:pair/a,b%252Cc w0>2:pair/%25231,50%2525",
		commitAll(t, r, model.ReadCommitted, "INSERT INTO pair VALUES ('a,b', 'c'), ('a', 'b,c'), ('#1', '50%')"))
}
