// Package geo tells country and autonomous system (AS) of an address, and which
// addresses lie in ranges that somebody wants to hear of.
//
// A DB answers from an embedded table and from databases the user gives; a Watch holds
// an answer against watched countries, ASes and lists of networks. Country is where an
// address is thought to be: context, never proof of who stands behind it.
package geo
