#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# A build from a lock that has grown old, with a mirror and a snapshot archive of our own in all states of disrepair: it ends with
# the same image as ever, or says what is gone and leaves nothing half-written.
set -eux
cd "$WORK"
cache=${MAILSTEAD_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/mailstead}
unset MAILSTEAD_MIRROR MAILSTEAD_SNAPSHOT http_proxy all_proxy ALL_PROXY
rm -rf stale && mkdir stale
trap 'jobs -p | xargs -r kill' EXIT

# world NAME PACKAGE…: sets $folder, with a cache that lacks these packages (or all, for *), and $origin, an archive with the
# faults on standard input. It ends with this script, which holds its standard input.
world() {
  folder=stale/$1
  shift
  mkdir -p "$folder/cache"
  cat >"$folder/faults"
  python3 - mailstead.lock "$cache/store" "$folder/cache/store" "$@" <<'PY'
import os, shutil, sys
lock, source, target, *lacking = sys.argv[1:]
for line in open(lock):
    if line.startswith("package ") and line.split()[1] not in lacking and "*" not in lacking:
        digest = line.split()[7]
        place = os.path.join("sha256", digest[:2], digest)
        os.makedirs(os.path.dirname(os.path.join(target, place)), exist_ok=True)
        try:
            os.link(os.path.join(source, place), os.path.join(target, place))
        except OSError:  # another file system
            shutil.copy(os.path.join(source, place), os.path.join(target, place))
PY
  local held
  # shellcheck disable=SC2034  # a descriptor, held open
  exec {held}> >(exec python3 "$SOURCE/tests/system/archive-server.py" mailstead.lock "$cache/store" "$folder")
  for _ in $(seq 100); do
    if [ -e "$folder/port" ]; then break; fi
    sleep 0.1
  done
  origin=http://127.0.0.1:$(cat "$folder/port")
}

# build OPTION…: in the world that was made last; what it said is in said.txt there
build() {
  MAILSTEAD_CACHE=$folder/cache "$MAILSTEAD" build mail.yaml -o "$folder/x.img" \
    --mirror "$origin/debian $origin/debian-security" "$@" 2>"$folder/said.txt"
}

# refused OPTION…: the build ends with 1, leaves no image and nothing half-fetched, and its last words are those on standard input
refused() {
  local got=0
  cat >"$folder/expected.txt"
  build "$@" || got=$?
  cat "$folder/said.txt"
  [ "$got" = 1 ] || { echo "exit code $got, expected 1"; exit 1; }
  [ ! -e "$folder/x.img" ]
  [ -z "$(find "$folder/cache/store/partial" -type f)" ]
  sed -n '/^mailstead: /,$p' "$folder/said.txt" | diff -u "$folder/expected.txt" -
}

# field NAME NUMBER: of the lock's line of that package
field() {
  awk -v name="$1" -v number="$2" '$1 == "package" && $2 == name {print $number}' mailstead.lock
}
named() {
  echo "$1 $(field "$1" 3)"
}
# altered NAME: the digest of what the archive makes of a package
altered() {
  local digest
  digest=$(field "$1" 8)
  python3 - "$cache/store/sha256/${digest::2}/$digest" <<'PY'
import hashlib, sys
body = bytearray(open(sys.argv[1], "rb").read())
body[len(body) // 2] ^= 1
print(hashlib.sha256(body).hexdigest())
PY
}
# asked SIDE NAME: what the archive answered to that
asked() {
  awk -v side="$1" -v name="$2" '$1 == side && $2 == name {print $3}' "$folder/log" | xargs
}
# warned TEXT: that line is in said.txt
warned() {
  grep -xF -- "$1" "$folder/said.txt"
}

locked=$(awk '$1 == "archive-time" {print $2}' mailstead.lock)
time=$(date -u -d "@$locked" '+%Y-%m-%d %H:%M:%S UTC')
stamps=() # for which the snapshot archive is asked, in this order
for later in 1 0 7; do
  stamps+=("$(date -u -d "@$((locked + later * 86400))" '+%Y%m%dT%H%M%SZ')")
done
update="\`$MAILSTEAD lock $PWD/mail.yaml --update\`"
moves_on="$update moves on to the versions that the archive has now"

# Everything at once, from an empty store: lost, busy, stalling, altered and truncated files on the mirror, and a snapshot archive
# that is busy, too. In the background, because it takes the 30 seconds after which a download counts as stalled.
world all '*' <<'FAULTS'
mirror dash 404
mirror nftables 410
mirror tzdata altered
mirror acpid truncated
mirror adduser busy
mirror postfix stalls
snapshot dash busy
FAULTS
(
  build --snapshot "$origin"
  cat "$folder/said.txt"
  cmp demo.img "$folder/x.img"
  size=$(field acpid 7)
  warned "warning: skipped: $(named acpid) has $((size - 100)) bytes at $origin/debian; the lock says $size"
  warned "warning: skipped: $(named tzdata) from $origin/debian is not what the lock says"
  warned "  SHA-256 locked: $(field tzdata 8)"
  warned "  SHA-256 found:  $(altered tzdata)"
  warned "warning: 4 of the locked packages are no longer on the mirrors; they came from the snapshot archive of $time: \
the lock is old, and $update moves on"
  [ "$(asked mirror adduser)" = '503 200' ]
  [ "$(asked mirror postfix)" = '200 206' ]
  [ "$(asked snapshot dash)" = '302 503 302 200' ]
  [ "$(awk '$1 == "snapshot" {print $2}' "$folder/log" | sort -u | xargs)" = 'acpid dash nftables tzdata' ]
  [ -z "$(find "$folder/cache/store/partial" -type f)" ]
) >stale/all.txt 2>&1 &
all=$!

# A snapshot archive that says 503 all the time is given up after half a minute: in the background, too.
world busy dash <<'FAULTS'
mirror * 404
snapshot * 503
FAULTS
refused --snapshot "$origin" >stale/busy.txt 2>&1 <<SAID &
mailstead: 1 of the locked packages is no longer on the mirrors, and the snapshot archive $origin could not be reached
  try again later, what has arrived is kept; or $moves_on
  $(named dash)
  cannot fetch $(named dash) from $origin/archive/debian/${stamps[0]}: The requested URL returned error: 503
SAID
busy=$!

# What the snapshot archive lacks as well is named, all of it; the rest has come, and is not asked for again.
world gone acpid adduser dash nftables postfix tzdata <<'FAULTS'
mirror tzdata none
mirror * 404
snapshot nftables none
snapshot * 404
FAULTS
refused --snapshot "$origin" <<SAID
mailstead: 4 of the locked packages are gone: neither the mirrors nor the snapshot archive $origin has them
  $moves_on
  $(named acpid)
  $(named adduser)
  $(named dash)
  $(named postfix)
SAID
[ "$(asked snapshot acpid)" = '302 404 302 404 302 404' ]
printf 'mirror dash 404\nsnapshot dash 404\n' >"$folder/faults"
MAILSTEAD_SNAPSHOT=$origin refused <<SAID
mailstead: 1 of the locked packages is gone: neither the mirrors nor the snapshot archive $origin has it
  $moves_on
  $(named dash)
SAID
[ "$(asked mirror tzdata)" = 200 ]
[ "$(asked snapshot nftables)" = '302 200' ]
[ "$(asked mirror postfix)" = '404 200' ]

# A mirror that forbids what it lacks, as object stores do, does not keep it from being looked for.
printf 'mirror dash 403\nsnapshot dash 404\n' >"$folder/faults"
refused --snapshot "$origin" <<SAID
mailstead: 1 of the locked packages is gone: neither the mirrors nor the snapshot archive $origin has it
  $moves_on
  $(named dash)
  not every mirror has said whether it has them: $origin/debian refuses $(named dash): The requested URL returned error: 403
SAID
printf 'mirror dash 404\nsnapshot dash 404\n' >"$folder/faults"

# Without a snapshot archive, and with what cannot be one
refused --snapshot none <<SAID
mailstead: 1 of the locked packages is no longer on the mirrors, and the snapshot archive is turned off
  without --snapshot none (or MAILSTEAD_SNAPSHOT=none) it is asked for them; or $moves_on
  $(named dash)
SAID
got=0
build --snapshot ftp://snapshot.example || got=$?
[ "$got" = 2 ]
grep -F "names the snapshot archive 'ftp://snapshot.example'" "$folder/said.txt"

# Wrong bytes wherever they are: named with their digests, or with their sizes where these tell already.
world wrong dash tzdata <<'FAULTS'
mirror tzdata altered
mirror dash truncated
snapshot tzdata altered
snapshot dash 404
FAULTS
digests="is not what the lock says
  SHA-256 locked: $(field tzdata 8)
  SHA-256 found:  $(altered tzdata)"
pins="  $update pins what the archive has now; if the bytes still differ, use another mirror: --mirror"
lacks="  the snapshot archive $origin does not have the locked one"
refused --snapshot "$origin" <<SAID
mailstead: $(named dash) has $(($(field dash 7) - 100)) bytes at $origin/debian; the lock says $(field dash 7)
$pins
$lacks
$(named tzdata) from $origin/debian $digests
$pins
$(for stamp in "${stamps[@]}"; do echo "  $(named tzdata) from $origin/archive/debian/$stamp $digests"; done)
$lacks
SAID

wait "$busy" || { cat stale/busy.txt; exit 1; }
wait "$all" || { cat stale/all.txt; exit 1; }
cat stale/all.txt
rm -rf stale
