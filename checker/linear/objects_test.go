package linear

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// lesson is a history that teaches an object: what it allows, or what it does not. Near misses look alike.
type lesson struct {
	name    string
	legal   bool
	history []string
}

// lessons have for each object at least a legal history, and pairs of a violation and its near miss.
var lessons = map[string][]lesson{
	"register": {
		{"a read during a write gives the old value or the new", true, []string{
			"a: [write 1]  [       write 2               ]",
			"b:              [read -> 1]  [read -> 2]"}},
		{"once the new value was read, the old one is gone", false, []string{
			"a: [write 1]  [       write 2               ]",
			"b:              [read -> 2]  [read -> 1]"}},
		{"a write that nobody saw end may come late", true, []string{
			"a: [write 1 ~",
			"b:            [read -> nil]  [read -> 1]"}},
		{"but not twice", false, []string{
			"a: [write 1 ~",
			"b:            [read -> 1]  [write 2]  [read -> 1]"}},
		{"two crossing writes leave one order, the same for both readers", false, []string{
			"a: [write 1]     [read -> 1]  ",
			"b:  [write 2]      [read -> 2]"}},
		{"each crossing write may be read by those that overlap both", true, []string{
			"a: [  write 1        ]",
			"b:  [  write 2       ]",
			"c:   [read -> 1]   [read -> 2]"}},
		{"of two swaps from one value one wins", true, []string{
			"a: [write 1]  [cas 1 2 -> ok]     [read -> 2]",
			"b:              [cas 1 3 -> mismatch]"}},
		{"both cannot", false, []string{
			"a: [write 1]  [cas 1 2 -> ok]",
			"b:              [cas 1 3 -> ok]"}},
		{"an unknown write explains a mismatch though nobody reads it", true, []string{
			"a: [write 1]  [write 2 ~",
			"b:                        [cas 1 3 -> mismatch]"}},
		{"without it there is no mismatch", false, []string{
			"a: [write 1]  [write 1 ~",
			"b:                        [cas 1 3 -> mismatch]"}},
		{"a swap of unknown outcome may have happened after the read", true, []string{
			"a: [write 1]  [cas 1 2 ~",
			"b:                        [read -> 1]  [read -> 2]"}},
		{"and not if the value was another", false, []string{
			"a: [write 1]  [cas 3 2 ~",
			"b:                        [read -> 1]  [read -> 2]"}},
	},
	"kv": {
		{"appends run together in either order", true, []string{
			"a: [put x]  [append y]   [get -> xzy]",
			"b:            [append z]"}},
		{"none is lost", false, []string{
			"a: [put x]  [append y]   [get -> xy]",
			"b:            [append z]"}},
		{"unless it was never acknowledged", true, []string{
			"a: [put x]  [append y]   [get -> xy]",
			"b:            [append z ~"}},
		{"an append to nothing begins a text", true, []string{
			"a: [append x]  [get -> x]"}},
		{"text cannot follow a number", false, []string{
			"a: [put 5]  [append x]"}},
		{"if the number came later it did not have to", true, []string{
			"a: [   put 5   ]  [get -> 5]",
			"b:  [append x]"}},
		{"an unknown append inside what was read", true, []string{
			"a: [append y ~",
			"b:              [put x]  [append z]  [get -> xyz]"}},
		{"a put hides it", false, []string{
			"a: [append y]",
			"b:              [put x]  [append z]  [get -> xyz]"}},
		{"an unknown put of a number hides the text from an append that is then refused by no one", true, []string{
			"a: [put 5 ~",
			"b:           [append x]  [get -> x]"}},
	},
	"unique": {
		{"of two puts one finds the key absent", true, []string{
			"a: [put 1 -> ok]     [get -> 1]",
			"b:   [put 2 -> exists]"}},
		{"not both", false, []string{
			"a: [put 1 -> ok]",
			"b:   [put 2 -> ok]"}},
		{"exists needs somebody who put", false, []string{
			"a: [put 1 -> exists]"}},
		{"be it one whose outcome nobody knows", true, []string{
			"a: [put 1 ~",
			"b:          [put 2 -> exists 1]"}},
		{"exists names what is there", false, []string{
			"a: [put 1 ~",
			"b:          [put 2 -> exists 3]"}},
	},
	"queue": {
		{"crossing enqueues come out in either order", true, []string{
			"a: [enqueue 1]    [dequeue -> 2]  [dequeue -> 1]",
			"b:   [enqueue 2]"}},
		{"those that did not cross come out in theirs", false, []string{
			"a: [enqueue 1]                [dequeue -> 2]  [dequeue -> 1]",
			"b:              [enqueue 2]"}},
		{"unless the dequeues cross", true, []string{
			"a: [enqueue 1]               [dequeue -> 2]",
			"b:              [enqueue 2]   [dequeue -> 1]"}},
		{"a queue with a value in it is not empty", false, []string{
			"a: [enqueue 1]  [dequeue -> nil]  [dequeue -> 1]"}},
		{"it was, if the enqueue had not ended", true, []string{
			"a: [ enqueue 1                  ] [dequeue -> 1]",
			"b:             [dequeue -> nil]"}},
		{"a value comes out once", false, []string{
			"a: [enqueue 1]  [dequeue -> 1]",
			"b:              [dequeue -> 1]"}},
		{"two equal values come out twice", true, []string{
			"a: [enqueue 1]  [dequeue -> 1]",
			"b: [enqueue 1]  [dequeue -> 1]"}},
		{"a dequeue of unknown outcome may have taken the first", true, []string{
			"a: [enqueue 1]  [enqueue 2]  [dequeue ~",
			"b:                                       [dequeue -> 2]"}},
		{"but only one", false, []string{
			"a: [enqueue 1]  [enqueue 2]  [enqueue 3]  [dequeue ~",
			"b:                                                    [dequeue -> 3]"}},
		{"an unknown enqueue between others", true, []string{
			"a: [enqueue 9 ~  ",
			"b:                [enqueue 1]  [enqueue 2]  [dequeue -> 1]  [dequeue -> 9]  [dequeue -> 2]"}},
	},
	"stack": {
		{"the last comes first", true, []string{
			"a: [push 1]  [push 2]  [pop -> 2]  [pop -> 1]  [pop -> nil]"}},
		{"not the first", false, []string{
			"a: [push 1]  [push 2]  [pop -> 1]"}},
		{"unless they crossed", true, []string{
			"a: [push 1]    [pop -> 1]",
			"b:   [push 2]"}},
		{"or one that took the upper value crossed", true, []string{
			"a: [push 1]  [push 2]  [pop -> 1]",
			"b:                      [pop ~"}},
		{"it is not empty while one is on it", false, []string{
			"a: [push 1]  [pop -> nil]  [pop -> 1]"}},
		{"but while it is being pushed", true, []string{
			"a: [  push 1                 ]",
			"b:       [pop -> nil]   [pop -> 1]"}},
	},
	"log": {
		{"each append ends where the one before did", true, []string{
			"a: [append x -> 1]    [read -> (x y)]",
			"b:   [append y -> 2]"}},
		{"tails are not given twice", false, []string{
			"a: [append x -> 1]",
			"b:   [append y -> 1]"}},
		{"a tail that jumps needs an append that nobody saw end", false, []string{
			"a: [append x -> 1]  [append y -> 3]"}},
		{"such as this one", true, []string{
			"a: [append x -> 1]                [append y -> 3]",
			"b:                  [append z ~"}},
		{"an earlier append cannot have a later tail", false, []string{
			"a: [append x -> 2]",
			"b:                   [append y -> 1]"}},
		{"a read gives all, in order", false, []string{
			"a: [append x -> 1]  [append y -> 2]  [read -> (y x)]"}},
		{"and what was being appended, or not", true, []string{
			"a: [append x -> 1]  [     append y -> 2             ]",
			"b:                    [read -> (x)]  [read -> (x y)]"}},
		{"a required tail that was met", true, []string{
			"a: [append x -> 1]  [append y 1 -> 2]"}},
		{"one that was not is refused", false, []string{
			"a: [append x -> 1]  [append y 0 -> 2]"}},
		{"and is not refused for nothing", false, []string{
			"a: [append x -> 1]  [append y 1 -> conflict]"}},
		{"of two that require one tail, one may have lost to one of unknown outcome", true, []string{
			"a: [append x 0 ~",
			"b:               [append y 0 -> conflict]  [read -> (x)]"}},
		{"and then it did happen", false, []string{
			"a: [append x 0 ~",
			"b:               [append y 0 -> conflict]  [read -> ()]"}},
	},
	"lock": {
		{"one after the other", true, []string{
			"a: [acquire by a]  [release by a]",
			"b:   [  acquire by b              ]"}},
		{"not two at once", false, []string{
			"a: [acquire by a]                   [release by a]",
			"b:                 [acquire by b]"}},
		{"unless the release was under way", true, []string{
			"a: [acquire by a]  [release by a]",
			"b:                   [acquire by b]"}},
		{"who does not hold it cannot release it", false, []string{
			"a: [acquire by a]",
			"b:                 [release by b]"}},
		{"even if nobody holds it", false, []string{
			"a: [release by a]"}},
		{"it is not acquired twice", false, []string{
			"a: [acquire by a]  [acquire by a]"}},
		{"a release of unknown outcome may have freed it", true, []string{
			"a: [acquire by a]  [release by a ~",
			"b:                                  [acquire by b]"}},
		{"an acquire of unknown outcome may have taken it, and frees nobody", true, []string{
			"a: [acquire by a ~",
			"b:                 [acquire by b]  [release by b]"}},
	},
	"lease": {
		{"a token for each grant", true, []string{
			"a: [acquire 1 by a -> granted 1]  [renew 1 -> renewed]",
			"b:                                                      [acquire 1 by b -> granted 2]  [renew 1 -> lost]"}},
		{"no token twice", false, []string{
			"a: [acquire 1 by a -> granted 1]",
			"b:   [acquire 1 by b -> granted 1]"}},
		{"who was granted it later has the greater token", false, []string{
			"a: [acquire 1 by a -> granted 2]",
			"b:                                [acquire 1 by b -> granted 1]"}},
		{"held by nobody", false, []string{
			"a: [acquire 1 by a -> held]"}},
		{"held by one whose grant nobody saw", true, []string{
			"a: [acquire 1 by a ~",
			"b:                   [acquire 1 by b -> held]  [acquire 1 by b -> granted 2]"}},
		{"an earlier owner does not renew what was granted since", false, []string{
			"a: [acquire 1 by a -> granted 1]",
			"b:                                [acquire 1 by b -> granted 2]  [renew 1 -> renewed]"}},
		{"nor loses what is its own", false, []string{
			"a: [acquire 1 by a -> granted 1]  [renew 1 -> lost]"}},
		{"a member of an earlier generation is turned away", true, []string{
			"a: [acquire 2 by a -> granted 1]  [acquire 1 by b -> lost]"}},
		{"and gets no token", false, []string{
			"a: [acquire 2 by a -> granted 1]  [acquire 1 by b -> granted 2]"}},
	},
	"dedup": {
		{"one claim is granted", true, []string{
			"a: [claim by a -> granted]    [done by a -> ok]",
			"b:   [claim by b -> pending]                     [claim by b -> done]"}},
		{"not two", false, []string{
			"a: [claim by a -> granted]",
			"b:   [claim by b -> granted]"}},
		{"but again after it was given back", true, []string{
			"a: [claim by a -> granted]  [release by a -> ok]",
			"b:                            [claim by b -> granted]"}},
		{"never after it was done", false, []string{
			"a: [claim by a -> granted]  [done by a -> ok]",
			"b:                                             [claim by b -> granted]"}},
		{"a claim that nobody saw end is mine", true, []string{
			"a: [claim by a ~",
			"b:               [claim by b -> pending]  [claim by a -> mine]"}},
		{"and not another's", false, []string{
			"a: [claim by a ~",
			"b:               [claim by b -> pending]  [claim by c -> mine]"}},
		{"what is done cannot be given back", false, []string{
			"a: [claim by a -> granted]  [done by a -> ok]  [release by a -> ok]"}},
		{"who does not own it finishes nothing", true, []string{
			"a: [claim by a -> granted]  [done by b -> not-owner]"}},
	},
	"idempotency": {
		{"the first result for ever", true, []string{
			"a: [request p -> result 1]",
			"b:                          [request p -> result 1]"}},
		{"not a second one", false, []string{
			"a: [request p -> result 1]",
			"b:                          [request p -> result 2]"}},
		{"a result that nobody saw is one result", false, []string{
			"a: [request p ~",
			"b:              [request p -> result 1]  [request p -> result 2]"}},
		{"any one", true, []string{
			"a: [request p ~",
			"b:              [request p -> result 1]  [request p -> result 1]"}},
		{"another payload is told so", true, []string{
			"a: [request p -> result 1]  [request q -> mismatch]"}},
		{"not the same one", false, []string{
			"a: [request p -> result 1]  [request p -> mismatch]"}},
		{"and is not given the result", false, []string{
			"a: [request p -> result 1]  [request q -> result 1]"}},
		{"in progress while it is", true, []string{
			"a: [     request p -> result 1        ]",
			"b:   [request p -> in-progress]"}},
		{"not after", false, []string{
			"a: [request p -> result 1]",
			"b:                          [request p -> in-progress]"}},
	},
	"offsets": {
		{"a position may go back within a generation", true, []string{
			"a: [commit 1 5 -> ok]  [commit 1 3 -> ok]  [fetch -> 3]"}},
		{"a member of an earlier generation is fenced", true, []string{
			"a: [commit 1 5 -> ok]  [generation 2]  [commit 1 6 -> fenced]  [fetch -> 5]"}},
		{"and moves nothing", false, []string{
			"a: [commit 1 5 -> ok]  [generation 2]  [commit 1 6 -> ok]"}},
		{"unless the generation had not begun yet", true, []string{
			"a: [commit 1 5 -> ok]  [ generation 2     ]  [fetch -> 6]",
			"b:                      [commit 1 6 -> ok]"}},
		{"nobody is fenced for nothing", false, []string{
			"a: [commit 1 5 -> ok]  [commit 1 6 -> fenced]"}},
		{"a commit of unknown outcome counts late", true, []string{
			"a: [commit 1 5 ~",
			"b:               [fetch -> 0]  [fetch -> 5]"}},
		{"not after it was fenced out", false, []string{
			"a: [commit 1 5 ~",
			"b:               [commit 2 0 -> ok]  [fetch -> 5]"}},
		{"positions are never forgotten", false, []string{
			"a: [commit 1 5 -> ok]  [fetch -> 0]"}},
	},
	"account": {
		{"two withdrawals, enough for one", true, []string{
			"a: [deposit 5]  [withdraw 5 -> ok]       [balance -> 0]",
			"b:                [withdraw 5 -> refused]"}},
		{"not for both", false, []string{
			"a: [deposit 5]  [withdraw 5 -> ok]",
			"b:                [withdraw 5 -> ok]"}},
		{"unless a deposit was under way", true, []string{
			"a: [deposit 5]  [withdraw 5 -> ok]",
			"b:                [withdraw 5 -> ok]",
			"c:               [    deposit 5  ~"}},
		{"nobody is refused what is there", false, []string{
			"a: [deposit 5]  [withdraw 5 -> refused]"}},
		{"but what somebody else may have taken", true, []string{
			"a: [deposit 5]  [withdraw 3 ~",
			"b:                             [withdraw 5 -> refused]  [balance -> 2]"}},
		{"a refused withdrawal takes nothing", false, []string{
			"a: [deposit 5]  [withdraw 9 -> refused]  [balance -> 0]"}},
	},
}

// Every object is taught by its lessons: search judges each as it says, and so does trying every order.
func TestLessons(t *testing.T) {
	legal, illegal := 0, 0
	for _, o := range Objects() {
		require.NotEmpty(t, lessons[o.Name], "no lesson of %s", o.Name)
		for _, l := range lessons[o.Name] {
			t.Run(o.Name+"/"+l.name, func(t *testing.T) {
				history := draw(t, &o, l.history...)
				require.Equal(t, l.legal, bruteForce(&o, history), "tried in every order")
				r := o.Search(history, 1000)
				if l.legal {
					legal++
					require.Equal(t, Linearizable, r.Verdict, r.Because)
					return
				}
				illegal++
				require.Equal(t, Violated, r.Verdict)
				require.Contains(t, r.Involved, r.Culprit)
				require.IsIncreasing(t, append([]int{-1}, r.Involved...))
				require.Contains(t, r.Because, o.Describe(&history[r.Culprit].Action, true))
			})
		}
	}
	t.Logf("%d legal histories, %d illegal ones", legal, illegal)
}
