#!/usr/bin/env bash
# Runs every fuzz target for a while: tools/fuzz.sh [DIR...], by default all
# packages. FUZZTIME is the time for each target (default 10s), FUZZPROCS the
# number of workers (default: one a processor). An input that breaks a target is
# kept in the package's testdata/fuzz and from then on is a test case.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

fuzztime=${FUZZTIME:-10s}
procs=${FUZZPROCS:-$(getconf _NPROCESSORS_ONLN)}
cache=$(go env GOCACHE)/fuzz/telltale

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# fuzzed_dirs prints the folders that hold fuzz targets.
fuzzed_dirs() {
	grep -rlE --include='*_test.go' --exclude-dir=testdata --exclude-dir=bin \
		'^func Fuzz[A-Z0-9_]' . | xargs -r -n1 dirname | sort -u
}

# fuzz_package compiles a package once, instrumented, and runs its targets in turn.
fuzz_package() {
	local dir=$1 binary targets target
	binary=$scratch/$(tr / _ <<<"$dir").test
	go test -c -fuzz=. -o "$binary" "$dir"
	targets=$(cd "$dir" && "$binary" -test.list '^Fuzz')
	for target in $targets; do
		run_target "$dir" "$binary" "$target"
	done
	rm -f "$binary"
}

run_target() {
	local dir=$1 binary=$2 target=$3 log=$scratch/log
	if (cd "$dir" && "$binary" -test.run='^$' -test.fuzz="^$target\$" \
		-test.fuzztime="$fuzztime" -test.fuzzminimizetime=1x -test.parallel="$procs" \
		-test.fuzzcachedir="$cache/$dir") >"$log" 2>&1; then
		printf '  ok    %s %s: %s\n' "$dir" "$target" "$(grep -oE 'execs: [0-9]+' "$log" | tail -n 1)"
		ran=$((ran + 1))
		return
	fi
	printf '  FAIL  %s %s\n' "$dir" "$target"
	cat "$log"
	failed+=("$dir $target")
}

ran=0
failed=()
if [ $# -gt 0 ]; then
	dirs=("$@")
else
	mapfile -t dirs < <(fuzzed_dirs)
fi
for dir in "${dirs[@]}"; do
	fuzz_package "./${dir#./}"
done

if [ ${#failed[@]} -gt 0 ]; then
	printf 'fuzz: broken: %s\n' "${failed[@]}" >&2
	exit 1
fi
if [ "$ran" -eq 0 ]; then
	echo "fuzz: no fuzz target found" >&2
	exit 1
fi
echo "fuzz: $ran targets, $fuzztime each: clean"
