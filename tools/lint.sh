#!/usr/bin/env bash
# Runs the linters over the whole tree: tools/lint.sh [NAME...], by default all of
# them. They are pinned in tools/go.mod and built once into bin/tools.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# The go command leaves testdata out of ./..., so the programs in it are named.
packages=(./... ./testdata/generate ./testdata/measure ./testdata/record/client ./testdata/record/servers ./testdata/record/wire)

all="format vet staticcheck errcheck revive depguard"

build_tools() {
	go -C tools build -o ../bin/tools/ tool
}

# unformatted prints the files gofumpt would change and fails if there are any.
unformatted() {
	local files
	files=$(bin/tools/gofumpt -l .) || return
	[ -n "$files" ] || return 0
	printf '%s\n' "$files"
	echo "these files are not formatted: run 'make fmt'"
	return 1
}

run_linter() {
	case $1 in
	format) unformatted ;;
	vet) go vet "${packages[@]}" ;;
	staticcheck) bin/tools/staticcheck "${packages[@]}" ;;
	errcheck) bin/tools/errcheck -ignoretests -exclude tools/errcheck.txt "${packages[@]}" ;;
	revive) bin/tools/revive -config tools/revive.toml -formatter friendly ./... ;;
	depguard) bin/tools/depguard ./... ;;
	*)
		echo "no linter is called '$1': choose from $all" >&2
		return 2
		;;
	esac
}

build_tools
[ $# -gt 0 ] || read -ra names <<<"$all"
[ $# -eq 0 ] || names=("$@")

failed=()
for name in "${names[@]}"; do
	run_linter "$name" || failed+=("$name")
done
if [ ${#failed[@]} -gt 0 ]; then
	echo "lint: not clean: ${failed[*]}" >&2
	exit 1
fi
echo "lint: clean: ${names[*]}"
