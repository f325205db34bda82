#!/usr/bin/env bash
# Runs every fuzz target for a while: tools/fuzz.sh [DIR...], by default all
# packages. FUZZTIME is the time for each target (default 10s), FUZZJOBS the number
# of targets at a time (default: one a processor), FUZZPROCS the number of workers
# of each (default 1). An input that breaks a target is kept in the package's
# testdata/fuzz and from then on is a test case. What each target printed is kept
# in bin/fuzz.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

fuzztime=${FUZZTIME:-10s}
procs=${FUZZPROCS:-1}
jobs=${FUZZJOBS:-$(getconf _NPROCESSORS_ONLN)}
cache=$(go env GOCACHE)/fuzz/telltale
logs=$PWD/bin/fuzz

for number in "$jobs" "$procs"; do
	if ! [[ $number =~ ^[1-9][0-9]*$ ]]; then
		echo "fuzz: '$number' is no number of jobs or workers: set FUZZJOBS and FUZZPROCS to 1 or more" >&2
		exit 2
	fi
done

scratch=$(mktemp -d)

# finish ends what still runs, which is something only after an interruption.
finish() {
	local running
	running=$(jobs -p)
	# shellcheck disable=SC2086 # one word for each process
	[ -z "$running" ] || kill $running 2>/dev/null || true
	wait
	rm -rf "$scratch"
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# fuzzed_dirs prints the folders that hold fuzz targets.
fuzzed_dirs() {
	grep -rlE --include='*_test.go' --exclude-dir=testdata --exclude-dir=bin \
		'^func Fuzz[A-Z0-9_]' . | xargs -r -n1 dirname | sort -u
}

# fuzz_package compiles a package once, instrumented, and starts its targets as
# places become free. The next package is compiled while they run.
fuzz_package() {
	local dir=$1 name binary targets target
	name=$(tr / _ <<<"${dir#./}")
	binary=$scratch/$name.test
	go test -c -fuzz=. -o "$binary" "$dir"
	targets=$(cd "$dir" && "$binary" -test.list '^Fuzz')
	for target in $targets; do
		while [ "$(jobs -pr | wc -l)" -ge "$jobs" ]; do
			wait -n || true
		done
		run_target "$dir" "$binary" "$target" "$logs/$name.$target.log" &
		started=$((started + 1))
	done
}

# run_target fuzzes one target, prints its line and leaves a file that says how it ended.
run_target() {
	local dir=$1 binary=$2 target=$3 log=$4
	# exec: the fuzzer takes the subshell's place, so that a signal reaches it.
	(cd "$dir" && exec "$binary" -test.run='^$' -test.fuzz="^$target\$" \
		-test.fuzztime="$fuzztime" -test.fuzzminimizetime=1x -test.parallel="$procs" \
		-test.fuzzcachedir="$cache/$dir") >"$log" 2>&1 &
	local fuzzer=$!
	trap 'kill "$fuzzer" 2>/dev/null' TERM INT
	if wait "$fuzzer" || only_late "$log"; then
		printf '  ok    %s %s: %s\n' "$dir" "$target" "$(progress "$log")"
		echo "$dir $target" >>"$scratch/clean"
		return
	fi
	printf '  FAIL  %s %s: %s, see %s\n%s\n' "$dir" "$target" "$(progress "$log")" "${log#"$PWD/"}" "$(tail -n 100 "$log")"
	echo "$dir $target" >>"$scratch/broken"
}

# only_late tells a fuzzer that noticed the end of its time too late, which it reports
# as a failure without an input (go.dev/issue/75804), from one that broke.
only_late() {
	grep -qE '^ +context deadline exceeded$' "$1" &&
		! grep -qE 'Failing input written|panic:|hung or terminated|fatal error' "$1"
}

# progress prints the last count of runs and of inputs that reached new code, or how
# far the inputs already known were run if the time was too short for more.
progress() {
	local line execs new
	if ! grep -q 'now fuzzing' "$1"; then
		line=$(grep -oE '[0-9]+/[0-9]+ completed' "$1" | tail -n 1 || true)
		echo "known inputs only, ${line:-none completed}"
		return
	fi
	line=$(grep -E 'execs: [0-9]+' "$1" | tail -n 1 || true)
	execs=$(sed -nE 's/.*execs: ([0-9]+).*/\1/p' <<<"$line")
	new=$(sed -nE 's/.*new interesting: ([0-9]+).*/\1/p' <<<"$line")
	echo "${execs:-0} execs, ${new:-0} new interesting"
}

mkdir -p "$logs"
touch "$scratch/clean" "$scratch/broken"
started=0
if [ $# -gt 0 ]; then
	dirs=("$@")
else
	mapfile -t dirs < <(fuzzed_dirs)
fi
for dir in "${dirs[@]}"; do
	fuzz_package "./${dir#./}"
done
wait

if [ -s "$scratch/broken" ]; then
	sort "$scratch/broken" | sed 's/^/fuzz: broken: /' >&2
	exit 1
fi
if [ "$started" -eq 0 ]; then
	echo "fuzz: no fuzz target found" >&2
	exit 1
fi
if [ "$(wc -l <"$scratch/clean")" -ne "$started" ]; then
	echo "fuzz: of $started targets some ended without a result: see ${logs#"$PWD/"}" >&2
	exit 1
fi
echo "fuzz: $started targets, $fuzztime each, $jobs at a time: clean"
