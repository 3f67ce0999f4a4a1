#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# A site that no dialogue has been written for, in a network as small clouds have it: an address that is a network of its own, a
# gateway that is only on the link, a card by its Ethernet address. It is tested by the README's own line.
set -eux
place=$WORK/any
rm -rf "$place"
mkdir -p "$place/site" "$place/build"
ln -s "$MAILSTEAD" "$place/build/mailstead"
cp "$WORK/mailstead.lock" "$place/site/"
cd "$place"
umask 077
cat >passwords <<'END'
ann@mine.example ann's password
ben@mine.example "quoted\" and \back
END
hash() { sed -n "s/^$1 //p" passwords | openssl passwd -6 -stdin; }
cat >site/mail.yaml <<END
mailstead: 1
profile: cloud-amd64
hostname: mail.mine.example
network:
  card: 52:54:00:aa:bb:cc
  addresses: [192.0.2.7/32, "2001:db8:7::1/64"]
  gateway: [172.31.1.1, "fe80::1"]
ports: {submission: true}
domains:
  mine.example: {}
  shop.example: {catch_all: ann@mine.example}
accounts:
  ann@mine.example:
    password_hash: "$(hash ann@mine.example)"
    aliases: [postmaster@mine.example, postmaster@shop.example]
  ben@mine.example:
    password_hash: "$(hash ben@mine.example)"
END
build/mailstead keys site/mail.yaml
build/mailstead build site/mail.yaml -o mail.img
line=$(grep -o 'build/mailstead test [^`]*' "$SOURCE/README.md")
test "$line" = 'build/mailstead test mail.img --spec site/mail.yaml --passwords passwords'
$line --cpus 1 >summary.txt || { cat summary.txt; exit 1; }
cat summary.txt
for name in 10-postmasters 20-no-relay 30-accounts 31-mailboxes 70-ports 90-journal; do grep "^ok   any/$name " summary.txt; done
grep -x '6 passed, 0 failed' summary.txt
