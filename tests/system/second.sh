#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Builds and boots a site that has what the first one has not: addresses of its own, resolution from the root, a certificate
# from files, SSH, ManageSieve, an internationalised domain.
set -eux
site=$WORK/second
rm -rf "$site"
mkdir -p "$site/tls" "$site/ssh"
cp "$WORK/mailstead.lock" "$site/"
install -m 600 "$SOURCE/qemu-tests/static/site/passwords" "$site/"
cd "$site"

# An authority, an intermediate and a leaf: clients know the first, the image has the other two.
umask 077
new_key() { openssl genpkey -quiet -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "tls/$1.pem"; }
sign() { # NAME SUBJECT SIGNER EXTENSION…
  name=$1 subject=$2 signer=$3
  shift 3
  new_key "$name-key"
  openssl req -new -key "tls/$name-key.pem" -subj "/CN=$subject" -out tls/request.pem
  printf '%s\n' "$@" >tls/extensions
  if [ "$signer" = "$name" ]; then set -- -signkey "tls/$name-key.pem"; else
    set -- -CA "tls/$signer.pem" -CAkey "tls/$signer-key.pem" -CAcreateserial; fi
  openssl x509 -req -in tls/request.pem -days 30 -extfile tls/extensions -out "tls/$name.pem" "$@"
}
sign root 'Test Authority' root 'basicConstraints=critical,CA:TRUE' 'keyUsage=critical,keyCertSign'
sign middle 'Test Intermediate' root 'basicConstraints=critical,CA:TRUE' 'keyUsage=critical,keyCertSign'
sign leaf mail.example.net middle 'subjectAltName=DNS:mail.example.net,DNS:imap.example.net' 'extendedKeyUsage=serverAuth'
cat tls/leaf.pem tls/middle.pem >tls/chain.pem
mv tls/leaf-key.pem tls/key.pem
openssl verify -CAfile tls/root.pem -untrusted tls/chain.pem tls/leaf.pem

# The test's own key takes the place of the spec's.
ssh-keygen -q -t ed25519 -N '' -C test -f ssh/key
sed "s|- ssh-ed25519 .*|- $(cat ssh/key.pub)|" "$SOURCE/qemu-tests/static/site/mail.yaml" >mail.yaml
grep -F "$(cat ssh/key.pub)" mail.yaml

"$MAILSTEAD" check mail.yaml
"$MAILSTEAD" keys mail.yaml
"$MAILSTEAD" build mail.yaml -o second.img
"$MAILSTEAD" test second.img --spec mail.yaml --passwords passwords \
  --set "authority=$site/tls/root.pem" --set "ssh_key=$site/ssh/key" >summary.txt || { cat summary.txt; exit 1; }
cat summary.txt
# What is for the other site has not been played.
grep -x "skipped: the scenarios in 'mail' are for mail.example.org" summary.txt
grep -x "skipped: the scenarios in 'own-machines' are for mail.example.org" summary.txt
grep -q '^ok   static/10-inbound ' summary.txt

# Not this site's dialogues: told so, before anything is booted.
if "$MAILSTEAD" test second.img mail/ --spec mail.yaml 2>said.txt; then exit 1; else test $? = 2; fi
grep -F "is for mail.example.net: 'mail' is for mail.example.org" said.txt
