#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# A disk that is full, whatever a build is at: it is told once, with what helps, and before long work where that can be known.
set -eux
cd "$WORK"
cache=${MAILSTEAD_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/mailstead}
unset MAILSTEAD_MIRROR MAILSTEAD_SNAPSHOT http_proxy all_proxy ALL_PROXY TMPDIR
rm -rf full && mkdir -p full/cache full/server
trap 'jobs -p | xargs -r kill' EXIT
: >full/server/faults
mkfifo full/server/open && exec 3<>full/server/open
python3 "$SOURCE/tests/system/archive-server.py" mailstead.lock "$cache/store" full/server <&3 &
until [ -e full/server/port ]; do sleep 0.1; done
origin=http://127.0.0.1:$(cat full/server/port)
export cache origin

lacks() { # TEXT [FILE]: is not in there
  if grep -E -- "$1" "${2-full/said.txt}"; then return 1; fi
}
export -f lacks

# Each file system is seen in a namespace of its own only, and needs no root there.
# small SIZE TEXT [COMMAND]: a build whose cache has that size, after the command, ends with that text
small() {
  size=$1 text=$2 before=${3:-} unshare -rm bash -euxs <<'SH'
mount -t tmpfs -o "mode=755,$size" tmpfs full/cache
eval "$before"
export MAILSTEAD_CACHE=$PWD/full/cache
got=0
"$MAILSTEAD" build mail.yaml -o full/x.img --mirror "$origin/debian $origin/debian-security" 2>full/said.txt || got=$?
cat full/said.txt
test "$got" = 1
test ! -e full/x.img
grep -F -- "$text" full/said.txt
grep -F MAILSTEAD_CACHE full/said.txt
lacks TMPDIR
# Once: what follows the message is a remedy and a handful of notes.
test "$(sed -n '/^mailstead: /,$p' full/said.txt | wc -l)" -le 8
test "$(grep -c 'No space left on device\|has .* free\|no space is left' full/said.txt)" -le 2
SH
}
store='ln -s "$cache/store" full/cache/store'
# nothing fits: not even begun
small size=20M 'the packages to fetch need'
lacks '^mirror postfix ' full/server/log
# there is room, but for no more files
small size=900M,nr_inodes=40 'No space left on device'
# the packages are there, and do not fit unpacked
small size=100M 'the unpacked packages need' "$store"
lacks 'unpack packages'
# they fit, but not what is made of them
small size=600M 'no space is left' "$store"
# an index of the archive does not fit
unshare -rm bash -eux <<'SH'
mount -t tmpfs -o mode=755,size=20M tmpfs full/cache
mkdir full/new && cp mail.yaml full/new && cp -r secrets full/new
export MAILSTEAD_CACHE=$PWD/full/cache
got=0
"$MAILSTEAD" lock full/new/mail.yaml 2>full/said.txt || got=$?
cat full/said.txt
test "$got" = 1
grep -F 'No space left on device' full/said.txt
grep -F MAILSTEAD_CACHE full/said.txt
lacks 'trying the next mirror'
test ! -e full/new/mailstead.lock
SH
# the image's place is full
mkdir full/image
unshare -rm bash -eux <<'SH'
mount -t tmpfs -o mode=755,size=20M tmpfs full/image
got=0
"$MAILSTEAD" build mail.yaml --offline -o full/image/x.img 2>full/said.txt || got=$?
test "$got" = 1
grep -F 'the disk image needs' full/said.txt
test -z "$(ls -A full/image)"
SH
rm -rf full
