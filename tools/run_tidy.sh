#!/usr/bin/env bash
# Builds with clang, then runs clang-tidy over what has changed since it was last clean.
set -euo pipefail
cd "$(dirname "$0")/.."
cmake --preset clang >/dev/null
cmake --build --preset clang
python3 tools/run_tidy.py .
