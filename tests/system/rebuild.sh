#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# The same spec and lock give the same bytes: from nothing in a cache folder of another path, by a program whose clock is a year
# ahead (its tools keep the real one: fat-times.py looks at theirs), on one processor, under another umask, time zone and
# locale, from another folder; and two sites share the public part.
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

# Another site with the same lock, from nothing, too: another root, the same public part, byte by byte.
rm -rf other && mkdir -p other "$WORK/cold"
ln -s "$cache/store" "$WORK/cold/store"
sed 's/example\.org/example.net/g' mail.yaml >other/mail.yaml
cp mailstead.lock other/
"$MAILSTEAD" keys other/mail.yaml
"$MAILSTEAD" build mail.yaml -o again.img --json >one.json
MAILSTEAD_CACHE=$WORK/cold "$MAILSTEAD" build other/mail.yaml -o other/other.img --offline --json >two.json
python3 - <<'PY'
import json
one, two = (json.load(open(n)) for n in ("one.json", "two.json"))
assert one["base"] == two["base"] and one["usr_root_hash"] == two["usr_root_hash"], (one, two)
assert one["root_root_hash"] != two["root_root_hash"], (one, two)
PY
made=$(echo "$WORK"/cold/bases/*/)
for file in "$made"*; do
  name=$(basename "$file")
  found=
  for base in "$cache"/bases/*/; do
    if cmp -s "$file" "$base$name"; then found=$base; fi
  done
  test -n "$found"
done
rm -rf "$WORK/cold"
