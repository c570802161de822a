#!/usr/bin/env bash
# Installs the packages of tools/packages.txt that this machine lacks, and says which.
#
# Usage: tools/install_deps.sh [build|check|bench|all]
#
# Exit status: 0 all there, 1 something is missing and stays so.
# `all` leaves the group `bench` out: it is what only `make bench` asks for.
set -euo pipefail
group=${1:-all}
list="$(dirname "$0")/packages.txt"

mapfile -t wanted < <(awk -v group="$group" \
  '!/^#/ && NF >= 3 && (group == "all" ? $2 != "bench" : $2 == group) {print $1}' "$list")

if ! command -v dpkg-query >/dev/null; then
  echo "deps: not a Debian system; what is needed stands in tools/packages.txt"
  exit 0
fi

installed=$(dpkg-query -W -f='${Package} ${db:Status-Status}\n' "${wanted[@]}" 2>/dev/null |
  awk '$2 == "installed" {print $1}' || true)
mapfile -t missing < <(comm -23 <(printf '%s\n' "${wanted[@]}" | sort -u) \
  <(printf '%s\n' "$installed" | sort -u))
if [ "${#missing[@]}" -eq 0 ]; then exit 0; fi

as_root=()
if [ "$(id -u)" -ne 0 ]; then
  if ! command -v sudo >/dev/null; then
    echo "deps: not root and no sudo here. Please have these packages installed:" >&2
    echo "  ${missing[*]}" >&2
    exit 1
  fi
  as_root=(sudo)
fi

echo "deps: installing ${missing[*]}"
"${as_root[@]}" apt-get update -q </dev/null
"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends \
  "${missing[@]}" </dev/null
