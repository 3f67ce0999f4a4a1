#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# The public part: whoever has the lock makes it, two sites share it bit for bit, and it holds nothing of either.
set -eux
place=$WORK/public
rm -rf "$place"
mkdir -p "$place/cache" "$place/lock" "$place/site" "$place/second-cache"
cache=${MAILSTEAD_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/mailstead}

# From nothing but the packages and the lock, with no spec and no key near.
ln -s "$cache/store" "$place/cache/store"
cp "$WORK/mailstead.lock" "$place/lock/"
cd "$place/lock"
export MAILSTEAD_CACHE=$place/cache
"$MAILSTEAD" base mailstead.lock --profile cloud-amd64 -o "$place/made" --offline >"$place/made.txt"
test "$(ls)" = mailstead.lock
test "$(awk '$1 == "base" {print length($2)}' "$place/made.txt")" = 64

# A second site, with a cache of its own, so that its base is made while its spec and keys are there: other keys, and names and
# an address that are nowhere else.
ln -s "$cache/store" "$place/second-cache/store"
export MAILSTEAD_CACHE=$place/second-cache
cd "$place/site"
mark=privateqzx
sed -E "s/example\\.org/$mark-site.example/g; s/(alice|bob|noreply|small|tiny|team|old|someone)@/$mark-\\1@/g; s/@elsewhere/@$mark-elsewhere/" \
  "$WORK/mail.yaml" >mail.yaml
sed -i 's|^  dhcp: true$|  addresses: [198.51.100.177/24]\n  gateway: 198.51.100.1|' mail.yaml
grep -qF 198.51.100.177 mail.yaml
cp "$WORK/mailstead.lock" .
"$MAILSTEAD" keys mail.yaml
"$MAILSTEAD" build mail.yaml -o mail.img --offline

# What both disks have of it is what the lock alone gave.
python3 - "$place/made" "$WORK/demo.img" mail.img <<'PY'
import hashlib, json, pathlib, subprocess, sys
made = {p.name: p.read_bytes() for p in pathlib.Path(sys.argv[1]).iterdir()}
roots = set()
for image in sys.argv[2:]:
    table = json.loads(subprocess.run(["sfdisk", "--json", image], check=True, stdout=subprocess.PIPE).stdout)
    places = {p["name"]: (p["start"] * 512, p["size"] * 512) for p in table["partitiontable"]["partitions"]}
    def read(name, size=None):
        with open(image, "rb") as disk:
            disk.seek(places[name][0])
            return disk.read(size or places[name][1])
    def file(name):
        return subprocess.run(["mcopy", "-i", f"{image}@@{places['mailstead-boot-a'][0]}", "::/" + name, "-"],
                              check=True, stdout=subprocess.PIPE).stdout
    with open(image, "rb") as disk:
        assert disk.read(440) == made["mbr.bin"], "boot code"
    for name, part in (("mailstead-usr-a", "usr.img"), ("mailstead-bios", "core.img")):
        there = read(name)
        assert there[:len(made[part])] == made[part] and not there[len(made[part]):].strip(b"\0"), name
    assert read("mailstead-esp", len(made["esp.img"])) == made["esp.img"], "esp"
    for name in ("vmlinuz", "initrd.img"):
        assert file(name) == made[name], name
    roots.add(hashlib.sha256(read("mailstead-root-a")).hexdigest())
assert len(roots) == 2, "the private parts are the same"
PY

# Nothing of the second site is in any file of the base that was made beside it: what is compressed is looked into. Its names
# all have the mark in them; of its secrets and hashes every line is looked for.
test "$(grep -cF "$mark" mail.yaml)" -ge 10
{
  echo "$mark"
  echo 198.51.100.177
  sed -n 's/.*password_hash: "\(.*\)"/\1/p' mail.yaml
  find secrets -name '*.pem' -exec grep -hv -e '-----' {} +
} >words.txt
test "$(wc -l <words.txt)" -ge 40
made=$(echo "$place"/second-cache/bases/*/)
test -s "$made/usr.img"
mkdir tree
unsquashfs -q -n -d tree/usr "$made/usr.img" >/dev/null
mkdir tree/initrd tree/esp
(cd tree/initrd && zstd -qdc "$made/initrd.img" | cpio -idm --quiet --no-absolute-filenames)
mcopy -n -s -i "$made/esp.img" ::/ tree/esp/
test "$(find tree/usr tree/initrd -type f | wc -l)" -gt 2000
grep -rqF systemd-repart tree/initrd/usr/lib/systemd/system
test -s tree/esp/EFI/BOOT/BOOTX64.EFI
if grep -rlFf words.txt tree "$made"; then exit 1; fi
if find tree | grep -F "$mark"; then exit 1; fi
# The search finds what is there: the same words are in the private part.
python3 - mail.img root.part <<'PY'
import json, subprocess, sys
table = json.loads(subprocess.run(["sfdisk", "--json", sys.argv[1]], check=True, stdout=subprocess.PIPE).stdout)
[(start, size)] = [(p["start"], p["size"]) for p in table["partitiontable"]["partitions"] if p["name"] == "mailstead-root-a"]
with open(sys.argv[1], "rb") as disk, open(sys.argv[2], "wb") as part:
    disk.seek(start * 512)
    part.write(disk.read(size * 512))
PY
unsquashfs -q -n -d root root.part >/dev/null
test "$(grep -rlFf words.txt root | wc -l)" -ge 10

# A lock that does not fit, a profile that is not there, a folder with something in it.
expect() { # CODE TEXT COMMAND…
  local code=$1 text=$2 got=0
  shift 2
  "$@" 2>said.txt || got=$?
  cat said.txt
  test "$got" = "$code"
  grep -F -- "$text" said.txt
}
expect 2 "there is no profile 'none'" "$MAILSTEAD" base mailstead.lock --profile none
expect 2 '--profile is required' "$MAILSTEAD" base mailstead.lock
expect 2 'is not an empty folder' "$MAILSTEAD" base mailstead.lock --profile cloud-amd64 -o "$place/made" --offline
# Before anything is made of a lock that nobody has built yet.
mkdir "$place/third-cache"
MAILSTEAD_CACHE=$place/third-cache expect 1 'cannot make none/made: its folder does not exist' \
  "$MAILSTEAD" base mailstead.lock --profile cloud-amd64 -o none/made --offline
rm -rf "$place"
