#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Proves the image by itself and against spec and lock, file by file. Then images that are not what they should be: one that two
# systems read differently, one of another spec, and each structure with one byte flipped, which has to be found and named.
set -eux
cd "$WORK"

# As `build` has printed it, `inspect` does, too.
hash=$("$MAILSTEAD" inspect demo.img --json | python3 -c '
import json, sys
print(next(slot["root_hash"] for slot in json.load(sys.stdin)["slots"] if slot.get("root_hash")))')

# By the root hash alone: every byte follows from it, and libguestfs reads the files that it vouches for.
"$MAILSTEAD" verify demo.img --root-hash "$hash" --json >verified.json
python3 - <<'PY'
import json
report = json.load(open("verified.json"))
assert report["passed"], report
assert report["not_proved"] == ["that packages, configuration and keys are those of a spec and a lock: name them with --spec"], report
names = [check["name"] for check in report["checks"]]
assert names == ["root file system", "root hash", "record", "/usr", "boot partition", "record of the disk", "partition table",
                 "EFI system partition", "boot state", "legacy BIOS boot", "empty space", "files"], names
assert int(report["checks"][-1]["counted"].split()[0]) > 5000, report
assert report["checks"][-1]["counted"].endswith("read by libguestfs"), report
PY

# By spec and lock: built anew, every byte compared.
"$MAILSTEAD" verify demo.img --spec mail.yaml --quick --json >verified.json
python3 - <<'PY'
import json
report = json.load(open("verified.json"))
assert report["passed"] and [check["name"] for check in report["checks"]][-1] == "every byte", report
assert report["not_proved"] == ["that another system reads the same files: leave out --quick"], report
PY

# Without a spec it says what it could not see.
"$MAILSTEAD" verify demo.img --quick >verified.txt
grep -q '^ok   boot partition' verified.txt
grep -q '^not proved: that the root hash is the one that' verified.txt
grep -q '^not proved: that packages, configuration and keys are those of a spec' verified.txt
grep -q '^not proved: that another system reads the same files' verified.txt

# Whoever knows only the root hash anchors the proof in it.
"$MAILSTEAD" verify demo.img --quick --root-hash "$(echo "$hash" | tr a-f A-F)" >verified.txt
grep -q "^ok   root hash  *$hash\$" verified.txt
if grep -q 'not proved: that the root hash' verified.txt; then exit 1; fi
other=$(echo "$hash" | tr 0-9 1-90)
set +e; "$MAILSTEAD" verify demo.img --quick --root-hash "$other" >verified.txt; found=$?; set -e
test "$found" = 1
grep -A3 '^FAIL root hash' verified.txt | grep -q "expected $other"
grep -A3 '^FAIL root hash' verified.txt | grep -q "found    $hash"
if "$MAILSTEAD" verify demo.img --root-hash 12x4 2>refused.txt; then exit 1; fi
grep -q "root-hash '12x4': character 3 is no hexadecimal digit" refused.txt

# What cannot be asked for is a mistake of the command line.
status() { set +e; "$@" >/dev/null 2>&1; echo $?; set -e; }
test "$(status "$MAILSTEAD" verify nothing.img)" = 2
test "$(status "$MAILSTEAD" verify demo.img --lock mailstead.lock)" = 2
test "$(status "$MAILSTEAD" verify demo.img --spec nothing.yaml)" = 2
for malformed in '' 12 "${hash}0"; do test "$(status "$MAILSTEAD" verify demo.img --root-hash "$malformed")" = 2; done
# What is no image is found out, not refused.
test "$(status "$MAILSTEAD" verify mail.yaml --quick)" = 1

# Forged around the root hash: a boot partition that other readers take for FAT16, with another slot-a.cfg; a shorter hash tree.
boot=$("$SOURCE/tests/system/forgeries.py" two-faced demo.img two-faced.img)
test "$(MTOOLS_SKIP_CHECK=1 mtype -i "two-faced.img@@$boot" ::slot-a.cfg)" = "linux (\$root)/vmlinuz init=/bin/sh"
"$SOURCE/tests/system/forgeries.py" short demo.img short.img
for forgery in two-faced short; do
  set +e; "$MAILSTEAD" verify "$forgery.img" --quick --root-hash "$hash" >"$forgery.txt"; found=$?; set -e
  cat "$forgery.txt"
  test "$found" = 1
  grep -q '^ok   root hash' "$forgery.txt"
  test "$(grep -c '^FAIL' "$forgery.txt")" = 1
done
for place in 'boot sector' 'backup of the boot sector' 'first copy of the table' 'second copy of the table'; do
  grep -A20 '^FAIL boot partition' two-faced.txt | grep -q "mailstead-boot-a: FAT: $place"
done
grep -A3 '^FAIL /usr' short.txt | grep -q 'mailstead-usr-a: dm-verity: hash tree'

# Disks: a larger one that the image was copied to, and that of a machine which has made its data partition with mail in it
# (systemd-repart works by sfdisk's library). The image in them is proved, the rest named.
cp --sparse=always demo.img disk.img
truncate -s +200M disk.img
"$MAILSTEAD" verify disk.img --quick --root-hash "$hash" >verified.txt
grep -q '^not proved: 210 MB of free space on the disk$' verified.txt
sfdisk --quiet --lock=no --relocate gpt-bak-std disk.img
echo 'size=150M, type=0FC63DAF-8483-4772-8E79-3D69D8477DE4, name=mailstead-data' |
  sfdisk --quiet --no-reread --no-tell-kernel --lock=no --append disk.img
data=$(sfdisk --json disk.img | python3 -c '
import json, sys
print(next(p["start"] for p in json.load(sys.stdin)["partitiontable"]["partitions"] if p.get("name") == "mailstead-data"))')
mkfs.ext4 -q -F -E offset="$((data * 512))" disk.img 150M
"$MAILSTEAD" verify disk.img --quick --spec mail.yaml --json >verified.json
python3 - <<'PY'
import json
report = json.load(open("verified.json"))
assert report["passed"], report
assert report["not_proved"][1].startswith("the data partition mailstead-data (157 MB): "), report
assert report["not_proved"][2].endswith(" of free space on the disk"), report
PY
"$MAILSTEAD" verify disk.img --quick --root-hash "$hash" --against demo.img >verified.txt
grep -q '^ok   empty space' verified.txt && grep -q '^ok   every byte' verified.txt
# A byte of the image on such a disk is found as ever; so is a partition that no machine makes.
printf 'flipped' | dd of=disk.img bs=1 seek=$((1048576 + 70000)) conv=notrunc status=none
set +e; "$MAILSTEAD" verify disk.img --quick --against demo.img >verified.txt; found=$?; set -e
test "$found" = 1
grep -q '^FAIL EFI system partition' verified.txt && grep -q '^FAIL every byte' verified.txt
cp --sparse=always demo.img disk.img
truncate -s +200M disk.img
sfdisk --quiet --lock=no --relocate gpt-bak-std disk.img
echo 'size=100M, type=uefi, name=other' | sfdisk --quiet --no-reread --no-tell-kernel --lock=no --append disk.img
set +e; "$MAILSTEAD" verify disk.img --quick >verified.txt; found=$?; set -e
test "$found" = 1
test "$(grep -c '^FAIL' verified.txt)" = 1
grep -A1 '^FAIL partition table' verified.txt | grep -q 'first partition table: header'
rm disk.img

# Another password: that image follows from its own root hash, but not from the spec. Of all the files that libguestfs reads,
# the two with the password are others.
rm -rf forged && mkdir forged
cp -r mail.yaml mailstead.lock secrets forged/
python3 - <<'PY'
import re
text = open("forged/mail.yaml").read()
hashes = re.findall(r'password_hash: "([^"]+)"', text)
open("forged/mail.yaml", "w").write(text.replace(hashes[0], hashes[1], 1))
PY
"$MAILSTEAD" build forged/mail.yaml -o forged.img
set +e; "$MAILSTEAD" verify forged.img --spec mail.yaml --json >verified.json; found=$?; set -e
test "$found" = 1
python3 - <<'PY'
import json
report = json.load(open("verified.json"))
assert report["not_proved"] == [], report
wrong = {check["name"]: check["findings"] for check in report["checks"] if check["findings"]}
assert list(wrong) == ["every byte", "files"], report
assert {finding["partition"] for finding in wrong["every byte"]} == {"mailstead-boot-a", "mailstead-root-a"}, wrong
assert [(finding["partition"], finding["path"]) for finding in wrong["files"]] == [
    ("mailstead-root-a", "etc/dovecot/logins"), ("mailstead-root-a", "etc/dovecot/users")], wrong
PY

"$SOURCE/tests/system/flips.py" "$MAILSTEAD" demo.img flipped.img
rm -rf forged
rm -f refused.txt flipped.img two-faced.* short.* forged.img verified.json verified.txt
