#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# The scripts of the initrd that look at disks before anything is written to one, on a machine made of files: every kind of thing that
# may lie where the data partition would be made.
set -eu
export PATH="$PATH:/usr/sbin:/sbin"
scripts=$SOURCE/rootfs-overlays/initrd/usr/lib/mailstead
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
machine=$work/machine
id=11111111-2222-4333-8444-555555555555
other=99999999-2222-4333-8444-555555555555
root=aaaaaaaa-0000-4000-8000-000000000007
cases=0

# A table as an image has it, with the partitions of slot A and something behind; the copy of the table ends an image of 1475 MiB.
truncate -s 1475M "$work/image"
sfdisk --quiet --no-reread --no-tell-kernel "$work/image" <<END
label: gpt
first-lba: 34
start=2048, size=2887680, type=8484680C-9521-48C6-9C11-B0720656F69E, name="mailstead-usr-a"
start=2889728, size=129024, type=4F68BCE3-E8CD-4DB1-96E7-FBCAF984B709, uuid=$root, name="mailstead-root-a"
END

# add NAME SIZE: a disk of the machine
add() {
  mkdir -p "$machine/sys/block/$1"
  truncate -s "$2" "$machine/dev/$1"
  echo $(($(stat -c %s "$machine/dev/$1") / 512)) >"$machine/sys/block/$1/size"
  echo "254:0" >"$machine/sys/block/$1/dev"
  printf ' 254        0 %10d %s\n' $(($(stat -c %s "$machine/dev/$1") / 1024)) "$1" >>"$machine/proc/partitions"
}

# start CASE [SIZE]: a machine with an image on its only disk
start() {
  name=$1
  cases=$((cases + 1))
  rm -rf "$machine"
  mkdir -p "$machine/proc/bus/pci" "$machine/dev" "$machine/run/mailstead" "$machine/run/udev/rules.d" "$machine/sysroot/etc/repart.d"
  printf 'major minor  #blocks  name\n\n' >"$machine/proc/partitions"
  echo "root=/dev/mapper/root systemd.verity_root_data=PARTUUID=$root gpt" >"$machine/proc/cmdline"
  sed "s/{{ data_partition }}/$id/" "$SOURCE/rootfs-overlays/base/etc/repart.d/50-data.conf.tmpl" >"$machine/sysroot/etc/repart.d/50-data.conf"
  disk=$machine/dev/vda
  cp --sparse=always "$work/image" "$disk"
  add vda "${2:-3500M}"
}

at() { echo $(($1 * 1048576)); }  # MiB in bytes

# format MIB SIZE ARGUMENT…: an ext4 there
format() {
  place=$(at "$1")
  size=$2
  shift 2
  mkfs.ext4 -q -F -E "offset=$place,lazy_itable_init=1,nodiscard" "$@" "$disk" "$size"
}
# mounted MIB: that file system has been in use
mounted() { debugfs -w -R "set_super_value mtime 20260101" "$disk?offset=$(at "$1")" 2>/dev/null; }

# Reading fails as in Lua between these bytes of a disk, if any are given: "FIRST LAST".
unreadable=
cat >"$work/unreadable.lua" <<'END'
local first, last = os.getenv("UNREADABLE"):match("(%d+) (%d+)")
local open = io.open
function io.open(name, mode)
  local file, reason = open(name, mode)
  if not file or not first or not name:find("/dev/", 1, true) then return file, reason end
  return {
    seek = function(_, ...) return file:seek(...) end,
    close = function() return file:close() end,
    read = function(_, count)
      local at = file:seek()
      if at < tonumber(last) and at + count > tonumber(first) then return nil, "Input/output error", 5 end
      return file:read(count)
    end,
  }
end
END
find_data() {
  UNREADABLE=$unreadable lua5.4 -e "dofile('$work/unreadable.lua')" "$scripts/find-data.lua" "$machine" >"$work/said" 2>&1
}
fail() { echo "$name: $1" >&2; cat "$work/said" >&2; exit 1; }
enter() { sfdisk --quiet --append --no-reread --no-tell-kernel --wipe never --wipe-partitions never "$disk" <"$machine/run/mailstead/table" >/dev/null 2>&1; }

# refused REGEX: stops with this reason, and neither writes nor lets anything be written
refused() {
  before=$(stat -c %y "$disk")
  if find_data; then fail "is not refused"; fi
  grep -Eq "$1" "$work/said" || fail "does not say: $1"
  if grep -q 'lua5.4:' "$work/said"; then fail "is an error of the script"; fi
  grep -Eq "$1" "$machine/run/mailstead/reason" || fail "leaves no reason"
  test ! -e "$machine/run/mailstead/table" || fail "enters something"
  test "$before" = "$(stat -c %y "$disk")" || fail "writes to the disk"
}
accepted() { find_data || fail "is refused"; }
enters() { grep -q "$1" "$machine/run/mailstead/table" || fail "does not enter $1"; }

start 'a blank disk'
accepted
enters 'start=3018752, size=1175552, .*mailstead-blank'
test -e "$machine/run/mailstead/made"
grep -q 'DISK=/dev/vda' "$machine/run/mailstead/disk"
grep -q 'GAP=3' "$machine/run/mailstead/disk"
grep -q '!="254:0"' "$machine/run/udev/rules.d/61-mailstead.rules"
enter
sfdisk --verify "$disk" | grep -q 'No errors detected'

# What systemd-repart has begun is not taken for data.
name='a first start that was cut off'
rm "$machine/run/mailstead/"*
format 2048 512M -U "$id" -L mailstead-data
accepted
test ! -e "$machine/run/mailstead/table" || fail "enters something"
test -e "$machine/run/mailstead/made" || fail "forgets the consent"

name='data that have been used, though the consent is still there'
mounted 2048
accepted
enters "start=4194304, size=1048576, .*uuid=$id"

name='the data partition is in the table'
enter
rm "$machine/run/mailstead/"*
accepted
test ! -e "$machine/run/mailstead/table" || fail "enters it twice"
sfdisk --quiet --no-reread --no-tell-kernel --part-label "$disk" 3 mailstead-reserved
rm "$machine/run/mailstead/"*
accepted
test ! -e "$machine/run/mailstead/made" || fail "withdraws the consent twice"

name='an image written over the whole disk'
dd if="$work/image" of="$disk" conv=notrunc bs=1M status=none
accepted
enters 'mailstead-reserved'
enters "start=4194304, size=1048576, .*uuid=$id"
enter
sfdisk --verify "$disk" | grep -q 'No errors detected'
e2fsck -fn "$disk?offset=$(at 2048)" >/dev/null 2>&1 || fail "damages the data"

start 'another site'"'"'s data in the table'
printf 'start=4194304, size=1048576, type=4D21B016-B534-45C2-A9FB-5C16E091FD2D, uuid=%s\n' "$other" >"$machine/run/mailstead/table"
enter
rm "$machine/run/mailstead/table"
refused "the data partition of another site"

for offset in 2048 1475 1500 2047 2049 3000 3333; do
  start "an ext4 of another site at $offset MiB"
  format $offset 64M -U "$other" -L mailstead-data
  refused "an ext4 file system called 'mailstead-data', id $other"
done

start 'data of this site, the beginning written over'
format 2048 1G -U "$id" -L mailstead-data
mounted 2048
dd if=/dev/zero of="$disk" bs=1M seek=2048 count=1 conv=notrunc status=none
refused 'the data of this site \(ext4\), damaged'

start 'data of this site, a damaged superblock'
format 2048 1G -U "$id" -L mailstead-data
printf '\377' | dd of="$disk" bs=1 seek=$(($(at 2048) + 1024 + 200)) conv=notrunc status=none
refused 'the data of this site \(ext4\), damaged'

start 'data of this site on a disk that has become smaller' 6G
format 2048 4G -U "$id" -L mailstead-data
truncate -s 3G "$disk"
echo $((3 << 21)) >"$machine/sys/block/vda/size"
refused 'reach beyond the end of the disk'

# 512 KiB off, and at the 63rd sector of a MiB, as old systems had it
for shift in 524288 262144 65536 32256; do
  start "an ext4 that begins $shift bytes behind a MiB"
  mkfs.ext4 -q -F -E "offset=$(($(at 2700) + shift)),nodiscard" "$disk" 256M
  refused 'holds something behind the system'
done

put() { printf "$2" | dd of="$disk" bs=1 seek="$(($(at 2048) + $1))" conv=notrunc status=none; }
while read -r where bytes what; do
  start "$what"
  put "$where" "$bytes"
  refused "$what"
done <<'END'
0 LUKS\272\276 LUKS
0 XFSB XFS
65600 _BHRfS_M btrfs
512 LABELONE LVM
3 NTFS\40\40\40\40 NTFS
82 FAT32\40\40\40 FAT
4086 SWAPSPACE2 swap
4096 \374\116\053\251 RAID
32769 CD001 ISO
9000 anything bytes of an unknown kind
END

start 'a table of an earlier owner at the end of the disk, and data where it says'
sfdisk --quiet --no-reread --no-tell-kernel "$disk" <<'END'
label: gpt
start=5000001, size=90000
END
printf 'something' | dd of="$disk" bs=512 seek=5000001 conv=notrunc status=none
dd if="$work/image" of="$disk" conv=notrunc bs=1M status=none
refused 'bytes of an unknown kind'

start 'a table of an earlier owner, all else blank'
sfdisk --quiet --no-reread --no-tell-kernel "$disk" <<'END'
label: gpt
start=5000001, size=90000
END
dd if="$work/image" of="$disk" conv=notrunc bs=1M status=none
accepted

name='given up by a person'
start "$name"
format 2048 64M -U "$other"
refused 'echo .start=3018752, size=1175552'
sed -n 's/^<3>//p' "$work/said" | grep -A1 "echo 'start" | sed "s|/dev/vda|$disk --no-tell-kernel --quiet|" >"$work/give-up"
sh "$work/give-up" 2>/dev/null || fail "the command that it advises fails"
accepted

# What cannot be read may hold anything, also where the consent to format has been given.
for range in "$(at 2048) $(at 3500)" "$(at 1475) $(at 3500)" "$(at 3000) $(($(at 3000) + 4096))"; do
  start "a blank disk that cannot be read at $range"
  unreadable=$range
  refused '/dev/vda cannot be read at [0-9.]+ [GM]iB: Input/output error'
  if grep -q sfdisk "$work/said"; then fail "advises to format it"; fi
  unreadable=
done
start 'a superblock that cannot be read, behind the consent to format'
accepted
enter
rm "$machine/run/mailstead/"*
unreadable="$(at 2048) $(($(at 2048) + 4096))"
refused '/dev/vda cannot be read at 2.0 GiB'
unreadable=
accepted
start 'the end of the disk, where only tables are, cannot be read'
unreadable="$((3500 * 1048576 - 512)) $(at 3500)"
accepted
unreadable=
start 'an ext4, and a place behind it that cannot be read'
format 2048 64M -U "$other"
unreadable="$(at 3000) $(at 3001)"
refused "an ext4 file system, id $other"
unreadable=

# as FILE ENTRIES: the same partitions in a table with room for that many
as() {
  sfdisk --dump "$work/image" | sed "/^first-lba/d; /^last-lba/d; /^label-id/d; s/^label: gpt/&\ntable-length: $2\nfirst-lba: 2048/" |
    sfdisk --quiet --no-reread --no-tell-kernel "$1" 2>/dev/null
}
for entries in 256 4096; do
  start "a table with $entries entries on the only disk"
  truncate -s 0 "$disk"
  truncate -s 3500M "$disk"
  as "$disk" "$entries"
  accepted
  enters mailstead-blank

  start "a copy of the disk whose table has $entries entries"
  truncate -s 3500M "$machine/dev/vdb"
  as "$machine/dev/vdb" "$entries"
  add vdb 3500M
  refused '2 disks have the partition ids'

  start "a larger table of an earlier owner ($entries entries), all else blank"
  printf 'label: gpt\ntable-length: %s\nstart=5000001, size=90000\n' "$entries" |
    sfdisk --quiet --no-reread --no-tell-kernel "$disk"
  dd if="$work/image" of="$disk" conv=notrunc bs=1M status=none
  accepted
done

start 'too small a disk' 1600M
refused 'too small'

start 'two disks with the same ids'
cp --sparse=always "$disk" "$machine/dev/vdb"
add vdb 3500M
refused '2 disks have the partition ids'
if lua5.4 "$scripts/check-disks.lua" "$machine" >"$work/said" 2>&1; then fail "check-disks lets it pass"; fi
test ! -e "$machine/run/mailstead/one-disk"

start 'a second disk with the data of this site'
truncate -s 64M "$machine/dev/vdb"
printf 'label: gpt\nstart=2048, size=65536, type=4D21B016-B534-45C2-A9FB-5C16E091FD2D, uuid=%s\n' "$id" |
  sfdisk --quiet --no-reread --no-tell-kernel "$machine/dev/vdb"
add vdb 64M
refused '2 disks have the partition ids'
name='both with data'
printf 'start=4194304, size=1048576, type=4D21B016-B534-45C2-A9FB-5C16E091FD2D, uuid=%s\n' "$id" >"$machine/run/mailstead/table"
enter
rm "$machine/run/mailstead/table"
refused '2 disks have the partition ids'

start 'other disks: without a table, half a table, a damaged one'
truncate -s 64M "$machine/dev/vdb"
add vdb 64M
printf 'EFI PART' | dd of="$machine/dev/vdb" bs=512 seek=1 conv=notrunc status=none
head -c 1000 /dev/zero >"$machine/dev/vdc"
add vdc 1000
accepted
lua5.4 "$scripts/check-disks.lua" "$machine"
test -e "$machine/run/mailstead/one-disk"

start 'the first copy of the table is half-written'
printf 'start=4194304, size=1048576, type=4D21B016-B534-45C2-A9FB-5C16E091FD2D, uuid=%s\n' "$id" >"$machine/run/mailstead/table"
enter
rm "$machine/run/mailstead/table"
printf '\377' | dd of="$disk" bs=1 seek=1100 conv=notrunc status=none
accepted
test ! -e "$machine/run/mailstead/table" || fail "does not read the second copy"

# format_kept LINE: what an image has left with the data; that of this start understands 3
format_kept() {
  name="data of format '$1'"
  cases=$((cases + 1))
  printf '%b' "$1" >"$machine/sysroot/var/lib/mailstead/state-format"
  rm -f "$machine/run/mailstead/reason"
  status=0
  lua5.4 "$scripts/check-state.lua" "$machine" >"$work/said" 2>&1 || status=$?
}
start 'data that this image does not understand'
mkdir -p "$machine/sysroot/usr/share/mailstead" "$machine/sysroot/var/lib/mailstead"
printf '{\n  "archive_time": 4,\n  "state_format": 3,\n  "packages": []\n}\n' >"$machine/sysroot/usr/share/mailstead/base.json"
lua5.4 "$scripts/check-state.lua" "$machine" || fail "wants a format of new data"
# Not more than a line: what a power cut has damaged is written again after the proof.
for kept in '' '\n' '1\n' '3\n' 'x\n' '9' '9\n9\n' '-9\n'; do
  format_kept "$kept"
  test "$status$(cat "$work/said")" = 0 || fail "is refused"
done
for kept in '4\n' '10\n' '004\n' '99999999999999999999\n'; do
  format_kept "$kept"
  test "$status" = 1 || fail "is taken"
  grep -q 'and this image understands format 3 at most' "$machine/run/mailstead/reason" || fail "leaves no reason"
done
rm "$machine/sysroot/usr/share/mailstead/base.json"
format_kept '1\n'
test "$status" = 1 || fail "is taken without knowing what this image understands"

start 'controllers and cards without a driver'
dd if=/dev/zero of="$disk" bs=1M count=2 conv=notrunc status=none
{
  printf '0010\t8086100e\t0\t0\t0\t0\n'
  printf '0018\t10000073\t0\t0\t0\t0\n'
  printf '0020\t1af41000\t0\t0\t0\t0\tvirtio-pci\n'
} >"$machine/proc/bus/pci/devices"
device() { mkdir -p "$machine/sys/bus/pci/devices/$1"; echo "$2" >"$machine/sys/bus/pci/devices/$1/class"; echo "$3" >"$machine/sys/bus/pci/devices/$1/modalias"; }
device 0000:00:02.0 0x020000 pci:v00008086d0000100Esv00001AF4sd00001100bc02sc00i00
device 0000:00:03.0 0x010400 pci:v00001000d00000073sv00001000sd00009240bc01sc04i00
device 0000:00:04.0 0x020000 pci:v00001AF4d00001000sv00001AF4sd00000001bc02sc00i00
lua5.4 "$scripts/why.lua" "$machine" >"$work/said"
grep -q 'No driver for the disk controller 1000:0073 (PCI 0000:00:03.0)' "$work/said" || fail "does not name the controller"
mkdir -p "$machine/proc/sys/kernel" "$machine/sysroot/usr/lib/modules/6.0"
echo 6.0 >"$machine/proc/sys/kernel/osrelease"
echo 'alias pci:v000015ADd000007B0sv*sd*bc*sc*i* vmxnet3' >"$machine/sysroot/usr/lib/modules/6.0/modules.alias"
lua5.4 "$scripts/check-network.lua" "$machine" >"$work/said"
grep -q 'No driver for the network card 8086:100e (PCI 0000:00:02.0)' "$work/said" || fail "does not name the card"
test "$(wc -l <"$work/said")" -eq 2 || fail "says too much"
echo 'alias pci:v00008086d0000100Esv*sd*bc*sc*i* e1000' >>"$machine/sysroot/usr/lib/modules/6.0/modules.alias"
lua5.4 "$scripts/check-network.lua" "$machine" >"$work/said"
test ! -s "$work/said" || fail "misses the driver"

echo "$cases machines"
