#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Boots a disk, which is not changed, and runs dialogues of qemu-tests/ against it: $1 is their folder, or folder/name; $2 may be
# "updated": then it is a disk of the demo's image whose other slot has been written with another image of the site.
set -eux
cd "$WORK"
disk=demo.img
spec=mail.yaml
if [ "${2:-}" = updated ]; then
  rm -rf updated
  mkdir updated
  ln -s ../secrets updated/secrets
  ln -s ../mailstead.lock updated/mailstead.lock
  spec=updated/mail.yaml
  sed 's/aliases: \[tiny@example.org\]/aliases: [tiny@example.org, wee@example.org]/' mail.yaml >"$spec"
  if cmp mail.yaml "$spec"; then exit 1; fi
  "$MAILSTEAD" build "$spec" -o updated/next.img
  disk=updated/disk.img
  cp --sparse=always demo.img "$disk"
  "$MAILSTEAD" update updated/next.img --disk "$disk"
  # The start after the power cut is of this slot only if it has been kept.
  "$SOURCE/tests/system/one-try.sh" "$disk"
fi
state() { stat --format "%s %y" "$disk"; }
before=$(state)
logs=demo.img.test/$(basename "$1")
"$MAILSTEAD" test "$disk" "$1" --spec "$spec" --cpus 1 --passwords passwords --logs "$logs"
test "$before" = "$(state)"
# The slot on trial has been kept after its proof, and was started again after the power cut.
if [ "$disk" != demo.img ]; then
  grep -F 'slot b has passed its proof: it is started from now on' "$logs/mail/journal.txt"
  for log in "$logs"/mail/serial-*.log; do grep -aF 'BOOT_IMAGE=(hd0,gpt4)' "$log"; done
fi
