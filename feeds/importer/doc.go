// Package importer reads lists of domains, addresses and URLs in the formats they are
// published in, one file for each format, and turns them into a feeds.Feed.
//
// A list is whatever somebody else wrote: a bad line is counted and shown, and stops
// nothing unless too many are bad. Lines, files and entries are bounded.
package importer
