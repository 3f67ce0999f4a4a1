#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Reads the image with programs that are not ours.
set -eux
cd "$WORK"
image=demo.img
rm -rf usr.tree root.tree

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

# No byte of an image written over a disk lands in the data, which begin at 2 GiB.
test "$(stat -c %s "$image")" -le $((2 << 30))

for name in esp boot-a boot-b usr-a usr-b root-a root-b; do
  test -n "$(partition "mailstead-$name")"
done
extract mailstead-esp esp.fat
extract mailstead-boot-a boot.fat
fsck.fat -n esp.fat
fsck.fat -n boot.fat
# The state of the slots lies where whoever does not read the file system looks for it.
mcopy -n -o -i esp.fat ::/grub/grubenv .
tail -c $((1088 * 1024)) esp.fat | head -c 1024 | cmp - grubenv
grep -q '^slot=a$' grubenv
mcopy -n -o -i boot.fat ::/slot-a.cfg ::/slot-b.cfg .
# The files of both slots name the same root hashes, and each the partitions of its own slot: the same bytes start either.
for slot in a b; do sed 's/PARTUUID=[^ ]*//g' slot-$slot.cfg >slot-$slot.txt; done
cmp slot-a.txt slot-b.txt
for slot in a b; do
  for name in usr root; do
    uuid=$(sfdisk --dump "$image" | sed -n "s/.*uuid=\([^,]*\), name=\"mailstead-$name-$slot\".*/\1/p" | tr 'A-F' 'a-f')
    test "$(grep -o "systemd.verity_${name}_[a-z]*=PARTUUID=$uuid" slot-$slot.cfg | wc -l)" = 2
  done
done
archive_time=$(awk '$1 == "archive-time" {print $2}' mailstead.lock)
"$SOURCE/tests/system/fat-times.py" esp.fat "$archive_time"
"$SOURCE/tests/system/fat-times.py" boot.fat "$archive_time"
if "$SOURCE/tests/system/fat-times.py" boot.fat "$((archive_time + 86400))"; then exit 1; fi

for name in usr root; do
  extract "mailstead-$name-a" "$name.part"
  argument() { tr ' ' '\n' <slot-a.cfg | sed -n "s/^$1=//p"; }
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

unsquashfs -q -n -d usr.tree usr.part >/dev/null
# The clock is not behind the lock's time, in the initrd and after it (systemd(1), /usr/lib/clock-epoch).
test "$(stat -c %Y usr.tree/lib/clock-epoch)" = "$archive_time"
mcopy -n -o -i boot.fat ::/initrd.img .
rm -rf epoch && mkdir epoch
zstd -dc initrd.img | (cd epoch && cpio -idm --quiet usr/lib/clock-epoch)
test "$(stat -c %Y epoch/usr/lib/clock-epoch)" = "$archive_time"
rm -rf epoch initrd.img
unsquashfs -q -n -d root.tree root.part >/dev/null
# A scanner that mounts root and /usr at rest finds every package of the system, of the initrd and of the boot loaders in
# its version, and nothing else; and their licences.
rmdir root.tree/usr
mv usr.tree root.tree/usr
dpkg-query --admindir=root.tree/var/lib/dpkg --show --showformat='${Package} ${Version} ${Architecture}\n' | sort >listed.txt
test "$(grep -c '^ask-boot ' mailstead.lock)" -ge 4
awk '$1 == "package" && $9 ~ /system|initrd|boot/ {print $2, $3, $4}' mailstead.lock | sort >locked.txt
diff locked.txt listed.txt
while read -r name _; do test -s "root.tree/usr/share/doc/$name/copyright"; done <listed.txt
rm -rf root.tree flipped.part

# Secrets in the root image are for root or the one service that needs them; the image itself is for its owner.
unsquashfs -lls root.part >root.list
modes() { awk -v path="$1" '$NF ~ path {print $1, $2}' root.list | sort -u; }
test "$(awk '$NF ~ "etc/rspamd-signing/dkim/.*[.]key$" {print $1}' root.list | sort -u)" = '-rw-r-----'
case "$(modes 'etc/ssl/mailstead/key.pem$')" in -rw-r-----*|-rw-------*) ;; *) exit 1 ;; esac
case "$(modes 'etc/dovecot/users$')" in -rw-r-----*|-rw-------*) ;; *) exit 1 ;; esac
case "$(modes 'etc/shadow$')" in -rw-r-----*|-rw-------*) ;; *) exit 1 ;; esac
test "$(stat -c %a demo.img)" = 600
