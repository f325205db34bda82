// Package detect is the only place where what was seen meets what is wanted: it holds
// Observations against vendor knowledge and network ranges, judges what they say about
// a host, and keeps one Finding per host, vendor and product.
//
// It sees no packet and has no clock of its own: time is the Observations' time, which
// must be fed in the order of the stream by one goroutine.
package detect
