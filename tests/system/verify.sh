#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Proves the image by itself and against spec and lock, file by file; then each structure of it has one byte flipped, which
# has to be found and named.
set -eux
cd "$WORK"

# All of it: built anew, every byte compared, every file read by libguestfs.
"$MAILSTEAD" verify demo.img --spec mail.yaml --json >verified.json
python3 - <<'PY'
import json
report = json.load(open("verified.json"))
assert report["passed"] and report["not_proved"] == [], report
names = [check["name"] for check in report["checks"]]
assert names == ["root file system", "record", "partition table", "/usr", "boot partition", "EFI system partition",
                 "legacy BIOS boot", "empty space", "every byte", "files"], names
assert int(report["checks"][-1]["counted"].split()[0]) > 5000, report
PY

# Without a spec it says what it could not see.
"$MAILSTEAD" verify demo.img --quick >verified.txt
grep -q '^ok   boot partition' verified.txt
grep -q '^not proved: that packages, configuration and keys are those of a spec' verified.txt
grep -q '^not proved: that another system reads the same files' verified.txt

# What cannot be asked for is a mistake of the command line.
status() { set +e; "$@" >/dev/null 2>&1; echo $?; set -e; }
test "$(status "$MAILSTEAD" verify nothing.img)" = 2
test "$(status "$MAILSTEAD" verify demo.img --lock mailstead.lock)" = 2
test "$(status "$MAILSTEAD" verify demo.img --spec nothing.yaml)" = 2
# What is no image is found out, not refused.
test "$(status "$MAILSTEAD" verify mail.yaml --quick)" = 1

"$SOURCE/tests/system/flips.py" "$MAILSTEAD" demo.img flipped.img
rm -f flipped.img verified.json verified.txt
