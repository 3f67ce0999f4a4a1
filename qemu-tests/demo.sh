#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Makes a site, its keys, its lock and its image in a folder, boots that image and passes mail through it.
# usage: demo.sh MAILSTEAD FOLDER
set -eu

mailstead=$1
folder=$2
here=$(cd "$(dirname "$0")" && pwd)

bold='' plain=''
if [ -t 1 ] && [ -z "${NO_COLOR:-}" ] && [ "${TERM:-dumb}" != dumb ]; then bold=$(printf '\033[1m') plain=$(printf '\033[0m'); fi
say() { printf '\n%s==> %s%s\n' "$bold" "$*" "$plain"; }
started=$(date +%s)
seconds() { echo $(($(date +%s) - started)); }

mkdir -p "$folder"
[ -e "$folder/mail.yaml" ] || cp "$here/site/mail.yaml" "$folder/mail.yaml"
[ -e "$folder/passwords" ] || (umask 077 && cp "$here/site/passwords" "$folder/passwords")

say "1 of 5  The spec"
"$mailstead" check "$folder/mail.yaml"
for file in mail.yaml passwords; do
  cmp -s "$here/site/$file" "$folder/$file" ||
    echo "$folder/$file is not as $here/site/$file; the dialogues are written for the latter"
done

say "2 of 5  Keys for DKIM and TLS"
"$mailstead" keys "$folder/mail.yaml"

say "3 of 5  Packages: resolved, verified and pinned"
"$mailstead" lock "$folder/mail.yaml"

say "4 of 5  The image"
"$mailstead" build "$folder/mail.yaml" -o "$folder/demo.img"
built=$(seconds)

say "5 of 5  That image is booted, and mail passes through it (some minutes without KVM)"
"$mailstead" test "$folder/demo.img" mail/ --spec "$folder/mail.yaml" --passwords "$folder/passwords" || {
  status=$?
  say "The image was built, but did not pass its test"
  echo "The console, the journal and the dialogues are in $folder/demo.img.test. Once more, with more time:"
  echo "  $mailstead test $folder/demo.img mail/ --spec $folder/mail.yaml --passwords $folder/passwords --patience 5"
  exit $status
}

say "Done: image after $built s, all tested after $(seconds) s"
cat <<END
The site      $folder/mail.yaml, its keys in $folder/secrets, its lock in $folder/mailstead.lock
The image     $folder/demo.img, $(du -m "$folder/demo.img" | cut -f1) MB on this disk
The test      $folder/demo.img.test: console, journal, dialogues
Look at it    $mailstead run $folder/demo.img
Its DNS zone  $mailstead dns $folder/mail.yaml
Your own      $mailstead init site, and on as README.md says
END
