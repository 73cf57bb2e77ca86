// Package broker is a broker of a replicated log.
package broker
