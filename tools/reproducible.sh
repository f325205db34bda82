#!/usr/bin/env bash
# Proves that the build is reproducible: builds here, builds again from a copy in
# another folder with an empty build cache, and compares the two binaries.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

export VERSION=${VERSION:-$(git describe --tags --always --dirty 2>/dev/null || echo dev)}
tools/build.sh "$scratch/here"

mkdir "$scratch/copy"
tar -cf - --exclude=./.git --exclude=./bin --exclude=./dist . | tar -xf - -C "$scratch/copy"
GOCACHE="$scratch/cache" "$scratch/copy/tools/build.sh" "$scratch/there"

here=$(sha256sum <"$scratch/here" | cut -d' ' -f1)
there=$(sha256sum <"$scratch/there" | cut -d' ' -f1)
echo "sha256 of the build here:         $here"
echo "sha256 of the build from a copy:  $there"
if [ "$here" != "$there" ]; then
	echo "the build is not reproducible: compare 'go version -m' of both, and look for paths and times in them" >&2
	exit 1
fi
