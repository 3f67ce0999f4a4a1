#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# What the program says, and leaves behind, when things go wrong.
set -eux
cd "$WORK"

# refuse CODE TEXT COMMAND…: the command ends with that code and says that text on stderr
refuse() {
  local code=$1 text=$2 got=0
  shift 2
  "$@" 2>said.txt || got=$?
  cat said.txt
  if [ "$got" != "$code" ]; then echo "exit code $got, expected $code"; exit 1; fi
  if ! grep -F -- "$text" said.txt; then echo "did not say: $text"; exit 1; fi
}

rm -rf wrong && mkdir wrong
sed 's/^accounts:/acounts:/' mail.yaml >wrong/key.yaml
refuse 2 "unknown key 'acounts'; did you mean 'accounts'?" "$MAILSTEAD" check wrong/key.yaml
refuse 2 'wrong/none.yaml' "$MAILSTEAD" check wrong/none.yaml
refuse 2 '--no-such-option' "$MAILSTEAD" build --no-such-option mail.yaml -o wrong/x.img

# tests that cannot be run: a card that a virtual machine cannot have, and passwords of nobody or of an alias
mkdir wrong/card
sed 's/^  dhcp: true/&\n  card: enp1s0/' mail.yaml >wrong/card/mail.yaml
ln -s ../../secrets wrong/card/secrets
ln -s ../../mailstead.lock wrong/card/mailstead.lock
refuse 2 "the spec names the card 'enp1s0'" "$MAILSTEAD" test demo.img any --spec wrong/card/mail.yaml
rm -r wrong/card
(umask 077 && printf '%s\n' 'alice@example.org x' 'nobody@example.org x' >wrong/passwords)
refuse 2 'wrong/passwords:2: the site has no account nobody@example.org' "$MAILSTEAD" test demo.img --spec mail.yaml --passwords wrong/passwords
printf 'postmaster@example.org x\r\n' >wrong/passwords
refuse 2 'wrong/passwords:1: the site has no account postmaster@example.org' "$MAILSTEAD" test demo.img --spec mail.yaml --passwords wrong/passwords

# what is no image, and what an image would overwrite
cp mail.yaml wrong/precious.yaml
refuse 2 'is not a disk image, so it is not overwritten' "$MAILSTEAD" build mail.yaml -o wrong/precious.yaml
cmp mail.yaml wrong/precious.yaml
refuse 2 '/dev/null is not a file' "$MAILSTEAD" build mail.yaml -o /dev/null
refuse 2 'wrong is a folder' "$MAILSTEAD" build mail.yaml -o wrong
refuse 2 'the result cannot be written to standard output' "$MAILSTEAD" build mail.yaml -o -
refuse 2 'the result cannot be written to standard output' "$MAILSTEAD" build mail.yaml -o wrong/x.img --provenance -
refuse 2 'is not a JSON document' "$MAILSTEAD" build mail.yaml -o wrong/x.img --provenance wrong/precious.yaml
refuse 2 'is not a JSON document' "$MAILSTEAD" sbom demo.img -o wrong/precious.yaml
refuse 2 'have the same name' "$MAILSTEAD" build mail.yaml -o wrong/x.img --provenance wrong/../wrong/x.img
refuse 1 'its folder does not exist' "$MAILSTEAD" build mail.yaml -o wrong/x.img --provenance none/p.json
test ! -e wrong/x.img
cmp mail.yaml wrong/precious.yaml
for verb in "test --spec mail.yaml" run; do
  # shellcheck disable=SC2086  # a verb and its options
  refuse 2 'is not a disk image' "$MAILSTEAD" $verb wrong/precious.yaml
  # shellcheck disable=SC2086
  refuse 2 'there is no image wrong/none.img' "$MAILSTEAD" $verb wrong/none.img
done

# a file of the wrong kind
refuse 2 'mail.yaml is a spec, not a lock' "$MAILSTEAD" base mail.yaml --profile cloud-amd64
grep -qF 'name the lock beside it:' said.txt
refuse 2 'wrong/precious.yaml is a spec, not a lock' "$MAILSTEAD" base wrong/precious.yaml --profile cloud-amd64
grep -qE 'make a lock with `.*mailstead lock wrong/precious.yaml`' said.txt
refuse 2 'mail.yaml is a spec, not a lock' "$MAILSTEAD" base mail.yaml
refuse 2 '--profile is required' "$MAILSTEAD" base mailstead.lock
refuse 2 'mail.yaml is a spec, not a lock' "$MAILSTEAD" audit mail.yaml
grep -qF 'name the lock beside it:' said.txt
refuse 2 'mail.yaml is a spec, not a lock' "$MAILSTEAD" verify demo.img --spec mail.yaml --lock mail.yaml
refuse 2 'mailstead.lock is a lock, not a spec' "$MAILSTEAD" check mailstead.lock
refuse 2 'demo.img is a disk image, not a spec' "$MAILSTEAD" check demo.img

# symbolic links stay, and what they lead to is new; without -o, the image is called as the host
mkdir wrong/links wrong/links/elsewhere
ln -s elsewhere/real.img wrong/links/image
refuse 2 'is a symbolic link to elsewhere/real.img, which does not exist' "$MAILSTEAD" build mail.yaml -o wrong/links/image
: >wrong/links/elsewhere/real.img
: >wrong/links/elsewhere/real.json
ln -s elsewhere/real.json wrong/links/document
"$MAILSTEAD" build mail.yaml -o wrong/links/image --provenance wrong/links/document
test -L wrong/links/image && cmp demo.img wrong/links/elsewhere/real.img
test -L wrong/links/document && python3 -m json.tool wrong/links/elsewhere/real.json >json.txt
test -z "$(find wrong/links -name '.*image*' -o -name '.*real*')"
"$MAILSTEAD" sbom demo.img -o wrong/links/document
test -L wrong/links/document && cmp <("$MAILSTEAD" sbom demo.img -o -) wrong/links/elsewhere/real.json
ln -s loop wrong/links/loop
refuse 2 'wrong/links/loop leads to itself' "$MAILSTEAD" build mail.yaml -o wrong/links/loop
rm wrong/links/elsewhere/real.json && : >wrong/links/elsewhere/real.img
refuse 2 'have the same name' "$MAILSTEAD" build mail.yaml -o wrong/links/elsewhere/real.img --provenance wrong/links/image
(cd wrong/links && "$MAILSTEAD" build ../../mail.yaml && cmp mail.example.org.img ../../demo.img)
# any bytes in a name
"$MAILSTEAD" build mail.yaml --json -o $'wrong/a\xff.img' >json.txt
python3 -c 'import json; assert json.load(open("json.txt"))["image"] == "wrong/a\ufffd.img"'
cmp $'wrong/a\xff.img' demo.img
"$MAILSTEAD" --progress json build mail.yaml -o $'wrong/a\xff.img' 2>json.txt
python3 -c 'import json; [json.loads(line) for line in open("json.txt", encoding="utf-8")]'
rm -r wrong/links $'wrong/a\xff.img'

# keys on a file system that keeps no permissions, whether it says so or not
mkdir wrong/stick && cp mail.yaml wrong/stick/
for silent in '' MODELESS_SILENT=1; do
  refuse 2 'would be readable by all users' env LD_PRELOAD="$MODELESS_LIBRARY" MODELESS="$PWD/wrong/stick" $silent \
    "$MAILSTEAD" keys wrong/stick/mail.yaml
  grep -qF 'keeps no permissions (FAT, NTFS, a Windows folder in WSL), so chmod changes nothing' said.txt
  if grep -qF 'close it with' said.txt; then exit 1; fi
done
test -z "$(find wrong/stick -name '*.pem')"
cp -r secrets wrong/stick/
refuse 2 'is open to other users' env LD_PRELOAD="$MODELESS_LIBRARY" MODELESS="$PWD/wrong/stick" "$MAILSTEAD" check wrong/stick/mail.yaml
grep -qF 'so chmod changes nothing' said.txt
if grep -qF 'close it with' said.txt; then exit 1; fi
rm -r wrong/stick

# what `verify` would ignore
refuse 2 '--lock requires --spec' "$MAILSTEAD" verify demo.img --quick --lock mailstead.lock
for option in '--profile cloud-amd64' '--mirror file:///none' --offline '--snapshot none'; do
  # shellcheck disable=SC2086  # an option and its value
  refuse 2 "${option% *} requires --spec" "$MAILSTEAD" verify demo.img --quick $option
done

# no lock and no keys yet: new ones would be of no use to `verify`
mkdir wrong/keys && cp mail.yaml wrong/keys/ && cp -r secrets wrong/keys/
refuse 2 'wrong/keys/mailstead.lock' "$MAILSTEAD" verify demo.img --spec wrong/keys/mail.yaml
grep -qF 'name the lock that the image was built from: --lock' said.txt
refuse 2 'there is no lock wrong/none.lock' "$MAILSTEAD" verify demo.img --spec mail.yaml --lock wrong/none.lock
cp mail.yaml mailstead.lock wrong/
refuse 2 'keys of the site are missing' timeout 5 "$MAILSTEAD" verify demo.img --spec wrong/mail.yaml
grep -qF 'put the keys there that the image was built with' said.txt
refuse 2 'mailstead keys' "$MAILSTEAD" build wrong/mail.yaml -o wrong/x.img
test ! -e wrong/x.img

# a lock that was altered, and one that answers another question
cp -r secrets wrong/
sed 's/^suite trixie$/suite forky/' mailstead.lock >wrong/mailstead.lock
refuse 2 'mailstead.lock' "$MAILSTEAD" build wrong/mail.yaml -o wrong/x.img
# seal: what is read, as a lock whose last line fits the others
seal() {
  grep -v '^end ' >wrong/body
  cat wrong/body
  echo "end $(grep -v '^#' wrong/body | sha256sum | cut -d' ' -f1)"
}
seal <mailstead.lock | cmp - mailstead.lock
# a package taken out by hand, and one that the lock was asked for
grep -v '^package dash ' mailstead.lock >wrong/mailstead.lock
refuse 2 'the lock has been changed by hand' "$MAILSTEAD" build wrong/mail.yaml -o wrong/x.img
grep -v '^package nftables ' mailstead.lock | seal >wrong/mailstead.lock
refuse 2 'lacks packages that it was asked for: nftables' "$MAILSTEAD" build wrong/mail.yaml -o wrong/x.img
# a dependency that only packages ask for, one of the initrd, a version that is too old for others, an Essential package; and,
# where the packages are the same but for what they are for, one that the tools need
for name in libicu76 libkmod2 perl-base; do
  test -n "$(grep "^package $name " mailstead.lock)"
done
grep -v '^package libicu76 ' mailstead.lock | seal >wrong/mailstead.lock
refuse 2 "lacks what its own packages need" "$MAILSTEAD" build wrong/mail.yaml -o wrong/x.img
grep -E '^  postfix .* needs libicu76 \(>= .*\), which the system of the lock does not have$' said.txt
grep -F "mailstead lock $PWD/wrong/mail.yaml --update" said.txt
sed '/^package libkmod2 /s/system,initrd/system/' mailstead.lock | seal >wrong/mailstead.lock
refuse 2 "which the initrd of the lock does not have" "$MAILSTEAD" build wrong/mail.yaml -o wrong/x.img
grep -v '^package hostname ' mailstead.lock | seal >wrong/mailstead.lock
refuse 2 'lacks Essential packages of trixie: hostname' "$MAILSTEAD" build wrong/mail.yaml -o wrong/x.img
# a digest that no package has: offline it is missing, and says so
sed '0,/ pool\/main/s/[0-9a-f]\{63\}\([0-9a-f]\) /000000000000000000000000000000000000000000000000000000000000000\1 /' \
  mailstead.lock | seal >wrong/mailstead.lock
refuse 2 '--offline' "$MAILSTEAD" build --offline wrong/mail.yaml -o wrong/x.img
test ! -e wrong/x.img

# another host name in the same folder has keys of its own; that of the first does not do
sed 's/^hostname: .*/hostname: mx.example.org/' mail.yaml >wrong/mail.yaml
refuse 2 '3 keys of the site are missing' "$MAILSTEAD" build wrong/mail.yaml -o wrong/x.img
cp -r wrong/secrets/tls/mail.example.org wrong/secrets/tls/mx.example.org
cp -r wrong/secrets/updates/mail.example.org wrong/secrets/updates/mx.example.org
cp mailstead.lock wrong/
refuse 2 'is for mail.example.org, not for mx.example.org' "$MAILSTEAD" check wrong/mail.yaml
refuse 2 'is for mail.example.org, not for mx.example.org' "$MAILSTEAD" build wrong/mail.yaml -o wrong/x.img
# an expired certificate stops the check; the build warns
cp mail.yaml wrong/mail.yaml
refuse 2 'expired on' faketime '2040-01-01' "$MAILSTEAD" check wrong/mail.yaml
# a key that others may read
chmod 644 wrong/secrets/dkim/example.org/*ed25519.pem
refuse 2 'close it with `chmod 600' "$MAILSTEAD" check wrong/mail.yaml
chmod 600 wrong/secrets/dkim/example.org/*ed25519.pem
# a sieve script from elsewhere: no line of it is shown
sed "s|^accounts:|accounts:\\n  eve@example.org: {password_hash: \"\$y\$j9T\$abcdefghijklmnopqrstu.\$b3VbA.N.4zA4K0aenb4UAwy.Jg9xh1ecEIkjR/EbnUD\", sieve_file: /etc/passwd}|" mail.yaml >wrong/mail.yaml
refuse 2 "the file '/etc/passwd' is not below the folder of the spec" "$MAILSTEAD" build wrong/mail.yaml -o wrong/x.img
if grep -q root said.txt; then exit 1; fi
# a user's sieve script that does not compile: with its line, at build and, now that the base is there, at check
python3 - mail.yaml wrong/mail.yaml <<'PY'
import sys
lines = open(sys.argv[1]).read().splitlines(keepends=True)
at = next(i for i, line in enumerate(lines) if line.startswith("accounts:"))
account = 'sieve@example.org: {password_hash: "$y$j9T$abcdefghijklmnopqrstu.$b3VbA.N.4zA4K0aenb4UAwy.Jg9xh1ecEIkjR/EbnUD", sieve_file: wrong.sieve}'
lines.insert(at + 1, "  " + account + "\n")
open(sys.argv[2], "w").write("".join(lines))
PY
printf 'require "fileinto";\nif true {\n  fileinto "a"\n}\n' >wrong/wrong.sieve
for verb in check "build -o wrong/x.img"; do
  # shellcheck disable=SC2086  # a verb and its options
  refuse 2 'wrong/wrong.sieve:4: the sieve script of sieve@example.org: expected end of command' "$MAILSTEAD" $verb wrong/mail.yaml
done
test ! -e wrong/x.img
printf 'require "fileinto";\nif true {\n  fileinto "a";\n}\n' >wrong/wrong.sieve
"$MAILSTEAD" check wrong/mail.yaml
rm -r wrong/mail.yaml wrong/mailstead.lock wrong/secrets

# a damaged base in the cache is made again, not built into an image
before=$(sha256sum <demo.img)
cache=${MAILSTEAD_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/mailstead}
# In a cache of this test's own, not in the user's.
mkdir wrong/cache
ln -s "$cache/store" wrong/cache/store
export MAILSTEAD_CACHE=$WORK/wrong/cache
"$MAILSTEAD" build mail.yaml -o wrong/x.img --offline
for base in wrong/cache/bases/*/usr.img; do
  printf 'flipped' | dd of="$base" bs=1 seek=70000 conv=notrunc status=none
done
"$MAILSTEAD" build mail.yaml -o wrong/x.img --offline
test "$before" = "$(sha256sum <wrong/x.img)"
rm wrong/x.img

# a cache that another user can write, or has written into
for place in . bases tools "$(basename wrong/cache/tools/*)"; do
  [ -e "wrong/cache/$place" ] || place=tools/$place
  chmod o+w "wrong/cache/$place"
  refuse 2 'other users can write to' "$MAILSTEAD" build mail.yaml -o wrong/x.img
  chmod o-w "wrong/cache/$place"
done
test ! -e wrong/x.img
# one that has no locks, and one from which nothing can be run
refuse 1 'on a file system that has locks' env LD_PRELOAD="$MODELESS_LIBRARY" LOCKLESS=1 "$MAILSTEAD" build mail.yaml -o wrong/x.img

# few threads: the same image by fewer; not for a superuser, whom the limit does not bind
if [ "$(id -u)" != 0 ]; then
  (ulimit -u "$(($(ps -L -u "$(id -u)" --no-headers | wc -l) + 4))" && "$MAILSTEAD" build mail.yaml -o wrong/x.img) && rm wrong/x.img
fi

# limits of this machine: a sentence with the remedy, whatever was about to be done; all by one user whom they bind
if [ "$(id -u)" = 0 ]; then
  as=(setpriv --reuid 64321 --regid 64321 --clear-groups)
  mkdir wrong/limited && cp -r mail.yaml mailstead.lock secrets wrong/limited/
  mkdir wrong/limited/cache && cp -r "$cache/store" wrong/limited/cache/
  chown -R 64321:64321 wrong/limited
else
  as=()
  mkdir wrong/limited && cp -r mail.yaml mailstead.lock secrets wrong/limited/
  mkdir wrong/limited/cache && ln -s "$cache/store" wrong/limited/cache/store
fi
limited() { # OPTION VALUE WORD…: with that limit; processes count for all of the user's
  "${as[@]}" bash -c 'ulimit "$1" "$2" && shift 2 && exec "$@"' - "$1" "$2" \
    env -u MAILSTEAD_MIRROR MAILSTEAD_CACHE="$PWD/wrong/limited/cache" "$MAILSTEAD" "${@:3}"
}
# With too few processes for APT, nothing untrue is said of its sources.
if [ "$(id -u)" = 0 ]; then
  for most in 1 2; do
    refuse 1 'lets you run no more processes and threads' limited -u "$most" lock wrong/limited/mail.yaml --update
  done
fi
for most in 100000 200000 400000; do
  got=0
  limited -v "$most" build wrong/limited/mail.yaml -o wrong/limited/x.img --offline 2>said.txt || got=$?
  cat said.txt
  [ "$got" -le 2 ] # neither SIGABRT nor SIGSEGV
  if [ "$got" != 0 ]; then grep -qE 'ulimit -v' said.txt; fi
  if grep -qE 'bad_alloc|unexpected failure' said.txt; then exit 1; fi
done
refuse 1 'ulimit -f' limited -f 100000 build wrong/limited/mail.yaml -o wrong/limited/x.img --offline
refuse 1 'ulimit -n' limited -n 20 build wrong/limited/mail.yaml -o wrong/limited/x.img --offline
for most in 5 8 20; do
  got=0
  limited -n "$most" check wrong/limited/mail.yaml 2>said.txt || got=$?
  if [ "$got" != 0 ]; then grep -q 'ulimit -n' said.txt; fi
done
if [ -e wrong/limited/x.img ]; then exit 1; fi
rm -rf wrong/limited

# nowhere to write, and no room
refuse 1 'wrong/none/x.img' "$MAILSTEAD" build mail.yaml -o wrong/none/x.img
mkdir wrong/small
# The file system is seen in a namespace of its own only, and needs no root there.
export -f refuse
unshare -rm bash -eux <<'SH'
mount -t tmpfs -o noexec tmpfs wrong/small
mkdir wrong/small/cache && ln -s "$MAILSTEAD_CACHE/store" wrong/small/cache/store
refuse 1 'let MAILSTEAD_CACHE name a folder on another one' env MAILSTEAD_CACHE="$PWD/wrong/small/cache" "$MAILSTEAD" build mail.yaml -o wrong/x.img --offline
umount wrong/small
mount -t tmpfs -o size=20M tmpfs wrong/small
refuse 1 'the disk image needs' "$MAILSTEAD" build mail.yaml -o wrong/small/x.img
test -z "$(ls -A wrong/small)"
SH

# interrupted, at several moments of its work: nothing half-written
for moment in 0.05 0.15 0.3; do
  "$MAILSTEAD" build mail.yaml -o wrong/x.img &
  child=$!
  sleep "$moment"
  kill -INT "$child" || echo "it was faster"
  if wait "$child"; then rm wrong/x.img; fi
  test ! -e wrong/x.img
  test -z "$(find wrong -maxdepth 1 -name '.*x.img*')"
done

# killed, at several moments of its work from nothing: the next build leaves nothing of it, neither unpacked packages nor keys
# nor half an image; and what no build has used for a month goes too
rm -rf wrong/cache/bases wrong/cache/tools wrong/cache/scratch wrong/cache/sieve wrong/x.img
for moment in 0.5 2 4; do
  "$MAILSTEAD" build mail.yaml -o wrong/x.img --offline &
  child=$!
  sleep "$moment"
  kill -KILL "$child" || echo "it was faster"
  if wait "$child"; then rm wrong/x.img; fi
  test ! -e wrong/x.img
done
mkdir -p wrong/cache/bases/old wrong/cache/tools/old wrong/cache/bases/young
touch -d '31 days ago' wrong/cache/bases/old wrong/cache/tools/old
touch -d '29 days ago' wrong/cache/bases/young
"$MAILSTEAD" build mail.yaml -o wrong/x.img --offline
test "$before" = "$(sha256sum <wrong/x.img)"
test -z "$(find wrong -name 'mailstead.*' -o -name '.*x.img*')"
test ! -e wrong/cache/bases/old && test ! -e wrong/cache/tools/old && test -d wrong/cache/bases/young
