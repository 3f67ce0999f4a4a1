#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Plays the dialogues that take long on the images that other tests have made: see qemu-tests/README.md.
set -eux
play() { image=$1; shift; "$MAILSTEAD" test "$image" --spec mail.yaml --passwords passwords --scenarios "$SOURCE/qemu-tests/long" "$@"; }
cd "$WORK"
play demo.img
cd "$WORK/second"
play second.img --set "authority=$PWD/tls/root.pem" --set "ssh_key=$PWD/ssh/key"
cd "$WORK/cloud"
play cloud.img --set "ssh_key=$PWD/ssh/key"
