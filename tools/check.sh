#!/usr/bin/env bash
# All that a change must pass, cheapest first. Every step runs, whatever became of the ones before.
# CHECK=quick leaves out what takes long: clang-tidy and the tests under sanitizers.
set -uo pipefail
cd "$(dirname "$0")/.."

failed=()
step() {
  local name=$1 begin=$SECONDS
  shift
  echo "== $name"
  if "$@"; then echo "== $name: good, $((SECONDS - begin)) s"
  else echo "== $name: FAILED, $((SECONDS - begin)) s"; failed+=("$name"); fi
}

check_format() {
  git ls-files '*.h' '*.cc' '*.c' | xargs -r clang-format-19 --dry-run -Werror
}

run_tests() {
  cmake --preset "$1" >/dev/null && cmake --build --preset "$1" -- --quiet && ctest --preset "$1"
}

build_with_clang() {
  cmake --preset clang >/dev/null && cmake --build --preset clang -- --quiet
}

step format check_format
step layers python3 tools/check_layers.py .
step style python3 tools/check_style.py .
step docs python3 tools/check_docs.py .
step house python3 tools/house_report.py .
step debug run_tests debug
step clang build_with_clang
if [ "${CHECK:-all}" != quick ]; then
  step tidy tools/run_tidy.sh
  step asan run_tests asan
fi

if [ "${#failed[@]}" -gt 0 ]; then
  echo "check: failed: ${failed[*]}"
  exit 1
fi
echo "check: all good, $SECONDS s"
