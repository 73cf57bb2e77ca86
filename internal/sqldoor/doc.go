// Package sqldoor lets code that uses *sql.DB speak to the modelled database: a driver of database/sql ([Open]) over whatever
// carries its requests ([Transport]), and a parser ([Parse], [ParseScript]) for the SQL that the code brings.
//
// # SQL
//
// The database behaves as Postgres does. What is understood, with words in any case:
//
//	SELECT … FROM one table WHERE … ORDER BY … LIMIT … OFFSET … FOR UPDATE [NOWAIT | SKIP LOCKED]
//	INSERT INTO … VALUES …, … ON CONFLICT [(key)] DO NOTHING | DO UPDATE SET … WHERE … RETURNING …
//	UPDATE … SET … WHERE … RETURNING …     DELETE FROM … WHERE … RETURNING …
//	CREATE TABLE with PRIMARY KEY, UNIQUE, NOT NULL, DEFAULT, serials     BEGIN, COMMIT, ROLLBACK
//
//	AND OR NOT = <> < <= > >= IS [NOT] NULL | TRUE | FALSE, [NOT] IN (values), LIKE, BETWEEN, EXISTS (SELECT …), + - * ||
//	count sum max min coalesce now, INTERVAL '5 minutes', casts
//
// Placeholders are $1 or ?, names may stand in "" or backquotes, and the schema before a table is passed over. From MySQL and SQLite
// come the types and AUTO_INCREMENT, and INSERT [OR] IGNORE, which here ignores a key that is there and no other error. CREATE
// INDEX and foreign keys are read and not kept, with a note. Anything else is refused, with its place: a statement that were
// half understood would judge code by what it does not do. So there are no joins, GROUP BY, subqueries but in EXISTS, CHECK,
// division, NUMERIC or floats.
//
// # The driver
//
// Each driver.Conn is one session of the database while it is in a transaction; any other statement commits by itself. An error
// of the database is an [*Error] with its SQLSTATE. A request whose outcome is not known breaks its connection and is not
// repeated; one that was certainly not carried out is repeated by database/sql. A statement whose context ends is cancelled, and
// its connection closed.
//
// Arguments may be what database/sql converts to integers, texts, bytes, booleans and times; times are kept in microseconds and
// come back in UTC. JSON comes back as bytes, as from other drivers.
//
// What cannot be repeated: where a pool has reached SetMaxOpenConns and more than one goroutine waits, database/sql gives the
// connection that comes free to one of them at random, and nobody can seed that. And goroutines that open connections at one
// instant get their names in the order of the Go scheduler: who needs the order counts sessions by their first request.
//
// Parsed statements are shared by requests and never changed. All that runs here does so on the goroutines of the code under
// test, so it may block, and it is no part of a world.
//
// It imports model only; read parse.go, then conn.go and errors.go.
package sqldoor
