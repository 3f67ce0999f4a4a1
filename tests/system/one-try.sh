#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# one-try.sh DISK: leaves slot B's trial one start of its three, so that a second start is of slot B only if that has been kept. The
# place is that of builder/image/boot_state.hpp.
set -eux
esp=$(sfdisk --json "$1" | python3 -c '
import json, sys
[end] = [p["start"] + p["size"] for p in json.load(sys.stdin)["partitiontable"]["partitions"] if p["name"] == "mailstead-esp"]
print(end * 512 - 2176 * 512)')
printf 1 | dd of="$1" bs=1 seek=$((esp + 43)) conv=notrunc status=none
"$MAILSTEAD" inspect "$1" | grep -q 'slot B is on trial with 1 of 3 tries left'
