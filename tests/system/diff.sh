#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Two images of one spec with two bases: in one a package has another version, with other files, and another package is not
# there. `diff` says just that, each line of which is known here from packages, locks and readers that we did not write.
set -eux
cd "$WORK"
cache=${MAILSTEAD_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/mailstead}
rm -rf diff && mkdir -p diff/site diff/cache/store
# A code other than the expected one ends the test, 0 included.
expect() { code=$1; shift; got=0; "$@" || got=$?; test "$got" = "$code"; }
# locked NAME NUMBER: a field of the lock's line of that package
locked() { awk -v name="$1" -v number="$2" '$1 == "package" && $2 == name {print $number}' mailstead.lock; }

# The other version. Its new file cannot be compressed, so that as much more of the partition is in use.
version=$(locked dns-root-data 3)
digest=$(locked dns-root-data 8)
dpkg-deb -R "$cache/store/sha256/$(printf %.2s "$digest")/$digest" diff/package
# It stands in for the helper that the other lock lacks, so that nothing there misses it.
sed -i "s/^Version: .*/&+local1\nProvides: runit-helper (= $(locked runit-helper 3))/" diff/package/DEBIAN/control
cd diff/package
echo '; changed' >>usr/share/dns/root.hints
chmod 600 usr/share/dns/root.key
rm usr/share/dns/root.ds
python3 -c 'import random, sys; sys.stdout.buffer.write(random.Random(1).randbytes(3 << 20))' >usr/share/dns/noise
chmod 644 usr/share/dns/noise
find usr -type f -exec md5sum {} + >DEBIAN/md5sums
cd ../..
dpkg-deb --root-owner-group -Znone -b diff/package diff/new.deb

# A lock with it, and without the helper of an init system that is not there; and a cache of its own, so that what is made
# of a package that does not exist stays in this folder.
cp -r mail.yaml secrets diff/site/
python3 - diff/new.deb "$cache/store" <<'PY'
import hashlib, os, shutil, sys
new, store = sys.argv[1:]
body = ""
with open("mailstead.lock") as lock:
    lines = [line.split() for line in lock if not line.startswith(("#", "end ", "package runit-helper "))]
for words in lines:
    if words[0] == "package":
        file = f"{store}/sha256/{words[7][:2]}/{words[7]}"
        if words[1] == "dns-root-data":
            file = new
            words[2] += "+local1"
            with open(new, "rb") as deb:
                words[6:8] = str(os.path.getsize(new)), hashlib.sha256(deb.read()).hexdigest()
        target = f"diff/cache/store/sha256/{words[7][:2]}/{words[7]}"
        os.makedirs(os.path.dirname(target), exist_ok=True)
        try:
            os.link(file, target)
        except OSError:  # another file system
            shutil.copy(file, target)
    body += " ".join(words) + "\n"
with open("diff/site/mailstead.lock", "w") as lock:
    lock.write(f"{body}end {hashlib.sha256(body.encode()).hexdigest()}\n")
PY
MAILSTEAD_CACHE=$PWD/diff/cache "$MAILSTEAD" build diff/site/mail.yaml -o diff/other.img --offline >diff/other.txt
"$MAILSTEAD" base mailstead.lock --profile cloud-amd64 --offline >diff/one.txt
ln -s ../demo.img diff/one.img
# said SIDE NAME: what `base` or `build` printed of it
said() { awk -v name="$2" 'index($0, name) == 1 {print $NF}' "diff/$1.txt"; }

# What unsquashfs, mcopy and a look at the partitions say: files of /usr; sizes and the kernel's command lines as lines of the
# report, and the numbers of bytes.
python3 - <<'PY'
import json, os, subprocess
def output_of(*argv):
    return subprocess.run(argv, check=True, capture_output=True, text=True).stdout
used, arguments = [], []
for side in "one", "other":
    image = f"diff/{side}.img"
    table = json.loads(output_of("sfdisk", "--json", image))["partitiontable"]["partitions"]
    start = {p["name"]: p["start"] * 512 for p in table}
    with open(image, "rb") as disk:
        def bytes_used(partition):
            disk.seek(partition["start"] * 512)
            return (len(disk.read(partition["size"] * 512).rstrip(b"\0")) + 4095) // 4096 * 4096
        used.append({p["name"]: bytes_used(p) for p in table if p["name"].endswith("-a")})
    output_of("unsquashfs", "-q", "-n", "-o", str(start["mailstead-usr-a"]), "-d", f"diff/{side}", image,
              "share/mailstead", "share/dns")
    line = output_of("mcopy", "-i", f"{image}@@{start['mailstead-boot-a']}", "::/slot-a.cfg", "-").splitlines()[0]
    arguments.append({word.split("=")[0]: word for word in line.split()[2:]})
one, other = used
changed = {name: [one[name], other[name]] for name in sorted(one) if one[name] != other[name]}
assert 3 << 20 <= changed["mailstead-usr-a"][1] - changed["mailstead-usr-a"][0] <= 4 << 20, changed
def human(size):
    return f"{size / 1e6:.0f} MB" if size >= 999500 else f"{size / 1e3:.0f} kB"
with open("diff/sizes.txt", "w") as sizes:
    for name, (before, after) in changed.items():
        print(f"  ~ {name:17} {human(before)} -> {human(after)}", file=sizes)
json.dump(changed, open("diff/sizes.json", "w"))
one, other = arguments
assert one.keys() == other.keys() and "roothash" in one and "systemd.verity_usr_options" in one
with open("diff/boot.txt", "w") as boot:
    for name in sorted(one):
        if one[name] != other[name]:
            print(f"  - argument       {one[name]}\n  + argument       {other[name]}", file=boot)
PY
# content PATH: what is said of a file whose size differs
content() { echo "/usr/$1: content, $(stat -c %s "diff/one/$1") -> $(stat -c %s "diff/other/$1") bytes"; }
info=share/mailstead/dpkg/info

expect 1 "$MAILSTEAD" diff diff/one.img diff/other.img >diff/diff.txt
# section NAME: its lines of the report
section() { awk -v name="$1" '/^[a-z]/ {inside = $0 == name; next} inside && NF' diff/diff.txt; }
test "$(grep '^[a-z]' diff/diff.txt | paste -sd ,)" = image,packages,files,configuration,sizes,boot,'partitions with other bytes'
section image | diff /dev/fd/3 - 3<<SAID
  - base           $(said one base)
  + base           $(said other base)
SAID
section packages | diff /dev/fd/3 - 3<<SAID
  ~ dns-root-data $version -> $version+local1
  - runit-helper $(locked runit-helper 3)
SAID
section files | diff /dev/fd/3 - 3<<SAID
  ~ /etc/mailstead/slot.json: content
  - /usr/lib/runit-helper
  - /usr/lib/runit-helper/runit-helper
  + /usr/share/dns/noise
  - /usr/share/dns/root.ds
  ~ $(content share/dns/root.hints)
  ~ /usr/share/dns/root.key: mode 0644 -> 0600
  - /usr/share/doc/runit-helper
  - /usr/share/doc/runit-helper/copyright
  ~ $(content share/mailstead/base.json)
  ~ $(content $info/dns-root-data.list)
  ~ $(content $info/dns-root-data.md5sums)
  - /usr/$info/runit-helper.list
  - /usr/$info/runit-helper.md5sums
  ~ $(content share/mailstead/dpkg/status)
SAID
section configuration | grep '"base"\|"usr_root_hash"' | diff /dev/fd/3 - 3<<SAID
-  "base": "$(said one base)",
-  "usr_root_hash": "$(said one 'usr hash')",
+  "base": "$(said other base)",
+  "usr_root_hash": "$(said other 'usr hash')",
SAID
section sizes | diff diff/sizes.txt -
# Another base, the same site: the partition table is the same.
section boot | diff diff/boot.txt -
grep -qF "  + argument       usrhash=$(said other 'usr hash')" diff/boot.txt
grep -qF "  + argument       roothash=$(said other 'root hash')" diff/boot.txt
section 'partitions with other bytes' | diff /dev/fd/3 - 3<<'SAID'
  ~ mailstead-boot-a
  ~ mailstead-esp
  ~ mailstead-root-a
  ~ mailstead-usr-a
SAID

# For programs, and the other way round: what was there before is there again, in the older version.
expect 1 "$MAILSTEAD" diff diff/other.img diff/one.img --json >diff/back.json
python3 - "$version" "$(locked runit-helper 3)" "$(said one base)" "$(said other base)" <<'PY'
import json, sys
version, helper, one, other = sys.argv[1:]
said = json.load(open("diff/back.json"))
assert said["same"] is False
assert said["image"] == [{"what": "base", "before": other, "after": one}], said["image"]
assert said["packages"] == [
    {"name": "dns-root-data", "architecture": "all", "before": version + "+local1", "after": version, "older": True},
    {"name": "runit-helper", "architecture": "all", "before": None, "after": helper, "older": False}], said["packages"]
files = {file["path"]: (file["change"], file["what"]) for file in said["files"]}
assert len(files) == len(said["files"]) == 15, files
assert files["/usr/share/dns/noise"] == ("removed", [])
assert files["/usr/lib/runit-helper/runit-helper"] == ("added", [])
assert files["/usr/share/dns/root.key"] == ("changed", ["mode 0600 -> 0644"])
assert files["/usr/share/dns/root.hints"][0] == "changed" and files["/usr/share/dns/root.hints"][1][0].startswith("content, ")
assert {size["what"]: [size["after"], size["before"]] for size in said["sizes"]} == json.load(open("diff/sizes.json"))
assert [c["path"] for c in said["configuration"]] == ["/etc/mailstead/slot.json"]
assert said["partitions"] == ["mailstead-boot-a", "mailstead-esp", "mailstead-root-a", "mailstead-usr-a"]
PY

# What lies in no partition is compared, too.
cp --sparse=always demo.img diff/code.img
printf '\001' | dd of=diff/code.img bs=1 seek=100 conv=notrunc status=none
expect 1 "$MAILSTEAD" diff demo.img diff/code.img >diff/code.txt
test "$(grep -cE '^  [-+] outside of partitions +[0-9a-f]{64}$' diff/code.txt)" = 2
rm -rf diff
