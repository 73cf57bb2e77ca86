package model

import (
	"errors"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

// What people read in stories and name in plans.
func TestSQLOps(t *testing.T) {
	for want, r := range map[string]SQLRequest{
		"begin": {Do: SQLBegin}, "commit": {Do: SQLCommit}, "rollback": {Do: SQLRollback}, "cancel": {Do: SQLCancel}, "close": {Do: SQLClose},
		"select":        {Statement: &SQLStatement{}},
		"select-orders": {Statement: &SQLStatement{Table: "orders"}},
		"insert-orders": {Statement: &SQLStatement{Does: SQLInsert, Table: "orders"}},
		"update-orders": {Statement: &SQLStatement{Does: SQLUpdate, Table: "orders"}},
		"delete-orders": {Statement: &SQLStatement{Does: SQLDelete, Table: "orders"}},
		"create-orders": {Statement: &SQLStatement{Does: SQLCreateTable, Table: "orders"}},
	} {
		require.Equal(t, want, r.Op())
	}
}

// Code that knows the errors of general transactions knows those of SQL; all are definite.
func TestSQLErrors(t *testing.T) {
	for code, is := range map[string][]error{
		SQLUniqueViolation: {ErrUnique}, SQLSerialization: {ErrSerialize}, SQLDeadlock: {ErrSerialize}, SQLSyntax: nil,
	} {
		err := error(&SQLError{Code: code})
		require.True(t, Definite(err))
		for _, known := range []error{ErrUnique, ErrSerialize, ErrFenced} {
			require.Equal(t, slices.Contains(is, known), errors.Is(err, known), code)
		}
	}
}
