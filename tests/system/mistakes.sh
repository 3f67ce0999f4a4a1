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
  test "$got" = "$code"
  grep -F -- "$text" said.txt
}

rm -rf wrong && mkdir wrong
sed 's/^accounts:/acounts:/' mail.yaml >wrong/key.yaml
refuse 2 "unknown key 'acounts'; did you mean 'accounts'?" "$MAILSTEAD" check wrong/key.yaml
refuse 2 'wrong/none.yaml' "$MAILSTEAD" check wrong/none.yaml
refuse 2 '--no-such-option' "$MAILSTEAD" build --no-such-option mail.yaml -o wrong/x.img

# no keys yet
cp mail.yaml mailstead.lock wrong/
refuse 2 'mailstead keys' "$MAILSTEAD" build wrong/mail.yaml -o wrong/x.img
test ! -e wrong/x.img

# a lock for another question
cp -r secrets wrong/
sed 's/^\(.*"\?suite"\?[: ]*\)"\?trixie"\?/\1forky/' mailstead.lock >wrong/mailstead.lock
if "$MAILSTEAD" build wrong/mail.yaml -o wrong/x.img; then exit 1; fi
test ! -e wrong/x.img

# nowhere to write, and no room
refuse 1 'wrong/none/x.img' "$MAILSTEAD" build mail.yaml -o wrong/none/x.img
if [ "$(id -u)" = 0 ]; then
  mkdir wrong/small
  mount -t tmpfs -o size=20M tmpfs wrong/small
  refuse 1 'No space left' "$MAILSTEAD" build mail.yaml -o wrong/small/x.img || { umount wrong/small; exit 1; }
  left=$(ls -A wrong/small)
  umount wrong/small
  test -z "$left"
fi

# interrupted: nothing half-written
"$MAILSTEAD" build mail.yaml -o wrong/x.img &
child=$!
sleep 0.2
kill -INT "$child" || echo "it was faster"
wait "$child" || test ! -e wrong/x.img
test -z "$(find wrong -name '.*x.img*')"
