// Package partition is the log of one replica.
package partition
