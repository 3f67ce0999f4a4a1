#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads every directory entry of a FAT16 or FAT32 image and holds all its times against one.

usage: fat-times.py IMAGE SECONDS

The tools that fill the image ran at the real time, so that a time of their own shows here. Layout: Microsoft's "FAT: General Overview of On-Disk Format" 1.03.
"""
import datetime
import struct
import sys


def main():
    image = open(sys.argv[1], "rb").read()
    moment = datetime.datetime.fromtimestamp(int(sys.argv[2]), datetime.timezone.utc)
    date = (moment.year - 1980) << 9 | moment.month << 5 | moment.day
    time = moment.hour << 11 | moment.minute << 5 | moment.second // 2
    sector, per_cluster, reserved, copies, root_entries, _, _, size16 = struct.unpack_from("<HBHBHHBH", image, 11)
    fat32 = size16 == 0
    fat_sectors = struct.unpack_from("<I", image, 36)[0] if fat32 else size16
    fat = reserved * sector
    data = fat + copies * fat_sectors * sector + root_entries * 32
    cluster_size = per_cluster * sector

    def chain(cluster):
        end = 0x0FFFFFF8 if fat32 else 0xFFF8
        while 2 <= cluster < end:
            at = data + (cluster - 2) * cluster_size
            yield image[at:at + cluster_size]
            cluster = (struct.unpack_from("<I", image, fat + 4 * cluster)[0] & 0x0FFFFFFF if fat32 else
                       struct.unpack_from("<H", image, fat + 2 * cluster)[0])

    root = b"".join(chain(struct.unpack_from("<I", image, 44)[0])) if fat32 else image[data - root_entries * 32:data]
    open_folders, entries, wrong = [("", root)], 0, []
    while open_folders:
        path, table = open_folders.pop()
        for at in range(0, len(table), 32):
            entry = table[at:at + 32]
            if entry[0] == 0:
                break
            # Removed, a part of a long name, or the label, for which mkfs.fat --invariant has a constant of its own.
            if entry[0] == 0xE5 or entry[11] & 0x08:
                continue
            name = path + "/" + entry[:11].decode("latin-1")
            created_time, created, accessed, high, written_time, written, low = struct.unpack_from("<7H", entry, 14)
            entries += 1
            # Whoever keeps no time of creation or access writes 0.
            if written != date or written_time != time or created not in (0, date) or \
                    created_time not in (0, time) or accessed not in (0, date):
                wrong.append(name)
            if entry[11] & 0x10 and not entry.startswith(b"."):
                open_folders.append((name, b"".join(chain(high << 16 | low))))
    if wrong or entries < 3:
        sys.exit(f"{sys.argv[1]}: {entries} entries, another time in: {wrong}")


main()
