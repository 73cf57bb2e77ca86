package ops

import "math"

// Never is the return of an operation that nobody saw return.
const Never = math.MaxInt64

// NoIndex stands for the index of a completion that is not there.
const NoIndex = -1

// Operation is what one process asked for and what it heard. A process does one operation at a time.
//
// Call and Return are positions among the events of the file, which are in real-time order: an operation that returned
// before another was called has a smaller Return than the other's Call. No two operations share a position.
type Operation struct {
	Process      string
	F            string
	Outcome      Type  // OK happened, Fail did not happen, Info nobody knows
	Call         int64 // position of the invoke
	Return       int64 // position of the completion that says ok or fail; Never if the outcome is unknown
	Invoked      int64 // index of the invoke, for evidence
	Completed    int64 // index of the completion; NoIndex = none
	Line         int   // of the completion, else of the invoke: where a problem of shape lies
	CallTime     int64 // ns; NoTime = not stated
	CompleteTime int64 // ns; NoTime = not stated or no completion
	In, Out      Value // values of the invoke and of the completion; Out is null where there is none
}

// Evidence are the indices of the events of the operation.
func (o *Operation) Evidence() []int64 {
	if o.Completed == NoIndex || o.Completed == o.Invoked {
		return []int64{o.Invoked}
	}
	return []int64{o.Invoked, o.Completed}
}
