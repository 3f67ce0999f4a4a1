#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Every service of the image that we run or shape is as confined as was reviewed: systemd-analyze(1) reads the units of the
# image and gives each an exposure, which has a bound in the manifest of an overlay (in tenths; 2 above what systemd 252 says: 257
# counts a little otherwise).
set -eux
cd "$WORK"
rm -rf sandbox
mkdir sandbox

offset() { sfdisk --json demo.img | python3 -c '
import json, sys
[start] = [p["start"] for p in json.load(sys.stdin)["partitiontable"]["partitions"] if p["name"] == sys.argv[1]]
print(start * 512)' "$1"; }
unsquashfs -q -n -o "$(offset mailstead-root-a)" -d sandbox/root demo.img >/dev/null
rmdir sandbox/root/usr
unsquashfs -q -n -o "$(offset mailstead-usr-a)" -d sandbox/root/usr demo.img lib/systemd/system >/dev/null
units=sandbox/root/usr/lib/systemd/system

# confined UNIT BOUND: its exposure, in tenths of a point of 10, is not above the bound
confined() { systemd-analyze security --offline=true --root="$PWD/sandbox/root" --no-pager --threshold="$2" "$1" >sandbox/said.txt 2>&1; }

sed -n 's/^  \([^ ]*\): {exposure: \([0-9]*\), why: .*/\1 \2/p' "$SOURCE"/rootfs-overlays/*/manifest.yaml >sandbox/bounds.txt
while read -r unit bound; do
  test -e "$units/$unit"
  confined "$unit" "$bound" || { cat sandbox/said.txt; echo "$unit: exposed to more than $bound/10"; exit 1; }
done <sandbox/bounds.txt

# None is without a bound: neither those with a drop-in of ours nor our own.
{
  find "$units" -path '*.service.d/*mailstead*.conf' | sed 's|/[^/]*$||; s|.*/||; s|\.d$||'
  find "$units" -name 'mailstead-*.service' -type f | sed 's|.*/||'
} | sort -u >sandbox/services.txt
test "$(wc -l <sandbox/services.txt)" -ge 10
cut -d' ' -f1 sandbox/bounds.txt | sort >sandbox/bounded.txt
test -z "$(comm -23 sandbox/services.txt sandbox/bounded.txt)"

# Without our drop-in, Debian's unit is above it: the bound means something.
rm "$units"/rspamd.service.d/*mailstead*.conf
if confined rspamd.service "$(awk '$1 == "rspamd.service" {print $2}' sandbox/bounds.txt)"; then exit 1; fi
rm -rf sandbox
