// Package fidelity compares what the models do with what people have measured on the real systems, under the same
// settings. It is all tests and data: nothing that a program links, nothing that a world runs.
//
// Of each published set it holds the numbers with their source (testdata), the settings under which they were taken, and
// the comparison as a golden file, which docs/fidelity.md quotes. What was chosen so that it fits is named, with the cells
// that it was chosen by; agreement is asserted on the others.
//
// wu_test.go: losses and duplicates of a producer under packet loss (Wu, Shang, Wolter, DSN 2020). rdkafka_test.go is the
// producer of these measurements, librdkafka 1.2 on sim's stream connections, without what the measurements do not use:
// compression, metadata that changes, idempotence.
//
// It may import anything that tests may. To add a set: a file of data, a test that reads it, its golden comparison.
package fidelity
