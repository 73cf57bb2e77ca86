package twiceless

import (
	"database/sql/driver"

	"github.com/twiceless/twiceless/internal/sqldoor"
	"github.com/twiceless/twiceless/internal/sqlmemory"
)

// MemorySQL is a database in memory for the world of CheckIdempotent, with the tables of this schema: the database of
// Env.SQL without its network, its disk and its time. It waits for locks as Postgres does, and refuses at once what would
// wait for ever. It panics if the schema cannot be read.
func MemorySQL(schema string) driver.Connector {
	tables, _, err := sqldoor.ParseScript(schema)
	if err != nil {
		panic("twiceless: MemorySQL: " + err.Error())
	}
	memory, err := sqlmemory.New(tables)
	if err != nil {
		panic("twiceless: MemorySQL: " + err.Error())
	}
	return sqldoor.NewConnector(memory, sqldoor.Options{})
}
