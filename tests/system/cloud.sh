#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Builds and boots a site with two cards, at a provider that gives IPv4 by DHCP and IPv6 in a web console, and lets many
# clients come at once.
set -eux
site=$WORK/cloud
rm -rf "$site"
mkdir -p "$site/ssh"
cp "$WORK/mailstead.lock" "$site/"
install -m 600 "$SOURCE/qemu-tests/cloud/site/passwords" "$site/"
cd "$site"

# The test's own key takes the place of the spec's.
ssh-keygen -q -t ed25519 -N '' -C test -f ssh/key
sed "s|- ssh-ed25519 .*|- $(cat ssh/key.pub)|" "$SOURCE/qemu-tests/cloud/site/mail.yaml" >mail.yaml
grep -F "$(cat ssh/key.pub)" mail.yaml

"$MAILSTEAD" check mail.yaml | tee check.txt
grep -F 'IPv4 address by DHCP, 2001:db8:113::10/64; on the card 52:54:00:6d:73:01' check.txt
grep -F 'address by DHCP, on the card 52:54:00:6d:73:02' check.txt
"$MAILSTEAD" keys mail.yaml
"$MAILSTEAD" build mail.yaml -o cloud.img
"$MAILSTEAD" test cloud.img --spec mail.yaml --passwords passwords --set "ssh_key=$site/ssh/key"
