#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Boots the unchanged image and holds dialogues of qemu-tests/ with it: $1 is their folder, or folder/name.
set -eux
cd "$WORK"
state() { stat --format "%s %y" demo.img; }
before=$(state)
"$MAILSTEAD" test demo.img "$1" --spec mail.yaml --cpus 1 --passwords passwords --logs "demo.img.test/$(basename "$1")"
test "$before" = "$(state)"
