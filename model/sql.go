package model

import "strings"

// SQLVerb is what a connection asks of the database.
type SQLVerb uint8

// SQLExecute runs one statement. SQLBegin, SQLCommit and SQLRollback bound the transaction of a session. SQLCancel is what
// a driver sends beside a connection whose statement it gives up: the statement that runs or waits there ends with
// SQLQueryCanceled, if there still is one. SQLClose says that the connection is closed: what it left open is rolled back.
// A statement that still waits for a lock is run to its end before either is read, as a server does that reads its
// socket only between statements; SQLCancel is the one that does not wait.
const (
	SQLExecute SQLVerb = iota
	SQLBegin
	SQLCommit
	SQLRollback
	SQLCancel
	SQLClose
)

// SQLRequest is one message of a connection to a database. Values only; a statement is never changed once it is made, so
// requests may share one.
//
// A session is one connection of one incarnation of the caller: the same name used by another node, or by the same node
// after a restart, is another session. Statement with a session runs in the open transaction of that session; if the
// database knows of none (it was restarted, or gave the connection up) the answer is SQLConnectionGone and the
// transaction has been rolled back. A statement without a session commits by itself.
type SQLRequest struct {
	Session    string // "" = a statement that commits by itself
	Connection string // of a statement without a session, and of SQLCancel: what SQLCancel finds it by; may be empty
	Do         SQLVerb
	Level      Isolation     // of SQLBegin
	ReadOnly   bool          // of SQLBegin: a statement that writes is refused with SQLReadOnly
	Statement  *SQLStatement // of SQLExecute
	Args       []SQLValue    // of SQLExecute: the value of placeholder n is Args[n-1]
	Cause      int64         // fact id that led here
}

// SQLReply answers SQLExecute; the other verbs are answered with the zero value. Columns and Rows are of a SELECT or of
// RETURNING; Affected counts the rows that were inserted, updated, deleted or returned, as a command tag does.
type SQLReply struct {
	Columns  []string
	Rows     [][]SQLValue
	Affected int64
}

// Op is the op of the request in calls, hooks and stories: begin, commit, rollback, cancel, close, or the verb with its
// table, such as insert-orders.
func (r *SQLRequest) Op() string {
	if r.Do == SQLExecute {
		return r.Statement.Op()
	}
	return [...]string{SQLExecute: "execute", SQLBegin: "begin", SQLCommit: "commit", SQLRollback: "rollback", SQLCancel: "cancel", SQLClose: "close"}[r.Do]
}

// SQLKind is the type of a value or a column.
type SQLKind uint8

// The types. A text that stands where another type is wanted is read as that type, except as a time. A world has no floats: REAL and DOUBLE PRECISION are refused by the driver, and so is NUMERIC, which as text
// would compare '9' above '10' and as an integer would lose its scale: amounts are integers of the smallest unit.
// VARCHAR, UUID and JSON are SQLText.
const (
	SQLNull    SQLKind = iota
	SQLInteger         // 64 bits
	SQLText
	SQLBytes
	SQLBoolean
	SQLTime // ns since the Unix epoch, UTC; kept in whole microseconds, as Postgres keeps it: what is finer is cut off
)

// String names the type as Postgres does.
func (k SQLKind) String() string {
	return [...]string{"unknown", "bigint", "text", "bytea", "boolean", "timestamp with time zone"}[k]
}

// SQLValue is one value; the zero value is NULL. Two values are the same value exactly if they are == in Go.
type SQLValue struct {
	Kind SQLKind
	Int  int64  // of an integer; of a boolean 0 or 1; of a time
	Text string // of a text, or bytes
}

// SQLVerbOf is what a statement does.
type SQLVerbOf uint8

// The statements.
const (
	SQLSelect SQLVerbOf = iota
	SQLInsert
	SQLUpdate
	SQLDelete
	SQLCreateTable
)

// SQLStatement is one parsed statement. Names are folded as Postgres folds them: lower case unless quoted. Which fields
// count depends on Does.
type SQLStatement struct {
	Does  SQLVerbOf
	Table string // "" = a SELECT without FROM
	Alias string // another name for Table in expressions; "" = none

	Create *SQLTable // of CREATE TABLE

	Columns  []string      // INSERT: columns of Values; nil = all, in the order of the table
	Values   [][]*SQLExpr  // INSERT: rows; an expression that is nil stands for DEFAULT
	Conflict *SQLConflict  // INSERT: nil = none
	Set      []SQLSet      // UPDATE
	Items    []SQLItem     // what SELECT answers with, or RETURNING; nil = nothing is returned
	Where    *SQLExpr      // SELECT, UPDATE, DELETE; nil = every row
	Order    []SQLOrder    // SELECT
	Limit    *SQLExpr      // SELECT; nil = none
	Offset   *SQLExpr      // SELECT; nil = none
	Lock     SQLLock       // SELECT
	Locked   SQLLockedRows // SELECT with a lock: what a row locked by another means
	Params   int           // how many placeholders: the highest position
}

// SQLTable is a CREATE TABLE.
type SQLTable struct {
	IfNotExists bool
	Columns     []SQLColumn
	Keys        []SQLKey // of the table and of its columns
}

// SQLColumn of a table.
type SQLColumn struct {
	Name    string
	Type    SQLKind
	Size    int // bits of an integer (16, 32), characters of a text; 0 = 64 bits, any length
	NotNull bool
	Default *SQLExpr // a literal or SQLNow; nil = NULL
	Serial  bool     // SERIAL, BIGSERIAL, identity, AUTOINCREMENT: the default is the next number. At most one column of a table
}

// SQLKey is a PRIMARY KEY or a UNIQUE constraint.
type SQLKey struct {
	Name    string // "" = as Postgres names it: orders_pkey, orders_email_key
	Primary bool   // its columns are NOT NULL
	Columns []string
}

// SQLConflict is ON CONFLICT.
type SQLConflict struct {
	Columns []string // the columns of a key; nil = any key, with DO NOTHING only
	Set     []SQLSet // DO UPDATE; nil = DO NOTHING
	Where   *SQLExpr // of DO UPDATE; nil = none
}

// SQLSet is one assignment.
type SQLSet struct {
	Column string
	To     *SQLExpr // nil = DEFAULT
}

// SQLItem is one column of an answer.
type SQLItem struct {
	Star bool // all columns of the table
	Expr *SQLExpr
	Name string // AS; "" = the column's name, or the function's
}

// SQLOrder is one term of ORDER BY. NULL comes last, or with Desc first.
type SQLOrder struct {
	By   *SQLExpr
	Desc bool
}

// SQLLock is what a SELECT takes on its rows.
type SQLLock uint8

// FOR SHARE is taken as FOR UPDATE by the parser or refused: there is one lock.
const (
	SQLNoLock SQLLock = iota
	SQLForUpdate
)

// SQLLockedRows says what a SELECT FOR UPDATE does about a row that another transaction has locked.
type SQLLockedRows uint8

// The ways.
const (
	SQLWait SQLLockedRows = iota
	SQLSkipLocked
	SQLNoWait // SQLLockNotAvailable
)

// SQLOp is the operator of an expression.
type SQLOp uint8

// The operators, with their operands in Args unless said otherwise. NOT IN, NOT LIKE and IS NOT NULL are SQLNot of the
// positive form; BETWEEN is two comparisons.
const (
	SQLLiteral     SQLOp = iota // Value
	SQLColumnRef                // Name; Table = "", the table, its alias, or "excluded" in DO UPDATE
	SQLPlaceholder              // Position, from 1
	SQLEqual
	SQLNotEqual
	SQLLess
	SQLLessEqual
	SQLGreater
	SQLGreaterEqual
	SQLAnd
	SQLOr
	SQLNot
	SQLIsNull
	SQLIn   // Args[0] is looked for in Args[1:]
	SQLLike // % and _
	SQLAdd  // of a time and an integer: an INTERVAL is a literal of ns
	SQLSubtract
	SQLMultiply
	SQLNegate
	SQLConcat
	SQLNow // CURRENT_TIMESTAMP, now(): the wall clock of the database when the transaction began
	SQLCoalesce
	SQLExists // Sub
	SQLCount  // Args nil = COUNT(*)
	SQLSum
	SQLMax
	SQLMin
)

// SQLExpr is an expression. NULL is neither true nor false, as in SQL.
type SQLExpr struct {
	Op       SQLOp
	Table    string
	Name     string
	Value    SQLValue
	Position int
	Args     []*SQLExpr
	Sub      *SQLStatement
}

// Op names the statement in calls: insert-orders; a SELECT without a table is "select".
func (s *SQLStatement) Op() string {
	verb := [...]string{"select", "insert", "update", "delete", "create"}[s.Does]
	if s.Table == "" {
		return verb
	}
	return verb + "-" + s.Table
}

// SQLError is the answer to a statement that failed. It is definite: the statement changed nothing, and a transaction that
// it was part of can only be rolled back.
type SQLError struct {
	Code       string // SQLSTATE
	Message    string
	Constraint string // of SQLUniqueViolation: the key; "" = none
}

// The SQLSTATE codes that the database answers with; the names are those of Postgres, appendix A.
const (
	SQLFeatureNotSupported = "0A000"
	SQLConnectionGone      = "08003" // the database has no such session, any more
	SQLValueTooLong        = "22001"
	SQLOutOfRange          = "22003"
	SQLInvalidText         = "22P02" // a text that is no number, no boolean
	SQLNotNullViolation    = "23502"
	SQLUniqueViolation     = "23505"
	SQLActiveTransaction   = "25001" // SQLBegin in a transaction
	SQLReadOnly            = "25006"
	SQLNoTransaction       = "25P01"
	SQLFailedTransaction   = "25P02" // an earlier statement of the transaction failed: roll it back
	SQLIdleTransaction     = "25P03" // the connection was ended because its transaction was idle for too long
	SQLSerialization       = "40001" // repeat the transaction
	SQLDeadlock            = "40P01" // repeat the transaction
	SQLSyntax              = "42601"
	SQLUndefinedColumn     = "42703"
	SQLGrouping            = "42803" // a column beside an aggregate
	SQLUndefinedFunction   = "42883" // no such operator for these types
	SQLDuplicateColumn     = "42701"
	SQLDatatypeMismatch    = "42804"
	SQLUndefinedTable      = "42P01"
	SQLDuplicateTable      = "42P07"
	SQLInvalidColumn       = "42P10" // ON CONFLICT names no key
	SQLUndefinedParameter  = "42P02"
	SQLCardinality         = "21000" // ON CONFLICT DO UPDATE meets a row a second time
	SQLLockNotAvailable    = "55P03"
	SQLQueryCanceled       = "57014"
)

func (e *SQLError) Error() string { return e.Message + " (SQLSTATE " + e.Code + ")" }

// Is makes the errors of the general transaction hold: what could not be serialized or met a deadlock is ErrSerialize, a
// unique violation is ErrUnique.
func (e *SQLError) Is(target error) bool {
	return target == ErrSerialize && strings.HasPrefix(e.Code, "40") || target == ErrUnique && e.Code == SQLUniqueViolation
}
