#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Builds an image for arm64 on whatever this machine is, and proves it; it is not started.
set -eux
site=$WORK/arm64
rm -rf "$site"
mkdir -p "$site"
cp "$SOURCE/qemu-tests/site/mail.yaml" "$site/"
cd "$site"
"$MAILSTEAD" keys mail.yaml
"$MAILSTEAD" build mail.yaml --profile cloud-arm64 -o arm64.img
"$MAILSTEAD" verify arm64.img --spec mail.yaml --quick
"$MAILSTEAD" inspect arm64.img | grep -i arm64
for command in "run arm64.img" "test arm64.img --spec mail.yaml"; do
  # shellcheck disable=SC2086  # words of a command
  if "$MAILSTEAD" $command 2>said.txt; then exit 1; else test $? = 2; fi
  grep -F 'arm64.img is for arm64; only images for amd64 can be started here' said.txt
done
