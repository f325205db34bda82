#!/usr/bin/env bash
# Builds the one static binary: tools/build.sh [OUTPUT], by default bin/telltale.
# The same commit, VERSION and Go release give the same bytes in any folder.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

version=${VERSION:-$(git describe --tags --always --dirty 2>/dev/null || echo dev)}
CGO_ENABLED=0 go build -trimpath -buildvcs=false \
	-ldflags "-s -w -buildid= -X main.version=$version" \
	-o "${1:-bin/telltale}" ./cmd/telltale
