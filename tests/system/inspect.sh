#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# What the program says of an image, held against readers that we did not write, and against what it said when it made it.
set -eux
cd "$WORK"
rm -rf inspect && mkdir inspect
image=demo.img
tests=$SOURCE/tests
# A code other than the expected one ends the test, 0 included.
expect() { code=$1; shift; got=0; "$@" || got=$?; test "$got" = "$code"; }

# dpkg's database, unpacked by another program than the one that `inspect` uses
usr=$(sfdisk --json "$image" | python3 -c '
import json, sys
for p in json.load(sys.stdin)["partitiontable"]["partitions"]:
    if p["name"] == "mailstead-usr-a": print(p["start"] * 512)')
unsquashfs -q -n -o "$usr" -d inspect/usr "$image" share/mailstead >/dev/null
dpkg-query --admindir=inspect/usr/share/mailstead/dpkg --show --showformat='${Package} ${Version} ${Architecture}\n' >inspect/listed.txt
test "$(wc -l <inspect/listed.txt)" -gt 100

# inspect
"$MAILSTEAD" inspect "$image" >inspect/inspect.txt
grep -q '^host name  mail.example.org$' inspect/inspect.txt
grep -q '^|#' inspect/inspect.txt
test "$(awk '/^\|#/ {print length($0)}' inspect/inspect.txt)" = 80
grep -q 'slot a     starts first, kernel 6\.' inspect/inspect.txt
grep -q 'slot b     empty' inspect/inspect.txt
grep -q '25 (SMTP)' inspect/inspect.txt
"$MAILSTEAD" inspect "$image" --packages | awk '{print $1, $2, $3}' | sort >inspect/packages.txt
sort inspect/listed.txt | diff - inspect/packages.txt
"$MAILSTEAD" inspect "$image" --json >inspect/inspect.json
python3 - "$image" <<'PY'
import hashlib, json, subprocess, sys
said = json.load(open("inspect/inspect.json"))
table = json.loads(subprocess.check_output(["sfdisk", "--json", sys.argv[1]]))["partitiontable"]["partitions"]
assert [(p["label"], p["start"], p["size"]) for p in said["partitions"]] == \
    [(p["name"], p["start"] * 512, p["size"] * 512) for p in table]
with open(sys.argv[1], "rb") as disk:
    for p in said["partitions"]:
        disk.seek(p["start"])
        used = disk.read(p["used"])
        rest = disk.read(p["size"] - p["used"])
        assert not rest.strip(b"\0"), p
        assert (p["sha256_used"] == hashlib.sha256(used).hexdigest()) if used else p["sha256_used"] is None, p
assert "postfix.service" in said["units"] and "systemd-firstboot.service" not in said["units"]
assert {"protocol": "tcp", "ports": "993", "comment": "IMAPS"} in said["ports"]
assert len(said["packages"]) == sum(1 for _ in open("inspect/listed.txt"))
PY

# The public part: what `base` prints of the lock, measured from the image; a changed byte is seen.
"$MAILSTEAD" base mailstead.lock --profile cloud-amd64 --offline >inspect/base.txt
"$MAILSTEAD" inspect "$image" --base >inspect/measured.txt
diff inspect/base.txt inspect/measured.txt
"$MAILSTEAD" base mailstead.lock --profile cloud-amd64 --offline --json >inspect/base.json
"$MAILSTEAD" inspect "$image" --base --json | diff inspect/base.json -
cp --sparse=always "$image" inspect/flipped.img
printf '\001' | dd of=inspect/flipped.img bs=1 seek=100 conv=notrunc status=none   # in the boot code
expect 1 "$MAILSTEAD" inspect inspect/flipped.img --base >inspect/flipped.txt 2>inspect/flipped.err
grep -q 'mbr: the image records' inspect/flipped.err
expect 1 diff -q inspect/base.txt inspect/flipped.txt

# diff: nothing between an image and itself; between two sites what their specs say, and no secret
expect 0 "$MAILSTEAD" diff "$image" "$image" >inspect/same.txt
test ! -s inspect/same.txt
sed 's/^hostname: mail.example.org$/&\nports: {managesieve: true}/; s/quota: 1G/quota: 2G/; s/team@example.org:/crew@example.org:/' \
  mail.yaml >inspect/mail.yaml
cp -r secrets mailstead.lock inspect/
"$MAILSTEAD" build inspect/mail.yaml -o inspect/other.img --offline --provenance inspect/provenance.json
expect 1 "$MAILSTEAD" diff "$image" inspect/other.img >inspect/diff.txt
grep -q '^+.*tcp dport 4190 ' inspect/diff.txt
grep -q '^  ~ /etc/nftables.conf: content' inspect/diff.txt
grep -q '^/etc/dovecot/users is changed, and not shown' inspect/diff.txt
grep -q '^  - argument       roothash=' inspect/diff.txt
expect 1 grep -E '\$y\$|crew@|^  . /usr/' inspect/diff.txt
expect 1 "$MAILSTEAD" diff "$image" inspect/other.img --json >inspect/diff.json
python3 - <<'PY'
import json
said = json.load(open("inspect/diff.json"))
assert not said["same"] and not said["packages"]
shown = {c["path"]: c["diff"] for c in said["configuration"]}
assert "4190" in shown["/etc/nftables.conf"] and shown["/etc/dovecot/users"] is None
assert said["partitions"] == ["mailstead-boot-a", "mailstead-root-a"]
PY
# Both root hashes are measured, from the data and not from the tree.
python3 - <<'PY'
import json
slot, = (slot for slot in json.load(open("inspect/inspect.json"))["slots"] if slot["filled"])
for name in "root_hash", "usr_hash":
    assert len(slot[name]) == 64 and slot["measured_" + name] == slot[name], slot
PY
place() { python3 -c '
import json, sys
print(next(p[sys.argv[2]] for p in json.load(open("inspect/inspect.json"))["partitions"] if p["label"] == sys.argv[1]))' "$@"; }
for name in root usr; do
  cp --sparse=always "$image" inspect/changed.img
  # The time in a squashfs superblock: no file changes by it.
  printf '\001' | dd of=inspect/changed.img bs=1 seek=$(($(place mailstead-$name-a start) + 11)) conv=notrunc status=none
  for options in '' --packages --json --base '--base --json'; do
    # shellcheck disable=SC2086 # words
    expect 1 "$MAILSTEAD" inspect inspect/changed.img $options >inspect/changed.txt 2>inspect/changed.err
    grep -q '^mailstead: inspect/changed.img is not what it says of itself' inspect/changed.err
    grep -q "^  $name hash: the machine would be started with [0-9a-f]\{64\}, its bytes say [0-9a-f]\{64\}\$" inspect/changed.err
  done
  test "$("$MAILSTEAD" inspect inspect/changed.img 2>/dev/null | grep -c 'NOT THE SAME$')" = 1
done
# The root file system of another site, with its own hash tree, under this one's command line
cp --sparse=always "$image" inspect/changed.img
root=$(place mailstead-root-a start)
dd if=inspect/other.img of=inspect/changed.img bs=4096 skip=$((root / 4096)) seek=$((root / 4096)) \
  count=$(($(place mailstead-root-a size) / 4096)) conv=notrunc status=none
expect 1 "$MAILSTEAD" inspect inspect/changed.img >inspect/changed.txt 2>inspect/changed.err
grep -qE 'root hash: the machine would be started with|^  computing the root hash of partition mailstead-root-a' inspect/changed.err
rm inspect/changed.img
expect 1 "$MAILSTEAD" diff "$image" inspect/flipped.img >inspect/code.txt
grep -q '^  + boot code' inspect/code.txt
# A byte of the partition table's second copy, and one in no structure at all
for place in -100 -600000; do
  cp --sparse=always "$image" inspect/outside.img
  printf '\001' | dd of=inspect/outside.img bs=1 seek=$(($(stat -c %s "$image") + place)) conv=notrunc status=none
  expect 1 "$MAILSTEAD" diff "$image" inspect/outside.img >inspect/outside.txt
  grep -q '^  + outside of partitions' inspect/outside.txt
done
rm inspect/outside.img
expect 2 "$MAILSTEAD" diff "$image" no-such.img

# Bills of materials: valid, complete, the same again and for another site with the same base
for format in spdx cyclonedx; do
  "$MAILSTEAD" sbom "$image" --format $format -o inspect/$format.json
  "$tests/system/documents.py" $format inspect/$format.json "$tests/schemas" inspect/listed.txt
  "$MAILSTEAD" sbom inspect/other.img --format $format | cmp - inspect/$format.json
done

# Provenance: valid, true, the same again
"$tests/system/documents.py" provenance inspect/provenance.json "$tests/schemas" inspect/listed.txt
python3 - <<'PY'
import hashlib, json
def digest(file):
    return hashlib.sha256(open(file, "rb").read()).hexdigest()
statement = json.load(open("inspect/provenance.json"))
subjects = {s["name"]: s["digest"]["sha256"] for s in statement["subject"]}
assert subjects["other.img"] == digest("inspect/other.img")
base = {p["name"]: p["sha256"] for p in json.load(open("inspect/base.json"))["parts"]}
assert all(subjects["base/" + name] == sha256 for name, sha256 in base.items())
definition = statement["predicate"]["buildDefinition"]
assert definition["externalParameters"]["spec"]["digest"]["sha256"] == digest("inspect/mail.yaml")
assert definition["externalParameters"]["profile"] == "cloud-amd64"
assert {"name": "mailstead.lock", "digest": {"sha256": digest("mailstead.lock")}} in definition["resolvedDependencies"]
PY
"$MAILSTEAD" build inspect/mail.yaml -o inspect/other.img --offline --provenance inspect/again.json
cmp inspect/provenance.json inspect/again.json

# A scanner that knows nothing of us, with vulnerabilities made up for the test: one that the packages have and one that is
# fixed in them, by source package as Debian's tracker has them, and one of a boot loader.
mkdir inspect/tracker
python3 - <<'PY'
import zlib
data = """VERSION 1
TEMP-0000001,,made up: not fixed yet
TEMP-0000002,,made up: fixed long ago
TEMP-0000003,,made up: in a boot loader

postfix,0,S  F,999:1,
dovecot,1,S  F,0.1,
grub-efi-amd64-signed,2,S  F,999:1,

postfix,postfix postfix-cdb
dovecot,dovecot-core
grub-efi-amd64-signed,grub-efi-amd64-signed
"""
open("inspect/tracker/trixie", "wb").write(zlib.compress(data.encode()))
PY
debsecan --config /dev/null --suite trixie --source "file://$PWD/inspect/tracker/" --format simple \
  --status inspect/usr/share/mailstead/dpkg/status | sort >inspect/vulnerable.txt
cat >inspect/expected.txt <<'TXT'
TEMP-0000001 postfix
TEMP-0000001 postfix-cdb
TEMP-0000003 grub-efi-amd64-signed
TXT
diff inspect/expected.txt inspect/vulnerable.txt

# Images that were made to do harm, or cut off, are refused and nothing else.
cp --sparse=always "$image" inspect/hostile.img
dd if=/dev/urandom of=inspect/hostile.img bs=4096 seek=$((usr / 4096)) count=1 conv=notrunc status=none
expect 1 "$MAILSTEAD" inspect inspect/hostile.img 2>inspect/hostile.err
grep -q 'there is no squashfs' inspect/hostile.err
truncate -s 400M inspect/hostile.img
expect 1 "$MAILSTEAD" inspect inspect/hostile.img 2>inspect/hostile.err
grep -q 'ends behind the end of the disk' inspect/hostile.err
# One of holes claims any size for nothing; hashing them would take hours.
cp --sparse=always "$image" inspect/huge.img
truncate -s 8T inspect/huge.img
sfdisk --quiet --no-tell-kernel --relocate gpt-bak-std inspect/huge.img
expect 1 timeout 20 "$MAILSTEAD" diff "$image" inspect/huge.img --json >inspect/huge.json
python3 -c 'import json, sys; d = json.load(sys.stdin); assert d["partitions"] == d["files"] == [], d' <inspect/huge.json
echo 'name=large' | sfdisk --quiet --no-tell-kernel --append inspect/huge.img
for verb in inspect sbom "diff $image"; do
  # shellcheck disable=SC2086 # words
  expect 1 timeout 20 "$MAILSTEAD" $verb inspect/huge.img 2>inspect/huge.err
  grep -q 'huge.img has 8796[0-9]* bytes in partitions beside mailstead-data, and an image has 17179869184 at most' inspect/huge.err
done
# The data partition of a machine that has run may have any size.
sfdisk --quiet --no-tell-kernel --part-label inspect/huge.img 9 mailstead-data
timeout 20 "$MAILSTEAD" inspect inspect/huge.img >inspect/huge.txt
grep -q '^ 9 data .* -  not hashed: it changes as the machine runs$' inspect/huge.txt

# `run` names the ports that the image offers: here with a QEMU that ends at once.
mkdir inspect/bin
printf '#!/bin/sh\nexit 1\n' >inspect/bin/qemu-system-x86_64
chmod +x inspect/bin/qemu-system-x86_64
expect 1 env MAILSTEAD_ACCEL=tcg PATH="$PWD/inspect/bin:$PATH" timeout 60 "$MAILSTEAD" run "$image" 2>inspect/run.err
grep -q 'forwarded to the server: 20025→25 20465→465 20587→587 20993→993 20022→22$' inspect/run.err
rm -rf inspect
