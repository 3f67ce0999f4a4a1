#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Power cuts at many points of a machine's life: its first start, mail, an update over SSH, the start on trial. All that a machine writes is
# recorded, and the disk is made again as a cut at each point would have left it (power-cuts/cuts.py). Machines are started from some of
# them: they have to pass their proof, and each message that was answered with 250 has to be there.
# $CUTS: how many points of each of the six phases, 20 if it is not set.
set -eux
cd "$WORK"
rm -rf cuts && mkdir -p cuts/bin && cd cuts
here=$SOURCE/tests/system
ln -s "$here/power-cuts/qemu.sh" bin/qemu-system-x86_64
ln -s ../secrets secrets
ln -s ../mailstead.lock mailstead.lock
sed 's/aliases: \[tiny@example.org\]/aliases: [tiny@example.org, wee@example.org]/' ../mail.yaml >mail.yaml
if cmp mail.yaml ../mail.yaml; then exit 1; fi
"$MAILSTEAD" build mail.yaml -o next.img
port=24000
flow='' machine=''
end() { if [ -n "$1" ] && kill -0 "$1" 2>/dev/null; then kill "$1"; wait "$1" || :; fi; }
cleanup() {
  end "$flow"
  end "$machine"
  rm -f ../secrets/updates/mail.example.org/known_hosts
}
trap cleanup EXIT
# shown TEXT [TIMES]: waits until the console has shown it
shown() {
  for _ in $(seq 1800); do
    if [ "$(grep -ac "$1" console.txt)" -ge "${2:-1}" ]; then return; fi
    kill -0 "$machine"
    sleep 1
  done
  tail -n 40 console.txt
  return 1
}
begins() { echo "$(stat -c %s recorded.img.log) $1" >>marks; }

echo '0 first start' >marks
: >acknowledged
PATH=$PWD/bin:$PATH "$MAILSTEAD" run ../demo.img --spec mail.yaml --first-port $port >console.txt 2>run.txt </dev/null & machine=$!
shown 'MAILSTEAD-SSH'
begins 'first proof'
"$here/mail-flow.py" ../passwords $port send acknowledged recorded.img.log & flow=$!
shown 'MAILSTEAD-PROOF passed'
begins 'mail'
sleep 60
begins 'update'
fingerprint=$(grep -ao 'SHA256:[A-Za-z0-9+/]*' console.txt | head -n 1)
"$MAILSTEAD" update next.img --to "127.0.0.1:$((port + 22))" --host-key "$fingerprint" --spec mail.yaml & update=$!
shown 'reboot: Restarting system'
begins 'start on trial'
shown 'MAILSTEAD-SSH' 2
begins 'proof on trial'
wait $update
sleep 20
end "$flow"
end "$machine"

"$here/power-cuts/cuts.py" ../demo.img next.img recorded.img marks acknowledged "${CUTS:-20}" disks
rm recorded.img recorded.img.log
for disk in disks/*.img; do
  "$MAILSTEAD" run "$disk" --spec mail.yaml --first-port $port >console.txt 2>run.txt </dev/null & machine=$!
  shown 'MAILSTEAD-PROOF passed'
  # Before the first message had been answered there are none.
  if [ -s "${disk%.img}.acknowledged" ]; then "$here/mail-flow.py" ../passwords $port keep "${disk%.img}.acknowledged"; fi
  end "$machine"
done
cd .. && rm -rf cuts
