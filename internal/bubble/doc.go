// Package bubble runs ordinary Go code under a clock that somebody else moves, one step at a time.
//
// The code may start goroutines, sleep, use channels, mutexes and deadlines. Whatever it wants from the world it asks
// for ([Group.Ask]) and waits. The one who moves the clock starts code ([Group.Go]), waits until all of it is blocked
// ([Bubble.Settle]), takes up what was asked for in an order that does not depend on the Go scheduler ([Bubble.Take]),
// answers ([Ask.Answer]), and lets time pass ([Bubble.Reach]).
//
// It rests on testing/synctest: all of it, the one who moves the clock included, lives in one synctest bubble, whose
// time moves only when every goroutine in it is blocked.
//
// A group is what dies together, such as the process of a consumer. [Group.Kill] ends each goroutine of it at the call
// that it waits in, by runtime.Goexit: deferred functions run, and what they ask for meets a dead world. A goroutine
// that waits for something of its own (a channel, a timer) cannot be ended from outside; it is when it asks again.
//
// What it cannot order: goroutines of one group that race for a channel or a mutex of their own between two asks. Whose
// ask comes first at one instant is decided by its text.
//
// It imports testing/synctest and package sim for its times; read bubble.go first.
package bubble
