#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Boots the unchanged image and holds every dialogue of qemu-tests/ with it.
set -eux
cd "$WORK"
before=$(sha256sum demo.img)
"$MAILSTEAD" test demo.img --spec mail.yaml --passwords passwords
test "$before" = "$(sha256sum demo.img)"
