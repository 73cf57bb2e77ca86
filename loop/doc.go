// Package loop is the interface between a consumer's own poll loop and its log.
package loop
