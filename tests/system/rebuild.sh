#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# The same spec and lock give the same bytes: from nothing in a cache folder of another path, by a program whose clock is a year
# ahead (its tools keep the real one: fat-times.py looks at theirs), on one processor, under another umask, time zone and
# locale, from another folder.
set -eux
cd "$WORK"
first=$(sha256sum demo.img | cut -d' ' -f1)

# A warm rebuild
"$MAILSTEAD" build mail.yaml -o again.img
test "$first" = "$(sha256sum again.img | cut -d' ' -f1)"

# A cold one. The store of packages is shared, everything made from them is not.
cache=${MAILSTEAD_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/mailstead}
rm -rf "$WORK/cold"
mkdir -p "$WORK/cold"
ln -s "$cache/store" "$WORK/cold/store"
(cd / && umask 077 && TZ=Pacific/Auckland LC_ALL=C MAILSTEAD_CACHE=$WORK/cold \
  taskset -c 0 faketime '2027-12-31 23:59:58' "$MAILSTEAD" build "$WORK/mail.yaml" -o "$WORK/again.img" --offline)
test "$first" = "$(sha256sum again.img | cut -d' ' -f1)"
rm -rf "$WORK/cold" again.img
