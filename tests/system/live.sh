#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# The README's "Change something", line by line, with a machine that runs and gets mail all the while: each message that it has answered
# with 250 is there once, whichever slot runs.
set -eux
cd "$WORK"
rm -rf live && mkdir -p live/site live/build && cd live
ln -s "$MAILSTEAD" build/mailstead
cp ../mail.yaml ../mailstead.lock site/
ln -s ../../secrets site/secrets
port=23000
cleanup() {
  status=$?
  for process in $flow $machine; do
    if kill -0 "$process" 2>/dev/null; then kill "$process"; fi
  done
  rm -f ../secrets/updates/mail.example.org/known_hosts
  if [ "$status" != 0 ]; then
    for file in console.txt said.txt; do if [ -e "$file" ]; then tail -n 40 "$file"; fi; done
  fi
}
flow='' machine=''
trap cleanup EXIT
"$MAILSTEAD" run ../demo.img --spec site/mail.yaml --first-port $port >console.txt 2>run.txt </dev/null & machine=$!
until grep -aq 'MAILSTEAD-PROOF passed' console.txt; do kill -0 $machine; sleep 2; done
"$SOURCE/tests/system/mail-flow.py" ../passwords $port send acknowledged & flow=$!

# The edit, and the README's lines; the machine is on this one's loopback.
sed -i 's/aliases: \[tiny@example.org\]/aliases: [tiny@example.org, wee@example.org]/' site/mail.yaml
if cmp ../mail.yaml site/mail.yaml; then exit 1; fi
awk '/^## / {inside = $0 == "## Change something"} /^```/ {fenced = !fenced; next} inside && fenced' "$SOURCE/README.md" |
  sed "s/\(--to\|status\|rollback\) mail.example.org /\1 127.0.0.1:$((port + 22)) /" >commands
test "$(wc -l <commands)" = 4
# The first time, the fingerprint that the console has shown.
fingerprint=$(grep -ao 'SHA256:[A-Za-z0-9+/]*' console.txt | head -n 1)
sed -i "/ update /s|--spec|--host-key $fingerprint --spec|" commands
# After each restart mail is taken again.
taken() { wc -l <acknowledged; }
mapfile -t lines <commands
for line in "${lines[@]}"; do
  bash -euxc "$line" >>said.txt
  before=$(taken)
  for i in $(seq 120); do [ "$(taken)" = "$before" ] || break; sleep 1; done
  test "$(taken)" != "$before"
done
cat said.txt
grep -q '^slot *B runs, and has proved itself$' said.txt
grep -q '^slot *B, proved$' said.txt
grep -q '^slot *A runs, and has proved itself$' said.txt
test "$(grep -ac 'reboot: Restarting system' console.txt)" = 2

# The way of updates is no way in.
ssh() { command ssh -F none -p $((port + 22)) -o BatchMode=yes -o UserKnownHostsFile=../secrets/updates/mail.example.org/known_hosts \
  -o HostKeyAlias=mail.example.org -o IdentitiesOnly=yes -i ../secrets/updates/mail.example.org/id_ed25519 "$@"; }
refuse() {
  if ssh "$@" </dev/null >heard.txt 2>&1; then exit 1; fi
  grep -q "this key is for 'mailstead update'" heard.txt
}
refuse root@127.0.0.1 'cat /etc/shadow'
refuse root@127.0.0.1
refuse root@127.0.0.1 'status; id'
refuse -s root@127.0.0.1 sftp
if ssh -W 127.0.0.1:25 root@127.0.0.1 </dev/null >heard.txt 2>&1; then exit 1; fi
grep -q 'administratively prohibited' heard.txt

kill $flow; wait $flow
"$SOURCE/tests/system/mail-flow.py" ../passwords $port count acknowledged
cd .. && rm -rf live
