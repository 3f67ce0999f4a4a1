#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# What libguestfs finds by reading files in damaged file systems, and that Ctrl-C ends it with all that it has started.
set -eux
cd "$WORK"
partition() { sfdisk --json demo.img | python3 -c '
import json, sys
for p in json.load(sys.stdin)["partitiontable"]["partitions"]:
    if p["name"] == sys.argv[1]: print(p["start"] * 512)' "$1"; }
verify() { set +e; "$MAILSTEAD" verify "$@" >found.txt; status=$?; set -e; cat found.txt; }

# Bytes that the kernel stumbles over, or takes for others.
for place in mailstead-usr-a+20000000 mailstead-root-a+40 mailstead-boot-a+10000000; do
  cp --sparse=always demo.img flipped.img
  name=${place%+*}
  at=$(($(partition "$name") + ${place#*+}))
  byte=$(od -An -tu1 -j "$at" -N 1 flipped.img)
  # shellcheck disable=SC2059  # the format is the byte
  printf "\\$(printf %03o $((byte ^ 255)))" | dd of=flipped.img bs=1 seek="$at" conv=notrunc status=none
  verify flipped.img
  test "$status" = 1
  grep -q "$name" found.txt
  # Nothing vouches for files that it could still be held against.
  grep -q '^not proved: that another system reads the same files$' found.txt
done

# Ctrl-C. Programs are found by what they have open, as libguestfs gives them names of its own.
holders() {
  for fd in /proc/[0-9]*/fd/*; do
    if [ "$(readlink "$fd")" = "$(realpath demo.img)" ]; then readlink "${fd%/fd/*}/exe" || true; fi
  done
}
"$MAILSTEAD" verify demo.img >/dev/null 2>interrupted.txt &
pid=$!
for _ in $(seq 60); do
  if holders 2>/dev/null | grep -q qemu; then break; fi
  sleep 1
done
holders 2>/dev/null | grep -q qemu
kill -INT "$pid"
set +e; wait "$pid"; status=$?; set -e
test "$status" = 130
grep -q 'interrupted; no partial output' interrupted.txt
test -z "$(holders 2>/dev/null)"
rm -f flipped.img found.txt interrupted.txt
