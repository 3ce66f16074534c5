#!/usr/bin/env bash
# Installs what judges the verdicts, where that is possible: Debian's Apache Traffic Server (what Expressway runs inside) for the
# lab and its tests, and the `openssl` program for the tests.
# With --with-browser, also Chromium and a font, in which tests open the report; with --with-promtool, Debian's Prometheus, whose
# promtool judges metrics and alerts.
# With --if-possible it is no failure where it is not: the lab then judges with OpenSSL's library and says so.
set -euo pipefail

if_possible='' with_browser='' with_promtool=''
for option in "$@"; do
  case $option in
    --if-possible) if_possible=1 ;;
    --with-browser) with_browser=1 ;;
    --with-promtool) with_promtool=1 ;;
    *) echo "What is $option? These are known: --if-possible --with-browser --with-promtool" >&2; exit 64 ;;
  esac
done

missing=()
command -v traffic_server >/dev/null || missing+=(trafficserver)
command -v openssl >/dev/null || missing+=(openssl)
[ -z "$with_browser" ] || command -v chromium >/dev/null || missing+=(chromium fonts-dejavu-core)
[ -z "$with_promtool" ] || command -v promtool >/dev/null || missing+=(prometheus)
[ ${#missing[@]} -eq 0 ] && exit 0

give_up() {
  echo "$1"
  echo "Without trafficserver the lab's judge is OpenSSL; without chromium no test opens the report; without prometheus none judges the alerts. To have them: sudo apt-get install --no-install-recommends ${missing[*]}"
  [ -n "$if_possible" ] && exit 0
  exit 1
}

if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
  give_up "Not installed: ${missing[*]}; and this is not root on a Debian system, so it stays that way."
fi

log=$(mktemp)
trap 'rm -f "$log"' EXIT
echo "Installing ${missing[*]} from Debian (once)"
# No service is wanted: the lab starts its own from private directories.
export RUNLEVEL=1 DEBIAN_FRONTEND=noninteractive
if ! { apt-get update && apt-get install -y --no-install-recommends "${missing[@]}"; } >"$log" 2>&1; then
  tail -n 5 "$log"
  give_up "apt-get could not install ${missing[*]}."
fi
