#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Reads the image with programs that are not ours.
set -eux
cd "$WORK"
image=demo.img

sfdisk --verify "$image" 2>&1 | tee table.txt
grep -q 'No errors detected' table.txt

# start and size in sectors of the partition with a label
partition() { sfdisk --json "$image" | python3 -c '
import json, sys
for p in json.load(sys.stdin)["partitiontable"]["partitions"]:
    if p["name"] == sys.argv[1]: print(p["start"], p["size"])' "$1"; }

extract() {
  # shellcheck disable=SC2046  # two numbers
  set -- "$2" $(partition "$1")
  dd if="$image" of="$1" bs=1M iflag=skip_bytes,count_bytes skip=$(($2 * 512)) count=$(($3 * 512)) conv=sparse status=none
}

for name in esp boot-a boot-b usr-a usr-b root-a root-b; do
  test -n "$(partition "mailstead-$name")"
done
extract mailstead-esp esp.fat
extract mailstead-boot-a boot.fat
fsck.fat -n esp.fat
fsck.fat -n boot.fat
mcopy -n -o -i boot.fat ::/slot.cfg slot.cfg

for name in usr root; do
  extract "mailstead-$name-a" "$name.part"
  argument() { tr ' ' '\n' <slot.cfg | sed -n "s/^$1=//p"; }
  hash=$(argument "$( [ $name = usr ] && echo usrhash || echo roothash )")
  offset=$(argument "systemd.verity_${name}_options" | sed 's/.*hash-offset=//; s/,.*//')
  veritysetup verify "$name.part" "$name.part" "$hash" --hash-offset="$offset"
  unsquashfs -s "$name.part" | grep -i 'found a valid'
  # A flipped byte anywhere in the data must be noticed.
  cp "$name.part" flipped.part
  printf '\377' | dd of=flipped.part bs=1 seek=$((offset / 2)) conv=notrunc status=none
  cmp -s "$name.part" flipped.part && { printf '\000' | dd of=flipped.part bs=1 seek=$((offset / 2)) conv=notrunc status=none; }
  if veritysetup verify flipped.part flipped.part "$hash" --hash-offset="$offset"; then exit 1; fi
done

# Nothing of the site is in the public part.
unsquashfs -q -n -d usr.tree usr.part >/dev/null
for word in example.org alice secret; do
  if grep -rlF "$word@example.org" usr.tree || grep -rlF "mail.$word" usr.tree; then exit 1; fi
done
hash=$(sed -n 's/.*password_hash: "\(.*\)"/\1/p' mail.yaml | head -1)
if grep -rlF "$hash" usr.tree; then exit 1; fi
rm -rf usr.tree flipped.part

# Secrets in the root image are for root or the one service that needs them.
unsquashfs -lls root.part >root.list
grep 'etc/rspamd/dkim/' root.list | grep '\.key$' | awk '{print $1}' | sort -u | grep -x -e '-rw-r-----'
grep 'etc/ssl/mailstead/key.pem$' root.list | awk '{print $1}' | grep -v 'r..$'
