package blackbox_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/twiceless/twiceless/checker"
	"github.com/twiceless/twiceless/checker/blackbox"
	"github.com/twiceless/twiceless/checker/ops"
)

// What is wrong with a bank's file is told in one error: a header that lacks something, transfers of no known shape.
func TestBankRefusesWhatItCannotJudge(t *testing.T) {
	for text, want := range map[string][]string{
		`{"process":0,"type":"invoke","f":"read","value":null}`: {"header.accounts: is needed", "header.total: is needed"},
		`{"header":{"model":"bank","accounts":["a","a"],"total":"x","negative_allowed":1}}`: {
			"accounts[1]: a is listed twice", "header.total: must be a whole number", "header.negative_allowed: must be true or false"},
		`{"header":{"model":"bank","accounts":["a","b"],"total":1}}
{"process":0,"type":"invoke","f":"transfer","value":{"from":"a","to":"c","amount":-1}}
{"process":1,"type":"invoke","f":"read","value":null}
{"process":1,"type":"ok","f":"read","value":[1]}`: {":2: value.to", ":2: value.amount", ":4: value: read returns"},
	} {
		_, err := blackbox.Check(blackbox.Source{Name: "bank", Reader: strings.NewReader(text)}, "bank", blackbox.Options{})
		for _, w := range want {
			require.ErrorContains(t, err, w)
		}
	}
}

// A bank in which nothing moved before the last read is vacuous: nothing could have gone wrong.
func TestBankWithoutTransfersIsVacuous(t *testing.T) {
	header := fields("accounts", list(text("a")), "total", whole(1))
	read := &ops.Operation{F: "read", Outcome: ops.OK, Call: 2, Return: 3, Out: fields("a", whole(1))}
	move := fields("from", text("a"), "to", text("a"), "amount", whole(1))
	for call, want := range map[int64]checker.Verdict{0: checker.Pass, 4: checker.Vacuous} {
		transfer := &ops.Operation{F: "transfer", Outcome: ops.OK, Call: call, Return: call + 1, In: move}
		r := judged(t, "bank", header, blackbox.Options{}, []*ops.Operation{transfer, read})
		require.Equal(t, want, r.Verdict(), "transfer at %d", call)
	}
}
