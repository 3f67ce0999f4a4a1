#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# remote-machine.sh IMAGE FOLDER: makes in FOLDER what stands for a machine that runs slot A of the image, without a boot: its own script
# for updates as it is in the image, partitions as files, and in bin/ an ssh(1) that starts the script as sshd would, and a systemctl(1)
# that starts the slot which GRUB would. A slot proves itself if the file `good` is there.
set -eu
image=$1
mkdir -p "$2" && cd "$2"
mkdir -p bin dev etc/mailstead proc/sys/kernel/random run/mailstead-proof usr/lib/mailstead usr/share/mailstead var/lib/mailstead
part() {
  sfdisk --json "$image" | python3 -c '
import json, sys
[p] = [p for p in json.load(sys.stdin)["partitiontable"]["partitions"] if p["name"] == "mailstead-" + sys.argv[1]]
print(p["start"], p["size"])' "$1"
}
for name in boot-a boot-b usr-a usr-b root-a root-b; do
  # shellcheck disable=SC2046  # two words
  set -- $(part "$name")
  dd if="$image" of="dev/$(echo "$name" | tr - _)" bs=512 skip="$1" count="$2" conv=sparse status=none
  truncate -s $(($2 * 512)) "dev/$(echo "$name" | tr - _)"
done
unsquashfs -cat dev/usr_a lib/mailstead/remote >usr/lib/mailstead/remote
unsquashfs -cat dev/usr_a share/mailstead/base.json >usr/share/mailstead/base.json
unsquashfs -cat dev/root_a etc/hostname >etc/hostname
unsquashfs -cat dev/root_a etc/mailstead/update-signers >etc/mailstead/update-signers
unsquashfs -cat dev/root_a etc/ssl/mailstead/certificate.pem >certificate.pem
mkdir -p etc/ssl/mailstead && mv certificate.pem etc/ssl/mailstead/
chmod +x usr/lib/mailstead/remote
printf 'slot=a\ntry=-\nleft=0\n' >state
echo a >running
# hash_of SLOT: what its command line would say
cat >bin/hash_of <<'END'
#!/bin/sh
# The configuration of the slot is text in its boot partition.
grep -aom1 'roothash=[0-9a-f]*' "$(dirname "$0")/../dev/boot_$1" || echo 'roothash=none'
END
cat >usr/lib/mailstead/slot <<'END'
#!/bin/sh
set -eu
cd "$(dirname "$0")/../../.."
. ./state
running=$(cat running)
if [ "$running" = a ]; then other=b; else other=a; fi
put() { printf 'slot=%s\ntry=%s\nleft=%s\n' "$1" "${2:--}" "${3:-0}" >state; }
case "$1" in
  show)
    printf '%s\n' "running=$running" "slot=$slot" "try=$try" "left=$left"
    for name in boot usr root; do
      printf '%s\n' "${name}_a=$PWD/dev/${name}_a" "${name}_b=$PWD/dev/${name}_b" "${name}_size=$(stat -c %s "dev/${name}_b")"
    done
    ;;
  disarm) put "$running" ;;
  arm) put "$running" "$other" 3 ;;
  back)
    if [ "$slot" != "$running" ] || [ "$left" != 0 ]; then put "$slot"
    elif [ "$(head -c 4 "dev/root_$other")" = hsqs ]; then put "$running" "$other" 3
    else exit 1; fi
    ;;
esac
END
cat >bin/ssh <<'END'
#!/bin/bash
machine=$(cd "$(dirname "$0")/.." && pwd)
printf '%s\n' "$@" >"$machine/asked"
[ ! -e "$machine/silent" ] || { echo 'ssh: connect to host: Connection refused' >&2; exit 255; }
export PATH=$machine/bin:$PATH SSH_ORIGINAL_COMMAND=${*: -1}
exec "$machine/usr/lib/mailstead/remote"
END
cat >bin/systemctl <<'END'
#!/bin/sh
[ "$1" = reboot ] || exit 0
cd "$(dirname "$0")/.."
# What asks for a restart is ended by it.
[ "${2:-}" = now ] || { touch restarting; setsid "$0" reboot now </dev/null >/dev/null 2>&1 & exit 0; }
while :; do
  . ./state
  case "$try$left" in
    [ab]3) printf 'slot=%s\ntry=%s\nleft=2\n' "$slot" "$try" >state; next=$try ;;
    [ab]2) printf 'slot=%s\ntry=%s\nleft=1\n' "$slot" "$try" >state; next=$try ;;
    [ab]1) printf 'slot=%s\ntry=%s\nleft=0\n' "$slot" "$try" >state; next=$try ;;
    *) next=$slot ;;
  esac
  echo "$next" >running
  bin/hash_of "$next" >proc/new && mv proc/new proc/cmdline
  cat /proc/sys/kernel/random/uuid >proc/new && mv proc/new proc/sys/kernel/random/boot_id
  echo starts >>starts
  if [ -e good ]; then
    echo 'passed in 1 s' >run/mailstead-proof/verdict
    [ "$next" != "$try" ] || printf 'slot=%s\ntry=-\nleft=0\n' "$next" >state
    break
  fi
  echo 'failed: dovecot.service is not active' >run/mailstead-proof/verdict
  [ "$next" = "$try" ] || break
  echo "$next: $(cat run/mailstead-proof/verdict)" >var/lib/mailstead/lost-trial
done
rm -f restarting
END
printf '#!/bin/sh\necho "$@" >>"$(dirname "$0")/../log"\n' >bin/logger
chmod +x bin/* usr/lib/mailstead/slot
echo 'passed in 1 s' >run/mailstead-proof/verdict
cat /proc/sys/kernel/random/uuid >proc/sys/kernel/random/boot_id
bin/hash_of a >proc/cmdline
