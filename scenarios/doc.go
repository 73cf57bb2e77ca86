// Package scenarios is the composition root: it reads what is to be simulated, makes worlds of it, runs them and keeps
// what was found. The function to read first is Run: case → world → history → findings → row.
//
// A case file is read for ever. It has no defaults left in it, so that a run stays what it was; but where models have
// gained a parameter or a scenario a field since it was written, what its file lacks has its declared default, while a
// field that nobody knows stays an error. Such a case is complete from then on, in memory and when it is written back.
// The name of a case is that of the complete intent. So it differs from the name under which an older file lies:
// nothing goes by the names of files, which may be any (a file can be copied into a corpus as it is), and to refresh a
// corpus puts each file where its case belongs and says so.
package scenarios
