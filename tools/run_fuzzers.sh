#!/usr/bin/env bash
# Builds the fuzzers and runs each for a minute, or only those named. They begin from fuzz/corpus
# and from what earlier runs have kept in the build folder.
#
# Usage: [SECONDS_PER_FUZZER=60] tools/run_fuzzers.sh [NAME…]
set -euo pipefail
cd "$(dirname "$0")/.."

cmake --preset fuzz >/dev/null
cmake --build --preset fuzz --target fuzz/all

names=("$@")
if [ "${#names[@]}" -eq 0 ]; then
  mapfile -t names < <(find build/fuzz/fuzz -maxdepth 1 -type f -executable -printf '%f\n' | sort)
fi
for name in "${names[@]}"; do
  corpus=build/fuzz/corpus/$name
  mkdir -p "$corpus"
  echo "fuzz: $name"
  "build/fuzz/fuzz/$name" -max_total_time="${SECONDS_PER_FUZZER:-60}" -print_final_stats=1 \
    -artifact_prefix="$corpus-finding-" "$corpus" "fuzz/corpus/$name"
done
