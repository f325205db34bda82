// Package inventory is the memory of a sensor: a SQLite store of Findings, of the
// captures that were judged, and of the Alerts on their way to the receivers. A Finding's
// change and the Alert that tells of it are written in one transaction, and a store that
// says "durable" means it: synchronous=FULL, whatever the machine does.
//
// One process writes. Everything that grows has a bound.
package inventory
