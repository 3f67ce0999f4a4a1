#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Sends all messages of qemu-tests/mail/hostile.py, of which the ordinary suite sends the worst: after each, the next ordinary mail
# and a login go through (55-hostile.dialogue).
set -eux
cd "$WORK"
rm -rf hostile
mkdir -p hostile/mail
cp -r "$SOURCE"/qemu-tests/mail/world "$SOURCE"/qemu-tests/mail/55-hostile.dialogue "$SOURCE"/qemu-tests/mail/hostile* hostile/mail/
python3 -B hostile/mail/hostile.py --list >hostile/mail/55-hostile.table
test "$(grep -vc '^#' hostile/mail/55-hostile.table)" -ge 200
# The ordinary suite's are among them, with the same answers.
grep -v '^#' "$SOURCE/qemu-tests/mail/55-hostile.table" >hostile/worst
test "$(grep -cxFf hostile/worst hostile/mail/55-hostile.table)" = "$(wc -l <hostile/worst)"
"$MAILSTEAD" test demo.img --spec mail.yaml --passwords passwords --scenarios hostile
