#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Builds the fuzz targets with clang 19 below FOLDER and runs each for SECONDS, from the kept inputs on:
#   tests/fuzz/run.sh FOLDER SECONDS [SEED]
# SEED is the beginning of libFuzzer's random numbers; without it, another one each time.
# An input that fails stays in FOLDER/crashes; put it into tests/fuzz/corpus/TARGET with what fixes it.
set -eu

[ $# -eq 2 ] || [ $# -eq 3 ] || { echo "usage: $0 FOLDER SECONDS [SEED]" >&2; exit 2; }
command -v clang++-19 >/dev/null || { echo "$0: clang++-19 is missing; ./setup install fetches it" >&2; exit 1; }
source=$(cd "$(dirname "$0")/../.." && pwd)
mkdir -p "$1/crashes"
folder=$(cd "$1" && pwd)
targets="spec deb dialogue"

cd "$source"
launcher=
if command -v ccache >/dev/null; then launcher=-DCMAKE_CXX_COMPILER_LAUNCHER=ccache; fi
cmake --preset fuzz -B "$folder/build" $launcher >"$folder/configure.log" 2>&1 || { cat "$folder/configure.log" >&2; exit 1; }
# shellcheck disable=SC2046  # a list of targets
ninja -C "$folder/build" $(printf 'fuzz_%s ' $targets) >"$folder/build.log" 2>&1 ||
  { grep -A 20 -E '^FAILED|error:' "$folder/build.log" >&2; exit 1; }

failed=
for target in $targets; do
  echo "fuzz_$target, $2 s"
  found=$folder/corpus/$target
  mkdir -p "$found"
  if "$folder/build/tests/fuzz/fuzz_$target" -max_total_time="$2" -seed="${3:-0}" -timeout=25 -rss_limit_mb=2048 -print_final_stats=1 \
    -artifact_prefix="$folder/crashes/$target-" "$found" "tests/fuzz/corpus/$target" >"$folder/$target.log" 2>&1; then
    grep -E 'DONE|number_of_executed_units' "$folder/$target.log"
  else
    tail -n 60 "$folder/$target.log" >&2
    failed="$failed $target"
  fi
done
[ -z "$failed" ] || { echo "failed:$failed; inputs in $folder/crashes" >&2; exit 1; }
