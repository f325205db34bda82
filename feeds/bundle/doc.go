// Package bundle carries packs as one signed file: a tar archive in zstd that begins
// with a manifest and the minisign signature of the manifest, which holds the version
// and the digest of every file. Whoever trusts the key can trust the files, wherever
// the bundle has been.
package bundle
