#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Makes the test site's keys, lock and image, as a user would, in $WORK.
set -eux
rm -rf "$WORK"
mkdir -p "$WORK"
cp "$SOURCE/qemu-tests/site/mail.yaml" "$WORK/"
install -m 600 "$SOURCE/qemu-tests/site/passwords" "$WORK/"
cd "$WORK"
"$MAILSTEAD" check mail.yaml | tee checked.txt
grep -qxF '  mail      postmaster@example.org → alice@example.org' checked.txt
grep -qxF '  mail      team@example.org → alice@example.org, bob@example.org' checked.txt
grep -qxF '  mail      old@example.org → elsewhere: someone@elsewhere.example' checked.txt
grep -qxF '  updates   by SSH, with `mailstead update --to`' checked.txt
grep -qxF '  quotas    1.0 GiB for 2 accounts, 1 account without a quota; the disk needs more than that, plus 2 GiB for the system' checked.txt
"$MAILSTEAD" keys mail.yaml
"$MAILSTEAD" lock mail.yaml
"$MAILSTEAD" build mail.yaml -o demo.img
# Holes do not count: what is on the disk has to fit into 250 MB.
allocated=$(($(stat -c %b demo.img) * $(stat -c %B demo.img)))
test "$allocated" -lt 250000000
