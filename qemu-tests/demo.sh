#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Makes a site, its keys, its lock and its image in a folder, boots that image and passes mail through it.
# usage: demo.sh MAILSTEAD FOLDER
set -eu

mailstead=$1
folder=$2
here=$(cd "$(dirname "$0")" && pwd)

say() { printf '\n\033[1m==> %s\033[0m\n' "$*"; }
started=$(date +%s)

mkdir -p "$folder"
[ -e "$folder/mail.yaml" ] || cp "$here/site/mail.yaml" "$folder/mail.yaml"
[ -e "$folder/passwords" ] || (umask 077 && cp "$here/site/passwords" "$folder/passwords")

say "The spec: $folder/mail.yaml"
"$mailstead" check "$folder/mail.yaml"

say "Keys"
"$mailstead" keys "$folder/mail.yaml"

say "Building $folder/demo.img"
"$mailstead" build "$folder/mail.yaml" -o "$folder/demo.img"

say "Booting that image and passing mail through it"
"$mailstead" test "$folder/demo.img" --spec "$folder/mail.yaml" --passwords "$folder/passwords"

say "Done in $(($(date +%s) - started)) s"
cat <<EOF
The site      $folder/mail.yaml, its keys in $folder/secrets, its lock in $folder/mailstead.lock
The image     $folder/demo.img
Look at it    $mailstead run $folder/demo.img
Its DNS zone  $mailstead dns $folder/mail.yaml
EOF
