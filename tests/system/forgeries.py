#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes of an image one that has the same root hash, and in which a reader finds what it should, while others find something else.

usage: forgeries.py KIND IMAGE OUT

KIND two-faced: GRUB and mtools take the boot partition for FAT16, with a root directory and a slot-a.cfg of its own in entries of
the tables that stand for unused clusters, the same in all copies; as FAT32 it is as before. Prints where that partition starts.
KIND short: the hash tree of /usr is over one block less. It has the same root hash.
"""
import json
import re
import struct
import subprocess
import sys

SECTOR = 512
BLOCK = 4096


def partition(path, name):
    table = json.loads(subprocess.run(["sfdisk", "--json", path], check=True, stdout=subprocess.PIPE).stdout)
    [found] = [p for p in table["partitiontable"]["partitions"] if p["name"] == name]
    return found["start"] * SECTOR, found["size"] * SECTOR


def read(image, offset, size):
    image.seek(offset)
    return image.read(size)


def write(image, offset, data):
    image.seek(offset)
    image.write(data)


def two_faced(path, image):
    start, _ = partition(path, "mailstead-boot-a")
    boot = bytearray(read(image, start, SECTOR))
    [reserved], [table] = struct.unpack_from("<H", boot, 14), struct.unpack_from("<I", boot, 36)
    config = b"linux ($root)/vmlinuz init=/bin/sh\n"
    entry = struct.pack("<11sBB13xHI", b"SLOT-A  CFG", 0x20, 0x18, 2, len(config))
    middle = table // 2  # sectors: behind the chains of kernel and initrd
    for copy in (0, 1):
        at = start + (reserved + copy * table + middle) * SECTOR
        assert not read(image, at, 2 * SECTOR).strip(b"\0"), "these entries are in use"
        write(image, at, entry.ljust(SECTOR, b"\0") + config)
    struct.pack_into("<HH", boot, 17, 16, 60000)      # entries of the root directory, sectors
    struct.pack_into("<H", boot, 22, middle // 2)     # sectors of each of two tables, in front of that directory
    for sector in (0, 6):
        write(image, start + sector * SECTOR, boot)
    print(start)


def short(path, image):
    boot, size = partition(path, "mailstead-boot-a")
    usr, room = partition(path, "mailstead-usr-a")
    data = read(image, boot, size)
    options = list(re.finditer(rb"verity_usr_options=hash-offset=(\d+)", data))  # one for each slot
    end = int(options[0][1])
    tree = bytearray(read(image, usr + end, min(room - end, end)))
    struct.pack_into("<Q", tree, 72, end // BLOCK - 1)  # blocks of data
    write(image, usr + end - BLOCK, tree)
    shorter = b"%d" % (end - BLOCK)
    for option in options:
        assert len(shorter) == len(option[1])
        write(image, boot + option.start(1), shorter)


def main():
    kind, path, out = sys.argv[1:]
    subprocess.run(["cp", "--sparse=always", path, out], check=True)
    with open(out, "r+b") as image:
        {"two-faced": two_faced, "short": short}[kind](path, image)


main()
