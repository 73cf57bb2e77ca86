package sqldoor

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"strconv"
	"sync/atomic"

	"github.com/twiceless/twiceless/model"
)

// Transport carries the requests of connections to a database. Its methods are called by several goroutines at once, those of
// one session one after the other, but for Tell of SQLCancel.
type Transport interface {
	// Do waits for the answer to req. session is the connection; req.Session has it only in a transaction. An error that
	// holds a *model.SQLError is the database's answer. Any other error breaks the connection; if it holds ErrNotSent, the
	// database has certainly not seen the request. When ctx ends, Do returns soon, with an error that holds ctx.Err().
	Do(ctx context.Context, session string, req model.SQLRequest) (model.SQLReply, error)

	// Tell sends what nobody waits for: SQLCancel of the request that the session has given up, and SQLClose of a session
	// whose transaction may be open. It must not block.
	Tell(session string, req model.SQLRequest)
}

// Options of a pool of connections. The zero value is fine.
type Options struct {
	// Errors makes of an answer of the database the error that the code under test looks for, such as a
	// &pgconn.PgError{Code: e.Code, ConstraintName: e.Constraint}. nil = the *Error itself.
	Errors func(*Error) error

	// Parsed is shared by the pools of one test; nil = each text is parsed anew.
	Parsed *Cache

	// Note is told of what the code under test creates and the database does not keep: indexes and foreign keys. nil = nobody.
	Note func(string)
}

func (o *Options) error(e *Error) error {
	if o.Errors == nil {
		return e
	}
	return o.Errors(e)
}

// Open makes a pool of connections to the database behind t. Its connections are the sessions c1, c2, … in the order in which
// they are opened. Close ends the goroutine of the pool.
func Open(t Transport, opts Options) *sql.DB { return sql.OpenDB(NewConnector(t, opts)) }

// NewConnector is for code that makes the pool by itself, or wraps the driver.
func NewConnector(t Transport, opts Options) driver.Connector {
	return &connector{transport: t, opts: opts}
}

type connector struct {
	transport Transport
	opts      Options
	opened    atomic.Int64
}

// Connect sends nothing: a connection to a database that cannot be reached fails with its first request.
func (c *connector) Connect(ctx context.Context) (driver.Conn, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return &conn{connector: c, name: "c" + strconv.FormatInt(c.opened.Add(1), 10)}, nil
}

// Driver is there for database/sql, which asks for it.
func (c *connector) Driver() driver.Driver { return namelessDriver{} }

type namelessDriver struct{}

func (namelessDriver) Open(string) (driver.Conn, error) {
	return nil, errors.New("sqldoor: the modelled database has no address; its pool is made by Open")
}
