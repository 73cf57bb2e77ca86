package checker

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/twiceless/twiceless/sim/history"
)

// money judges each consistent view of a bank's accounts against its last opening before:
//
//	money-not-conserved  Σ balances = Σ opening balances
//	negative-balance     ∀ account:  balance ≥ 0
//	unknown-account      every account was opened
//	missing-account      every opened account is there
//
// A view with an unknown or a missing account has no sum that could be compared: its sum is not judged, so that one wrong
// thing has one name. Assumes that a view is one transaction's: balances that were read one after another while money moved add up to
// anything. Amounts are integers in the smallest unit.
//
// Cost: O(accounts · log) per view. Noted. Exercised: views of a bank that was opened; undecided, for all four: views that
// state no integers, or the same account twice, or whose sum is beyond 64 bits. At most one note of each property per view.
func money() Checker {
	return overLedger(Checker{
		Name: "money",
		Doc:  "in every consistent view the balances add up, none is negative, and all accounts are there",
		Properties: []history.Property{history.PropMoneyTotal, history.PropMoneyNegative, history.PropMoneyUnknown,
			history.PropMoneyMissing},
		Weight: history.Noted,
	}, judgeMoney)
}

// opOpening states the accounts of a bank.
const opOpening = "opening"

// balance is one account in a view.
type balance struct {
	account string
	amount  int64
}

// view is what a fact says of the balances, sorted by account.
type view struct {
	fact     *history.Fact
	balances []balance
	sum      int64
}

func judgeMoney(l *ledger) Report {
	r := newReport()
	opened := map[string]*view{}
	for f := range l.kinds(history.KindBalances) {
		v, ok := readView(f)
		switch opening := opened[f.Resource]; {
		case f.Op == opOpening && ok:
			opened[f.Resource] = v
		case f.Op == opOpening:
			delete(opened, f.Resource)
		case opening != nil && ok:
			judgeView(&r, opening, v)
		case opening != nil:
			for _, p := range money().Properties {
				r.Undecided[p]++
			}
		}
	}
	return r
}

// readView reads "anna=10,bob=-3".
func readView(f *history.Fact) (*view, bool) {
	v := &view{fact: f}
	for _, part := range strings.Split(f.Value, ",") {
		if f.Value == "" {
			break
		}
		account, text, found := strings.Cut(part, "=")
		amount, err := strconv.ParseInt(text, 10, 64)
		if !found || err != nil {
			return nil, false
		}
		sum := v.sum + amount
		if (v.sum < 0) == (amount < 0) && (sum < 0) != (amount < 0) {
			return nil, false
		}
		v.sum = sum
		v.balances = append(v.balances, balance{account, amount})
	}
	slices.SortFunc(v.balances, func(a, b balance) int { return cmp.Compare(a.account, b.account) })
	for i := 1; i < len(v.balances); i++ {
		if v.balances[i].account == v.balances[i-1].account {
			return nil, false
		}
	}
	return v, true
}

// has is whether a view has an account.
func (v *view) has(account string) bool {
	_, found := slices.BinarySearchFunc(v.balances, account, func(b balance, name string) int { return cmp.Compare(b.account, name) })
	return found
}

func judgeView(r *Report, opening, v *view) {
	var negative, unknown, missing string
	for _, b := range v.balances {
		if b.amount < 0 && negative == "" {
			negative = b.account
		}
		if !opening.has(b.account) && unknown == "" {
			unknown = b.account
		}
	}
	for _, b := range opening.balances {
		if !v.has(b.account) && missing == "" {
			missing = b.account
		}
	}
	note := func(p history.Property, wrong bool, text string) {
		r.Exercised[p]++
		if !wrong {
			return
		}
		r.note(p, func() history.Finding {
			var ev evidence
			ev.add(opening.fact.ID, v.fact.Cause, v.fact.ID)
			return history.Finding{Property: p, Event: v.fact.Event, Label: history.LabelMiscounted, Evidence: ev.sorted(),
				Detail: fmt.Sprintf("in a view of %s %s", v.fact.Resource, text)}
		})
	}
	note(history.PropMoneyNegative, negative != "", "the balance of "+negative+" is negative")
	note(history.PropMoneyUnknown, unknown != "", unknown+" is an account that nobody opened")
	note(history.PropMoneyMissing, missing != "", "the account "+missing+" is not there")
	if unknown == "" && missing == "" {
		note(history.PropMoneyTotal, v.sum != opening.sum, fmt.Sprintf("the balances add up to %d, opened were %d", v.sum, opening.sum))
	}
}
