package blackbox

import (
	"fmt"

	"github.com/twiceless/twiceless/checker/ops"
)

// bankJudge judges accounts between which money is moved, by what reads of all of them show. Let A be the accounts and
// T the total of the header. For every read that is ok and returned the balances b:
//
//	keys(b) = A                (unexpected-key, missing-key)
//	no b(a) is null            (nil-balance)
//	b(a) ≥ 0 for every a       (negative-value; told only if the header says "negative_allowed": true)
//	Σ b(a) = T                 (wrong-total; judged if b has a whole number for each account and no other)
//
// A transfer moves an amount ≥ 0 between two accounts of A, so no outcome of any changes the sum, and reads are judged
// one by one. That is all that a sum shows: a transfer that got lost as a whole keeps it.
//
// Assumes that a read is one consistent view of all accounts. Cost: linear. Exercised: reads that are ok, if some
// transfer that did not fail was called before one of them returned; else money never moved, and the history is vacuous.
type bankJudge struct {
	problems        *ops.Problems
	header          ops.Header
	accounts        map[string]bool
	names           []string // as in the header
	total           int64
	negativeAllowed bool
	refused         bool // the header lacks what is needed, and that was said
	moved           bool // a transfer that did not fail
	movedFrom       int64
	lastRead        int64
	reads           int64
	transfers       int64
	report          ops.Report
}

func bank() Model {
	return Model{
		Name:      "bank",
		Doc:       "transfers between accounts keep the sum of all balances",
		Functions: []Function{{"transfer", `{"from": account, "to": account, "amount": ≥ 0}`}, {"read", "null, then {account: balance}"}},
		Header: []Field{
			{"accounts", "the list of all accounts; needed"},
			{"total", "the sum of all balances, a whole number; needed"},
			{"negative_allowed", "true: balances below zero are told only"},
		},
		Anomalies: []AnomalyKind{
			{Name: "wrong-total", Doc: "the balances of a read do not sum up to the total"},
			{Name: "negative-value", Doc: "a balance is below zero"},
			{Name: "unexpected-key", Doc: "a read shows an account that there is not"},
			{Name: "missing-key", Doc: "a read does not show an account"},
			{Name: "nil-balance", Doc: "a read shows an account without a balance"},
		},
		New: func(h ops.Header, _ Options, p *ops.Problems) Judge {
			j := &bankJudge{problems: p, header: h, accounts: map[string]bool{}}
			j.readHeader()
			return j
		},
	}
}

// readHeader takes what the header says. What it does not say is a problem of the first operation.
func (j *bankJudge) readHeader() {
	if list := j.header.Field("accounts"); !list.IsNull() {
		j.readAccounts(list)
	}
	switch total := j.header.Field("total"); total.Kind {
	case ops.Int:
		j.total = total.Int
	case ops.Null:
	default:
		j.problems.Add(j.header.Line, "header.total", "must be a whole number, not %s", total.Kind)
	}
	switch allowed := j.header.Field("negative_allowed"); allowed.Kind {
	case ops.Bool:
		j.negativeAllowed = allowed.Int == 1
	case ops.Null:
	default:
		j.problems.Add(j.header.Line, "header.negative_allowed", "must be true or false, not %s", allowed.Kind)
	}
}

func (j *bankJudge) readAccounts(list ops.Value) {
	if list.Kind != ops.List || len(list.Items) == 0 {
		j.problems.Add(j.header.Line, "header.accounts", "must be a list of names that is not empty, not %s", list)
		return
	}
	for i, v := range list.Items {
		name, ok := v.Name()
		switch {
		case !ok:
			j.problems.Add(j.header.Line, fmt.Sprintf("header.accounts[%d]", i), "must be a name, not %s", v.Kind)
		case j.accounts[name]:
			j.problems.Add(j.header.Line, fmt.Sprintf("header.accounts[%d]", i), "%s is listed twice", name)
		default:
			j.accounts[name] = true
			j.names = append(j.names, name)
		}
	}
}

// complete says whether the header has what is needed, and says what it lacks once.
func (j *bankJudge) complete() bool {
	if j.refused {
		return false
	}
	for _, name := range []string{"accounts", "total"} {
		if j.header.Field(name).IsNull() {
			j.refused = true
			j.problems.Add(max(1, j.header.Line), "header."+name, `is needed: {"header":{"model":"bank","accounts":[…],"total":…}}`)
		}
	}
	return !j.refused
}

// Take judges a read, and looks at the shape of a transfer.
func (j *bankJudge) Take(o *ops.Operation) {
	switch {
	case !j.complete():
	case o.F == "transfer":
		j.transfer(o)
	case o.Outcome == ops.OK:
		j.read(o)
	}
}

func (j *bankJudge) transfer(o *ops.Operation) {
	v := asked(o)
	if v.Kind != ops.Map {
		j.problems.Add(o.Line, "value", `transfer takes {"from", "to", "amount"}, not %s`, v.Kind)
		return
	}
	for _, end := range []string{"from", "to"} {
		if name, ok := v.Field(end).Name(); !ok || !j.accounts[name] {
			j.problems.Add(o.Line, "value."+end, "%s is none of the header's accounts", v.Field(end))
		}
	}
	if amount := v.Field("amount"); amount.Kind != ops.Int || amount.Int < 0 {
		j.problems.Add(o.Line, "value.amount", "must be a whole number of 0 or more, not %s", amount)
	}
	if o.Outcome == ops.Fail {
		return
	}
	j.transfers++
	if !j.moved || o.Call < j.movedFrom {
		j.moved, j.movedFrom = true, o.Call
	}
}

func (j *bankJudge) read(o *ops.Operation) {
	if o.Out.Kind != ops.Map {
		j.problems.Add(o.Line, "value", "read returns {account: balance}, not %s", o.Out.Kind)
		return
	}
	j.reads++
	j.lastRead = max(j.lastRead, o.Return)
	shown := map[string]bool{}
	whole := true
	var sum, weight int64
	for i := 0; i+1 < len(o.Out.Items); i += 2 {
		name, ok := o.Out.Items[i].Name()
		if !ok || shown[name] {
			j.problems.Add(o.Line, "value", "%s is no name of an account, or is there twice", o.Out.Items[i])
			return
		}
		shown[name] = true
		balance := o.Out.Items[i+1]
		if balance.Kind != ops.Int && !balance.IsNull() {
			j.problems.Add(o.Line, "value."+name, "must be a whole number or null, not %s", balance.Kind)
			return
		}
		if weight, ok = heavier(weight, balance.Int); !ok {
			j.problems.Add(o.Line, "value", "64 bits do not hold the sum of the balances")
			return
		}
		sum += balance.Int
		whole = j.balance(o, name, balance) && whole
	}
	for _, name := range j.names {
		if !shown[name] {
			whole = false
			j.find(o, "missing-key", ops.SeverityFail, "a read does not show the account %s", name)
			break
		}
	}
	if whole && sum != j.total {
		j.find(o, "wrong-total", ops.SeverityFail, "the balances of a read sum up to %d, not to %d", sum, j.total)
	}
}

// balance judges one balance; ok says that it counts in the sum.
func (j *bankJudge) balance(o *ops.Operation, name string, balance ops.Value) (ok bool) {
	switch {
	case !j.accounts[name]:
		j.find(o, "unexpected-key", ops.SeverityFail, "a read shows the account %s, which the header does not list", name)
		return false
	case balance.IsNull():
		j.find(o, "nil-balance", ops.SeverityFail, "a read shows no balance of the account %s", name)
		return false
	case balance.Int < 0 && j.negativeAllowed:
		j.find(o, "negative-value", ops.SeverityInfo, "account %s has a balance of %d, which the header allows", name, balance.Int)
	case balance.Int < 0:
		j.find(o, "negative-value", ops.SeverityFail, "account %s has a balance of %d", name, balance.Int)
	}
	return true
}

func (j *bankJudge) find(o *ops.Operation, name string, s ops.Severity, format string, args ...any) {
	j.report.Find(name, s, func(a *ops.Anomaly) {
		a.Evidence = o.Evidence()
		a.Detail = fmt.Sprintf(format, args...)
	})
}

// Report is vacuous if no money moved.
func (j *bankJudge) Report() *ops.Report {
	r := &j.report
	r.Numbers = map[string]int64{"reads": j.reads, "transfers": j.transfers, "accounts": int64(len(j.names))}
	switch {
	case j.reads == 0:
		r.Why = append(r.Why, "no read completed")
	case !j.moved || j.movedFrom > j.lastRead:
		r.Why = append(r.Why, "no transfer was called before a read returned: money never moved")
	default:
		r.Exercised = j.reads
	}
	return r
}
