#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Boots disks whose other slot has been written: a good one is kept, a damaged one gives way to the slot before it.
set -eux
cd "$WORK"
rm -rf swap
mkdir swap
ln -s ../secrets swap/secrets
ln -s ../mailstead.lock swap/mailstead.lock
# The same site with one more name for an account: another root file system, with the same base.
sed 's/aliases: \[tiny@example.org\]/aliases: [tiny@example.org, wee@example.org]/' mail.yaml >swap/mail.yaml
if cmp mail.yaml swap/mail.yaml; then exit 1; fi
"$MAILSTEAD" build swap/mail.yaml -o swap/next.img

# prepared DISK: a disk that starts the image of today, with the next one in its other slot
prepared() {
  cp --sparse=always demo.img "$1"
  "$MAILSTEAD" update swap/next.img --disk "$1"
}
# played DISK FOLDER: the dialogues of that folder pass
played() {
  "$MAILSTEAD" test "$1" "$2/" --spec mail.yaml --cpus 1 --passwords passwords --scenarios "$SOURCE/qemu-tests/swaps" --logs "$1.test"
}

# The second start is slot B only if it has been kept.
prepared swap/good.img
"$SOURCE/tests/system/one-try.sh" swap/good.img
played swap/good.img good

# The beginning of the root file system is not what the root hash says.
prepared swap/broken.img
at=$(sfdisk --json swap/broken.img | python3 -c '
import json, sys
[start] = [p["start"] for p in json.load(sys.stdin)["partitiontable"]["partitions"] if p["name"] == "mailstead-root-b"]
print(start * 512)')
printf '\377\377\377\377' | dd of=swap/broken.img bs=1 seek="$at" conv=notrunc status=none
played swap/broken.img broken

# A Dovecot that does not understand its configuration: the machine starts, but no mail goes through it.
mkdir swap/data
cp -r "$SOURCE/rootfs-overlays" "$SOURCE/profiles" swap/data/
echo 'no_such_setting = yes' >>swap/data/rootfs-overlays/mail/etc/dovecot/dovecot.conf.tmpl
cp --sparse=always demo.img swap/unproved.img
MAILSTEAD_DATA=$PWD/swap/data "$MAILSTEAD" build swap/mail.yaml -o swap/unproved-next.img
"$MAILSTEAD" update swap/unproved-next.img --disk swap/unproved.img
"$SOURCE/tests/system/one-try.sh" swap/unproved.img
played swap/unproved.img unproved
