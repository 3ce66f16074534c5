#!/usr/bin/env bash
# Installs the lab's judge, Debian's Apache Traffic Server (what Expressway runs inside), where that is possible.
# With --if-possible it is no failure where it is not: the lab then judges with OpenSSL and says so.
set -euo pipefail

if command -v traffic_server >/dev/null; then exit 0; fi

if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
  echo "The Apache Traffic Server is not installed, and this is not root on a Debian system, so it stays that way:"
  echo "the lab's judge will be OpenSSL. To have the real one: sudo apt-get install --no-install-recommends trafficserver"
  [ "${1:-}" = --if-possible ] && exit 0
  exit 1
fi

log=$(mktemp)
trap 'rm -f "$log"' EXIT
echo "Installing Debian's trafficserver, the lab's judge (once)"
# No service is wanted: the lab starts its own from private directories.
if ! { apt-get update && RUNLEVEL=1 DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends trafficserver; } >"$log" 2>&1; then
  tail -n 5 "$log"
  echo "apt-get could not install trafficserver; the lab's judge will be OpenSSL."
  [ "${1:-}" = --if-possible ] && exit 0
  exit 1
fi
