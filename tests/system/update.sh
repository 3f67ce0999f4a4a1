#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# An account is changed, and the image written to the disk of a machine, without a boot: what is written, what stays, and what
# is left when the program is killed in the middle.
set -eux
cd "$WORK"
rm -rf update && mkdir update && cd update

cp -r ../mail.yaml ../mailstead.lock ../secrets .
python3 - <<'PY'
import re
text = open("mail.yaml").read()
hashes = re.findall(r'password_hash: "([^"]+)"', text)
open("mail.yaml", "w").write(text.replace(hashes[0], hashes[1], 1))
PY
"$MAILSTEAD" build mail.yaml -o new.img

# The disk of a machine that runs the demo's image and has mail.
cp --sparse=always ../demo.img disk.raw
truncate -s 3G disk.raw
sfdisk --quiet --lock=no --relocate gpt-bak-std disk.raw
echo 'start=2G, type=0FC63DAF-8483-4772-8E79-3D69D8477DE4, name=mailstead-data' |
  sfdisk --quiet --no-reread --no-tell-kernel --lock=no --append disk.raw
mkfs.ext4 -q -F -E offset=$((2 << 30)) disk.raw 900M
data() { tail -c +$(((2 << 30) + 1)) "$1" | sha256sum; }
slot_a() { sfdisk --json "$1" | python3 -c '
import hashlib, json, sys
digest = hashlib.sha256()
disk = open(sys.argv[1], "rb")
for p in json.load(sys.stdin)["partitiontable"]["partitions"]:
    if p["name"].endswith("-a"):
        disk.seek(p["start"] * 512)
        digest.update(disk.read(p["size"] * 512))
print(digest.hexdigest())' "$1"; }
mail=$(data disk.raw)
running=$(slot_a disk.raw)
cp --sparse=always disk.raw before.raw
field() { python3 -c 'import json, sys; print(eval("json.load(open(sys.argv[1]))" + sys.argv[2]))' "$1" "$2"; }

# Killed when so many MB have been written: what runs is as it was, and so are the data.
written() { echo $((($(stat -c %b disk.raw) - $(stat -c %b before.raw)) * 512 / 1000000)); }
for most in 0 5 40 90; do
  cp --sparse=always before.raw disk.raw
  "$MAILSTEAD" --progress none update new.img --disk disk.raw >/dev/null 2>&1 & pid=$!
  until [ "$(written)" -gt "$most" ]; do kill -0 "$pid"; done
  kill -KILL "$pid"
  if wait "$pid"; then exit 1; else test $? = 137; fi
  test "$(slot_a disk.raw)" = "$running"
  "$MAILSTEAD" --progress none inspect disk.raw --json >inspected.json || test $? = 1
  test "$(field inspected.json '["boot_state"]["slot"]')" = a
  # A slot that is half written is never on trial.
  test "$(field inspected.json '["boot_state"]["trial"]')" = None
done
# Again, to its end, with what the last one has left.
"$MAILSTEAD" update new.img --disk disk.raw >updated.txt
grep -q '^next start slot B, on trial' updated.txt
# A trial has ended before anything else is written to its slot.
touched=$(stat -c %y disk.raw)
"$MAILSTEAD" --progress none update ../demo.img --disk disk.raw >/dev/null 2>&1 & pid=$!
until [ "$(stat -c %y disk.raw)" != "$touched" ]; do kill -0 "$pid"; done
kill -KILL "$pid"
if wait "$pid"; then exit 1; else test $? = 137; fi
"$MAILSTEAD" --progress none inspect disk.raw --json >inspected.json || test $? = 1
test "$(field inspected.json '["boot_state"]["trial"]')" = None
test "$(data disk.raw)" = "$mail"

cp --sparse=always before.raw disk.raw
"$MAILSTEAD" update new.img --disk disk.raw --json >updated.json
test "$(field updated.json '["written"]')" = slot
test "$(field updated.json '["trial"]')" = b
# Slot B was empty: all of the system; then an account alone.
test "$(field updated.json '["bytes_written"]')" -gt 50000000
test "$(data disk.raw)" = "$mail"
test "$(slot_a disk.raw)" = "$running"
"$MAILSTEAD" inspect disk.raw >inspected.txt
grep -q '^boot state slot A; slot B is on trial with 3 of 3 tries left$' inspected.txt
hash=$(field updated.json '["root_hash"]')
"$MAILSTEAD" verify disk.raw --quick --root-hash "$hash" >verified.txt
grep -q '^ok   boot state' verified.txt

"$MAILSTEAD" update ../demo.img --disk disk.raw >updated.txt
grep -q '^written    slot B: ' updated.txt
"$MAILSTEAD" update new.img --disk disk.raw --json >updated.json
test "$(field updated.json '["bytes_written"]')" -lt 2000000

"$MAILSTEAD" rollback --disk disk.raw >back.txt
grep -q '^next start slot A, ' back.txt
"$MAILSTEAD" inspect disk.raw | grep -q '^boot state slot A$'
# Once more, and the other slot is tried again: nothing is kept without its proof.
"$MAILSTEAD" rollback --disk disk.raw --json >back.json
test "$(field back.json '["slot"]')" = a
test "$(field back.json '["trial"]')" = b
"$MAILSTEAD" rollback --disk disk.raw | grep -q '^next start slot A, root hash'
test "$(data disk.raw)" = "$mail"

# Data of somebody else, and an empty disk.
rm disk.raw && truncate -s 3G disk.raw
mkfs.ext4 -q -F -E offset=$((2 << 30)) disk.raw 900M
status() { set +e; "$@" >/dev/null 2>said.txt; echo $?; set -e; }
test "$(status "$MAILSTEAD" update new.img --disk disk.raw)" = 2
grep -q 'holds something at 2 GiB that is not the data of' said.txt
rm disk.raw && truncate -s 3G disk.raw
"$MAILSTEAD" update new.img --disk disk.raw --json >updated.json
test "$(field updated.json '["written"]')" = whole
"$MAILSTEAD" verify disk.raw --quick --against new.img >verified.txt

# Refused, and nothing written.
test "$(status "$MAILSTEAD" update new.img --disk new.img)" = 2
truncate -s 1G small.raw
test "$(status "$MAILSTEAD" update new.img --disk small.raw)" = 2
grep -q 'is too small' said.txt
test "$(stat -c %b small.raw)" = 0
test "$(status "$MAILSTEAD" update mail.yaml --disk disk.raw)" = 2
test "$(status "$MAILSTEAD" update new.img --disk nothing.raw)" = 2
truncate -s 3G other.raw
mkfs.ext4 -q -F other.raw 1G
test "$(status "$MAILSTEAD" update new.img --disk other.raw)" = 2
grep -q 'holds an ext2, ext3 or ext4 file system' said.txt
qemu-img create -q -f qcow2 disk.qcow2 3G
test "$(status "$MAILSTEAD" update new.img --disk disk.qcow2)" = 2
cd .. && rm -rf update
