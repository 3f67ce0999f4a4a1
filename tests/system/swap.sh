#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Boots disks whose other slot has been written: a good one is kept; one in which anything is broken gives way to the slot before it.
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

# One try, from here on: a start of slot B that fails, and slot A. bad NAME FOLDER REASON: swap/NAME.img gives way, and the console says why.
bad() {
  "$SOURCE/tests/system/one-try.sh" "swap/$1.img"
  "$MAILSTEAD" test "swap/$1.img" "$2/" --spec mail.yaml --cpus 1 --passwords passwords --scenarios "$SOURCE/qemu-tests/swaps" \
    --set "reason=$3" --logs "swap/$1.test"
  rm "swap/$1.img"
}

# Files of its boot partition are not what they were.
prepared swap/kernel.img
boot_b=$(sfdisk --json swap/kernel.img | python3 -c '
import json, sys
[start] = [p["start"] for p in json.load(sys.stdin)["partitiontable"]["partitions"] if p["name"] == "mailstead-boot-b"]
print(start * 512)')
head -c 100000 /dev/urandom >swap/garbage
mcopy -o -i "swap/kernel.img@@$boot_b" swap/garbage ::vmlinuz
bad kernel gives-way 'error: .*vmlinuz.*|invalid magic number'
prepared swap/initrd.img
mcopy -o -i "swap/initrd.img@@$boot_b" swap/garbage ::initrd.img
bad initrd gives-way 'Kernel panic'
prepared swap/slot.img
head -c 500 swap/garbage >swap/short
mcopy -o -i "swap/slot.img@@$boot_b" swap/short ::slot-b.cfg
bad slot gives-way 'BOOT_IMAGE'

# overlays NAME: a copy of the overlays and profiles in $MAILSTEAD_DATA, to break something in
overlays() {
  export MAILSTEAD_DATA=$PWD/swap/$1
  mkdir "$MAILSTEAD_DATA"
  cp -r "$SOURCE/rootfs-overlays" "$SOURCE/profiles" "$MAILSTEAD_DATA/"
}
# built NAME: a disk whose slot B is made with them
built() {
  cp --sparse=always demo.img "swap/$1.img"
  "$MAILSTEAD" build swap/mail.yaml -o swap/built.img
  unset MAILSTEAD_DATA
  "$MAILSTEAD" update swap/built.img --disk "swap/$1.img"
}
# unit FOLDER AFTER TARGET COMMAND: a unit of the overlay that TARGET wants, started after another one
unit() {
  printf '[Unit]\nDescription=Break something\nDefaultDependencies=no\nAfter=%s\n[Service]\nType=oneshot\nExecStart=%s\n' "$2" "$4" \
    >"$MAILSTEAD_DATA/rootfs-overlays/$1/usr/lib/systemd/system/break.service"
  mkdir -p "$MAILSTEAD_DATA/rootfs-overlays/$1/usr/lib/systemd/system/$3.d"
  printf '[Unit]\nWants=break.service\nAfter=break.service\n' >"$MAILSTEAD_DATA/rootfs-overlays/$1/usr/lib/systemd/system/$3.d/90-break.conf"
}

# The machine starts, but no mail goes through it.
overlays dovecot
echo 'no_such_setting = yes' >>"$MAILSTEAD_DATA/rootfs-overlays/mail/etc/dovecot/dovecot.conf.tmpl"
built dovecot
bad dovecot gives-way 'MAILSTEAD-PROOF failed: dovecot.service is not active'
overlays key
sed -i 's/selector = {{ selector | quoted }}/selector = "other"/' "$MAILSTEAD_DATA/rootfs-overlays/spam/etc/rspamd-signing/dkim_signing.conf.tmpl"
built key
bad key gives-way 'MAILSTEAD-PROOF failed: .*signed with other of .*, whose public key is not in the image'
overlays resolver
sed -i 's/^server:$/&\n  local-zone: "localhost." always_nxdomain/' "$MAILSTEAD_DATA/rootfs-overlays/resolver/etc/unbound/unbound.conf.tmpl"
built resolver
bad resolver gives-way 'MAILSTEAD-PROOF failed: the resolver does not answer'

# The service manager hangs: frozen, it does nothing any more, and the kernel goes on. Before udev has loaded the watchdog's driver nothing
# would end that.
overlays early
unit initrd sysroot.mount initrd-fs.target "lua5.4 -e 'io.open(\"/sys/fs/cgroup/init.scope/cgroup.freeze\", \"w\"):write(\"1\")'"
built early
bad early hangs 'Break something'
overlays late
unit base basic.target multi-user.target "/bin/sh -c 'echo \"<13>now it hangs\" > /dev/kmsg; echo 1 > /sys/fs/cgroup/init.scope/cgroup.freeze'"
built late
bad late hangs 'now it hangs'
rm -rf swap
