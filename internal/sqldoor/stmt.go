package sqldoor

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"reflect"
	"time"

	"github.com/twiceless/twiceless/model"
)

// PrepareContext parses. The database is not asked: it gets parsed statements.
func (c *conn) PrepareContext(ctx context.Context, query string) (driver.Stmt, error) {
	if c.broken {
		return nil, driver.ErrBadConn
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	all, err := c.parse(query)
	if err != nil {
		return nil, err
	}
	return &stmt{conn: c, all: all}, nil
}

type stmt struct {
	conn *conn
	all  []command
}

var _ interface {
	driver.Stmt
	driver.StmtExecContext
	driver.StmtQueryContext
} = (*stmt)(nil)

func (s *stmt) ExecContext(ctx context.Context, args []driver.NamedValue) (driver.Result, error) {
	return result(s.conn.execute(ctx, s.all, args))
}

func (s *stmt) QueryContext(ctx context.Context, args []driver.NamedValue) (driver.Rows, error) {
	return newRows(s.conn.execute(ctx, s.all, args))
}

func (s *stmt) Close() error { return nil }

// NumInput leaves the counting to arguments, whose error is the same with and without Prepare.
func (s *stmt) NumInput() int { return -1 }

var errWithoutContext = errors.New("sqldoor: only the calls with a context are there")

func (s *stmt) Exec([]driver.Value) (driver.Result, error) { return nil, errWithoutContext }
func (s *stmt) Query([]driver.Value) (driver.Rows, error)  { return nil, errWithoutContext }

// CheckNamedValue converts an argument the way database/sql does by default: Valuers, pointers, integers of all sizes. Floats
// and named arguments are refused.
func (c *conn) CheckNamedValue(v *driver.NamedValue) error {
	if v.Name != "" {
		return errors.New("named arguments are not known, only $1 and ?")
	}
	converted, err := driver.DefaultParameterConverter.ConvertValue(v.Value)
	if err != nil {
		return err
	}
	if _, err := toSQL(converted); err != nil {
		return err
	}
	v.Value = converted
	return nil
}

func toSQL(v driver.Value) (model.SQLValue, error) {
	switch v := v.(type) {
	case nil:
		return model.SQLValue{}, nil
	case int64:
		return model.SQLValue{Kind: model.SQLInteger, Int: v}, nil
	case string:
		return model.SQLValue{Kind: model.SQLText, Text: v}, nil
	case []byte:
		if v == nil {
			return model.SQLValue{}, nil
		}
		return model.SQLValue{Kind: model.SQLBytes, Text: string(v)}, nil
	case bool:
		return boolean(v).Value, nil
	case time.Time:
		t, ok := timeValue(v)
		if !ok {
			return model.SQLValue{}, fmt.Errorf("the modelled database has times from 1678 to 2261, not %s", v.Format(time.RFC3339))
		}
		return t, nil
	case float64:
		return model.SQLValue{}, errors.New("the modelled database has no floats: amounts are integers of the smallest unit")
	}
	return model.SQLValue{}, fmt.Errorf("the modelled database has no values of type %T", v)
}

func fromSQL(v model.SQLValue) driver.Value {
	switch v.Kind {
	case model.SQLInteger:
		return v.Int
	case model.SQLText:
		return v.Text
	case model.SQLBytes:
		return []byte(v.Text)
	case model.SQLBoolean:
		return v.Int != 0
	case model.SQLTime:
		return time.Unix(0, v.Int).UTC()
	}
	return nil
}

// rows are the whole answer: it came in one message.
type rows struct {
	reply model.SQLReply
	next  int
}

func newRows(reply model.SQLReply, err error) (driver.Rows, error) {
	if err != nil {
		return nil, err
	}
	return &rows{reply: reply}, nil
}

func (r *rows) Columns() []string { return r.reply.Columns }
func (r *rows) Close() error      { return nil }

func (r *rows) Next(dest []driver.Value) error {
	if r.next == len(r.reply.Rows) {
		return io.EOF
	}
	for i, v := range r.reply.Rows[r.next] {
		dest[i] = fromSQL(v)
	}
	r.next++
	return nil
}

// kind is that of the first value in a column: the answer holds values, not types.
func (r *rows) kind(column int) model.SQLKind {
	for _, row := range r.reply.Rows {
		if k := row[column].Kind; k != model.SQLNull {
			return k
		}
	}
	return model.SQLNull
}

// ColumnTypeDatabaseTypeName is "" for a column without values.
func (r *rows) ColumnTypeDatabaseTypeName(column int) string {
	return [...]string{
		model.SQLNull: "", model.SQLInteger: "INT8", model.SQLText: "TEXT", model.SQLBytes: "BYTEA", model.SQLBoolean: "BOOL", model.SQLTime: "TIMESTAMPTZ",
	}[r.kind(column)]
}

// ColumnTypeScanType is any for a column without values.
func (r *rows) ColumnTypeScanType(column int) reflect.Type {
	if k := r.kind(column); k != model.SQLNull {
		return reflect.TypeOf(fromSQL(model.SQLValue{Kind: k}))
	}
	return reflect.TypeFor[any]()
}
