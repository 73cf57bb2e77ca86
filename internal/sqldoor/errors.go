package sqldoor

import (
	"context"
	"database/sql/driver"
	"errors"
	"strings"

	"github.com/twiceless/twiceless/model"
)

// Error is what the database answered instead of doing what a statement asked for. It changed nothing.
//
// Code that asks errors.As for an interface{ SQLState() string } finds it, as it finds pgconn.PgError and pq.Error; for code
// that asks for such a type itself see [Options].
type Error struct {
	Code       string // SQLSTATE
	Message    string
	Constraint string // the key of a unique violation; "" = none

	cause error // what the database answered; nil = it was found out before
}

func (e *Error) Error() string { return "sql: " + e.Message + " (SQLSTATE " + e.Code + ")" }

// SQLState is Code.
func (e *Error) SQLState() string { return e.Code }

func (e *Error) Unwrap() error { return e.cause }

// endsConnection says whether a database that answers with code closes the connection after it.
func endsConnection(code string) bool {
	return strings.HasPrefix(code, "08") || strings.HasPrefix(code, "57P") || code == model.SQLIdleTransaction
}

// ErrNotSent in the error of a Transport says that nothing of the request has reached the database, and nothing will.
var ErrNotSent = errors.New("the request was not sent")

// failed turns the error of a request into what database/sql is told, and notes what it means for the connection.
//
//   - An answer of the database is an *Error. The connection is as good as before, unless the answer ended it.
//   - Anything else has broken the connection. Whether the request was carried out is not known in general. Only where it
//     certainly was not, database/sql is told driver.ErrBadConn, upon which it repeats the statement by itself on another
//     connection. A driver that says so without being certain lets statements be carried out twice: golang/go#11978. pgx
//     asks the same question (pgconn.SafeToRetry); lib/pq says it of a connection that was lost while it waited for the
//     answer, too (lib/pq#939), and so repeats what we do not repeat.
//   - A new connection whose first request is not sent is one that could not be opened. Drivers do not repeat that.
func (c *conn) failed(ctx context.Context, err error) error {
	if answer, ok := errors.AsType[*model.SQLError](err); ok {
		c.used = true
		c.broken = c.broken || endsConnection(answer.Code)
		return c.opts.error(&Error{Code: answer.Code, Message: answer.Message, Constraint: answer.Constraint, cause: answer})
	}
	c.broken = true
	switch {
	case errors.Is(err, ErrNotSent):
		if c.used {
			return &badConn{err}
		}
	case ctx.Err() != nil: // the caller has given up
		c.transport.Tell(c.name, c.request(model.SQLCancel))
	}
	return err
}

// badConn is driver.ErrBadConn with its cause.
type badConn struct{ cause error }

func (e *badConn) Error() string        { return driver.ErrBadConn.Error() + ": " + e.cause.Error() }
func (e *badConn) Unwrap() error        { return e.cause }
func (e *badConn) Is(target error) bool { return target == driver.ErrBadConn }
