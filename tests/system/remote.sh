#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# `update --to`, `status` and `rollback HOST` against the script of the image that they talk to, without a boot and without SSH (system_live
# has both): what is sent, what is refused, and what is left when anything breaks off.
set -eux
cd "$WORK"
rm -rf remote && mkdir -p remote/site && cd remote
sed 's/aliases: \[tiny@example.org\]/aliases: [tiny@example.org, wee@example.org]/' ../mail.yaml >site/mail.yaml
if cmp ../mail.yaml site/mail.yaml; then exit 1; fi
ln -s ../../secrets ../mailstead.lock site/ && ln -sfn ../../mailstead.lock site/mailstead.lock
"$MAILSTEAD" build site/mail.yaml -o new.img
"$SOURCE/tests/system/remote-machine.sh" "$PWD/../demo.img" machine
touch machine/good
export PATH=$PWD/machine/bin:$PATH
spec=site/mail.yaml
field() { python3 -c 'import json, sys; print(eval("json.load(open(sys.argv[1]))" + sys.argv[2]))' "$1" "$2"; }
settled() { for i in $(seq 300); do [ -e machine/restarting ] || return 0; sleep 0.1; done; false; }
state() { settled; tr '\n' ' ' <machine/state; }
slot_a() { cat machine/dev/*_a | sha256sum; }
status() { settled; set +e; "$@" >out.txt 2>said.txt; echo $?; set -e; }
running=$(slot_a)

# An empty slot gets all that the other does not have: the root file system and what names its hash.
"$MAILSTEAD" update new.img --to mail.example.org --spec $spec --json >updated.json
test "$(field updated.json '["written"]')" = slot
test "$(field updated.json '["bytes_sent"]')" -lt 2000000
test "$(field updated.json '["proof"]')" = 'passed in 1 s'
test "$(state)" = 'slot=b try=- left=0 '
test "$(slot_a)" = "$running"
# All of the slot is that of the image.
for name in boot usr root; do
  # shellcheck disable=SC2046  # two words
  set -- $(sfdisk --json new.img | python3 -c '
import json, sys
[p] = [p for p in json.load(sys.stdin)["partitiontable"]["partitions"] if p["name"] == sys.argv[1]]
print(p["start"], p["size"])' "mailstead-$name-a")
  dd if=new.img bs=512 skip="$1" count="$2" status=none | cmp - "machine/dev/${name}_b"
done
# What ssh(1) is told: no password is asked for, nothing is forwarded, no unknown host is trusted.
for word in BatchMode=yes StrictHostKeyChecking=yes ClearAllForwardings=yes IdentitiesOnly=yes -T HostKeyAlias=mail.example.org; do
  grep -qx -- "$word" machine/asked
done
# The same again: nothing to do.
"$MAILSTEAD" update new.img --to mail.example.org --spec $spec >updated.txt
grep -q '^sent *nothing: the machine runs this image already$' updated.txt
"$MAILSTEAD" status mail.example.org --spec $spec --json >status.json
test "$(field status.json '["running_slot"]')" = b
test "$(field status.json '["complaints"]')" = '[]'
"$MAILSTEAD" status '[2001:db8::1]:2222' --spec $spec >status.txt
grep -q '^slot *B, proved$' status.txt
grep -qx 2222 machine/asked && grep -qx '2001:db8::1' machine/asked

# Back, and forward again, as a person does.
"$MAILSTEAD" rollback mail.example.org --spec $spec >back.txt
grep -q '^slot *A runs, and has proved itself$' back.txt
test "$(state)" = 'slot=a try=- left=0 '
"$MAILSTEAD" rollback mail.example.org --spec $spec --no-wait --json >back.json
test "$(field back.json '["slot"]')" = b
settled
"$MAILSTEAD" rollback mail.example.org --spec $spec >back.txt
test "$(state)" = 'slot=a try=- left=0 '

# An image that does not prove itself: the machine tries three times, and is back; exit code 1 and the reason.
rm machine/good machine/starts
test "$(status "$MAILSTEAD" update new.img --to mail.example.org --spec $spec)" = 1
grep -q 'is back on slot A: slot B has not proved itself' said.txt
grep -q 'slot b: failed: dovecot.service is not active' said.txt
test "$(wc -l <machine/starts)" = 4
test "$(slot_a)" = "$running"
test "$(status "$MAILSTEAD" status mail.example.org --spec $spec)" = 1
grep -q '^unhealthy *the last update has not proved itself: slot b: failed: dovecot.service is not active$' out.txt
# It is back already: nobody who types this to be sure starts the bad one again.
test "$(status "$MAILSTEAD" rollback mail.example.org --spec $spec)" = 2
grep -q 'slot b has not proved itself: failed: dovecot.service is not active, and the machine is back already' said.txt
test "$(state)" = 'slot=a try=b left=0 '
touch machine/good

# On trial: no update before the proof, but a way back.
printf 'slot=a\ntry=b\nleft=2\n' >machine/state; echo b >machine/running
test "$(status "$MAILSTEAD" update ../demo.img --to mail.example.org --spec $spec)" = 2
grep -q 'the slot that runs has not been proved yet' said.txt
test "$(state)" = 'slot=a try=b left=2 '
"$MAILSTEAD" rollback mail.example.org --spec $spec >back.txt
test "$(state)" = 'slot=a try=- left=0 '

# Refused before anything is written.
sums() { settled; stat -c '%n %s %y' machine/dev/* machine/state; }
before=$(sums)
refused() { test "$(status "$MAILSTEAD" update "$1" --to mail.example.org --spec "$2")" = 2; grep -qF -- "$3" said.txt; test "$(sums)" = "$before"; }
hostname=$(cat machine/etc/hostname)
echo mail.other.example >machine/etc/hostname
refused new.img $spec 'the image is for another site'
echo "$hostname" >machine/etc/hostname
cp machine/usr/share/mailstead/base.json base.json
sed -i 's/"profile": "[^"]*"/"profile": "server-amd64"/' machine/usr/share/mailstead/base.json
refused new.img $spec 'the image has another profile; this machine has server-amd64'
cp base.json machine/usr/share/mailstead/base.json
sed -i 's/"archive_time": [0-9]*/"archive_time": 4000000000/' machine/usr/share/mailstead/base.json
refused new.img $spec '--allow-older takes it all the same'
"$MAILSTEAD" update new.img --to mail.example.org --spec $spec --allow-older >updated.txt
cp base.json machine/usr/share/mailstead/base.json
"$MAILSTEAD" rollback mail.example.org --spec $spec >back.txt
before=$(sums)
# A full disk is found out before anything that the machine knows is given up: a trial that was lost, and why.
printf 'slot=a\ntry=b\nleft=0\n' >machine/state
echo 'b: failed: dovecot.service is not active' >machine/var/lib/mailstead/lost-trial
mkdir machine/var/lib/mailstead/update-serial.new
before=$(sums)
refused new.img $spec 'cannot write to the disk; is it full?'
rmdir machine/var/lib/mailstead/update-serial.new
test "$(status "$MAILSTEAD" rollback mail.example.org --spec $spec)" = 2
grep -q 'has not proved itself: failed: dovecot.service is not active' said.txt
# The image that runs settles it.
"$MAILSTEAD" update ../demo.img --to mail.example.org --spec $spec >same.txt
test "$(state)" = 'slot=a try=- left=0 '
test ! -e machine/var/lib/mailstead/lost-trial
before=$(sums)
echo 2 >machine/var/lib/mailstead/state-format
refused new.img $spec 'the data of this machine have format 2, and the image understands 1 at most'
rm machine/var/lib/mailstead/state-format
cp machine/etc/mailstead/update-signers signers
ssh-keygen -q -t ed25519 -N '' -f other
echo "updates namespaces=\"mailstead-update\" $(cut -d ' ' -f 1-2 other.pub)" >machine/etc/mailstead/update-signers
refused new.img $spec "does not have a signature by this site's key of updates"
cp signers machine/etc/mailstead/update-signers
truncate -s +1M machine/dev/root_b
before=$(sums)
refused new.img $spec 'have other sizes'
truncate -s -1M machine/dev/root_b
before=$(sums)
echo 4000000000 >machine/var/lib/mailstead/update-serial
refused new.img $spec 'has been taken before'
rm machine/var/lib/mailstead/update-serial
sed '/^updates:/d' $spec >site/without.yaml
refused new.img site/without.yaml "add 'updates: {ssh: true}' to the spec"
refused new.img none.yaml 'none.yaml'
test "$(status "$MAILSTEAD" update new.img --to mail.example.org)" = 2
test "$(status "$MAILSTEAD" update new.img)" = 2
grep -q 'needs a disk or a host' said.txt
test "$(status "$MAILSTEAD" update new.img --to 'root@x; id' --spec $spec)" = 2
grep -q 'is no host' said.txt
test "$(status "$MAILSTEAD" status -- -oProxyCommand=id --spec $spec)" = 2
# A disk that is full, or cannot be written: the slot that runs stays.
mv machine/var/lib/mailstead machine/var/lib/elsewhere && touch machine/var/lib/mailstead
test "$(status "$MAILSTEAD" update new.img --to mail.example.org --spec $spec)" = 2
grep -q 'cannot write to the disk; is it full?' said.txt
rm machine/var/lib/mailstead && mv machine/var/lib/elsewhere machine/var/lib/mailstead
test "$(state)" = 'slot=a try=- left=0 '
# An image that would lock its own sender out.
mkdir locked && sed '/^updates:/d' $spec >locked/mail.yaml && ln -s ../../secrets ../../mailstead.lock locked/
"$MAILSTEAD" build locked/mail.yaml -o locked.img
test "$(status "$MAILSTEAD" update locked.img --to mail.example.org --spec $spec)" = 2
grep -q 'the machine could not be updated by SSH any more' said.txt
rm locked.img
# A machine that says something else, and does not hang up: the answer is told, and ssh(1) is ended.
mv machine/bin/ssh machine/bin/real
printf '#!/bin/sh\necho nonsense; exec sleep 1000\n' >machine/bin/ssh && chmod +x machine/bin/ssh
test "$(status timeout 60 "$MAILSTEAD" update new.img --to mail.example.org --spec $spec)" = 1
grep -q "sends what is no answer: 'nonsense'" said.txt
mv machine/bin/real machine/bin/ssh
# Killed in the middle: what is half-written is neither on trial nor what a person goes back to; the next update goes on.
# Both slots have another /usr, so that there is something to send.
head -c 60000000 /dev/urandom | dd of=machine/dev/usr_a conv=notrunc bs=1M status=none
head -c 60000000 /dev/urandom | dd of=machine/dev/usr_b conv=notrunc bs=1M status=none
"$MAILSTEAD" update new.img --to mail.example.org --spec $spec >killed.txt 2>&1 & pid=$!
until grep -q '^Sending the image …' killed.txt; do kill -0 $pid; done
kill -KILL $pid; wait $pid || test $? = 137
for i in $(seq 100); do [ -z "$(ls -d machine/run/mailstead-update.?????? 2>/dev/null)" ] && break; sleep 0.2; done
test "$(state)" = 'slot=a try=- left=0 '
test "$(status "$MAILSTEAD" rollback mail.example.org --spec $spec)" = 2
grep -q 'there is no whole image in slot b' said.txt
"$MAILSTEAD" update new.img --to mail.example.org --spec $spec >updated.txt
test "$(state)" = 'slot=b try=- left=0 '
"$MAILSTEAD" rollback mail.example.org --spec $spec >back.txt

touch machine/silent
test "$(status "$MAILSTEAD" status mail.example.org --spec $spec)" = 1
grep -q 'no connection to mail.example.org: ssh: connect to host: Connection refused' said.txt
rm machine/silent
test "$(status "$MAILSTEAD" rollback mail.example.org --spec $spec)" = 0
"$MAILSTEAD" rollback mail.example.org --spec $spec
: >machine/dev/root_b
test "$(status "$MAILSTEAD" rollback mail.example.org --spec $spec)" = 2
grep -q 'there is no whole image in slot b' said.txt
truncate -s "$(stat -c %s machine/dev/root_a)" machine/dev/root_b

# What a stream may be otherwise.
python3 "$SOURCE/tests/system/streams.py" "$PWD/machine" "$PWD/../secrets/updates/mail.example.org/id_ed25519"
cd .. && rm -rf remote
