#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Flips one byte in every structure of an image, one after the other, and wants it found and named. What the image has twice is
flipped in both copies, too.

usage: flips.py MAILSTEAD IMAGE COPY

COPY becomes a copy of IMAGE. Places are found here by the formats' own fields, not by what Mailstead says of them. Each
flip has to be the one difference against IMAGE, with its offset, and has to be found from what the image says of itself.
"""
import json
import os
import re
import subprocess
import sys

SECTOR = 512


def number(data, offset, size):
    return int.from_bytes(data[offset:offset + size], "little")


class Image:
    def __init__(self, path):
        self.file = open(path, "rb")
        self.size = os.path.getsize(path)
        table = json.loads(subprocess.run(["sfdisk", "--json", path], check=True, capture_output=True).stdout)
        self.partitions = {p["name"].removeprefix("mailstead-"): (p["start"] * SECTOR, p["size"] * SECTOR)
                           for p in table["partitiontable"]["partitions"]}

    def read(self, offset, size):
        self.file.seek(offset)
        return self.file.read(size)

    def content(self, partition, path):
        """The bytes of a file of a FAT partition, as mtools reads them."""
        start, _ = self.partitions[partition]
        return subprocess.run(["mcopy", "-n", "-i", f"{self.file.name}@@{start}", "::" + path, "-"],
                              check=True, capture_output=True).stdout

    def find(self, partition, text):
        """Where the text is in a partition; it has to be there once."""
        start, size = self.partitions[partition]
        data = self.read(start, size)
        at = data.index(text)
        assert data.find(text, at + 1) < 0, text
        return start + at


def fat_places(image, name):
    start, _ = image.partitions[name]
    boot = image.read(start, SECTOR)
    table = number(boot, 36, 4) * SECTOR
    first = start + number(boot, 14, 2) * SECTOR
    cluster = number(boot, 13, 1) * SECTOR
    root = first + 2 * table + (number(boot, 44, 4) - 2) * cluster
    label = f"mailstead-{name}"
    places = [
        (start + 3, "FAT: boot sector"),
        (start + 13, "FAT: boot sector"),  # sectors a cluster
        (start + 6 * SECTOR + 90, "FAT: backup of the boot sector"),
        (start + SECTOR + 488, "FAT: information sector"),
        (first + 4 * 5, "FAT: first copy of the table"),
        (first + table + 4 * 5, "FAT: second copy of the table"),
        (root + 32 + 1, "FAT: root directory"),
        (root + cluster - 5, "FAT: root directory"),  # behind its end
        (start + 2 * SECTOR + 5, "FAT: reserved sectors"),
        (start + 10 * SECTOR + 5, "FAT: reserved sectors"),
        (start + number(boot, 32, 4) * SECTOR - 100, "FAT: unused clusters"),
    ]
    for offset, structure in places:
        yield [offset], [structure], label, ""
    # What agrees with its copy, and what one driver reads and another does not: tables of FAT16, which table is in use, number
    # of the volume, boot code.
    for offset in (22, 40, 67, 110):
        yield ([start + offset, start + 6 * SECTOR + offset], ["FAT: boot sector", "FAT: backup of the boot sector"], label, "")
    unused = first + table - 4 * 200
    assert number(image.read(unused, 4), 0, 4) == 0
    yield [unused, unused + table], ["FAT: first copy of the table", "FAT: second copy of the table"], label, ""


def squashfs_places(image, name, hash_offset):
    start, size = image.partitions[name]
    block = image.read(start, 96)
    used, ids, inodes, directories, fragments = (number(block, at, 8) for at in (40, 48, 64, 72, 80))
    fragment_blocks = number(image.read(start + fragments, 8), 0, 8)
    label = f"mailstead-{name}"
    places = [
        (start, "squashfs: superblock"), (start + 40, "squashfs: superblock"),
        (start + 5000, "squashfs: data"), (start + inodes // 2, "squashfs: data"),
        (start + inodes + 7, "squashfs: inode table"),
        (start + directories + 7, "squashfs: directory table"),
        (start + fragment_blocks + 3, "squashfs: fragment table"),
        (start + ids + 1, "squashfs: id table"),
        (start + hash_offset, "dm-verity: superblock"),
        (start + hash_offset + 100, "dm-verity: superblock"),  # salt
        (start + hash_offset + 3000, "dm-verity: superblock"),
        (start + hash_offset + 4096 + 8, "dm-verity: hash tree"),
        (start + hash_offset + 2 * 4096 + 8, "dm-verity: hash tree" if hash_offset > 128 * 4096 else "unused space"),
        (start + size - 1, "unused space"),
    ]
    if used < hash_offset:
        places.append((start + used, "squashfs: padding"))
    return [([offset], [structure], label, "") for offset, structure in places]


def all_places(image):
    last = image.size - SECTOR
    yield [100], ["master boot record: code"], "", ""
    yield [442], ["master boot record: partition entry"], "", ""
    yield [446 + 4], ["master boot record: partition entry"], "", ""
    for offset in (SECTOR, SECTOR + 16, SECTOR + 60, SECTOR + 400):
        yield [offset], ["first partition table: header"], "", ""
    for entry in range(8):
        yield [2 * SECTOR + 128 * entry + 33], ["first partition table: entries"], "", ""
    yield [2 * SECTOR + 128 * 127], ["first partition table: entries"], "", ""
    yield [34 * SECTOR], ["unused space"], "", ""
    yield [image.size - SECTOR * 1000], ["unused space"], "", ""
    yield [last - 32 * SECTOR + 128 * 3 + 60], ["second partition table: entries"], "", ""
    yield [last + 20], ["second partition table: header"], "", ""
    bios = image.partitions["bios"][0]
    yield [bios + 700], ["GRUB's core image"], "mailstead-bios", ""
    yield [bios + image.partitions["bios"][1] - 1], ["GRUB's core image"], "mailstead-bios", ""
    esp, size = image.partitions["esp"]
    for offset in (esp + size - (1 << 20) + 20, esp + size - 1):
        yield [offset], ["record of the disk"], "mailstead-esp", ""
    for name in ("esp", "boot-a"):
        yield from fat_places(image, name)
    for name, path, text in (
            ("esp", "grub/grub.cfg", b"# Chooses the slot."),
            ("esp", "grub/grubenv", b"# GRUB Environment Block\nslot=a"),
            ("esp", "EFI/debian/grub.cfg", b"set prefix=($root)/grub"),
            ("boot-a", "slot-b.cfg", image.content("boot-a", "slot-b.cfg")),
            ("boot-a", "slot-a.cfg", image.content("boot-a", "slot-a.cfg"))):
        yield [image.find(name, text) + 2], ["file"], f"mailstead-{name}", path
    config = image.content("boot-a", "slot-a.cfg").decode()
    slot = image.find("boot-a", config.encode())
    for word in (" roothash=", " usrhash=", "verity_root_options=hash-offset=", "PARTUUID="):
        yield [slot + config.index(word) + len(word) + 1], ["file"], "mailstead-boot-a", "slot-a.cfg"
    for name, path in (("esp", "EFI/BOOT/BOOTX64.EFI"), ("esp", "EFI/BOOT/grubx64.efi"), ("boot-a", "vmlinuz"),
                       ("boot-a", "initrd.img")):
        content = image.content(name, path)
        middle = len(content) // 2
        yield [image.find(name, content) + middle], ["file"], f"mailstead-{name}", path
    for name in ("usr", "root"):
        offset = int(re.search(rf"verity_{name}_options=hash-offset=(\d+)", config)[1])
        yield from squashfs_places(image, name + "-a", offset)
    for name in ("boot-b", "usr-b", "root-b"):
        start, size = image.partitions[name]
        yield [start], ["empty slot"], f"mailstead-{name}", ""
        yield [start + size - 1], ["empty slot"], f"mailstead-{name}", ""


def flip(copy, offsets):
    with open(copy, "r+b") as file:
        for offset in offsets:
            file.seek(offset)
            byte = file.read(1)[0]
            file.seek(offset)
            file.write(bytes([byte ^ 0x01]))


def main():
    program, path, copy = sys.argv[1:]
    subprocess.run(["cp", "--sparse=always", path, copy], check=True)
    failures = 0
    count = 0
    for offsets, structures, partition, file in all_places(Image(path)):
        count += 1
        flip(copy, offsets)
        done = subprocess.run([program, "--progress", "none", "verify", copy, "--against", path, "--quick", "--json"],
                              capture_output=True, text=True)
        flip(copy, offsets)
        report = json.loads(done.stdout) if done.stdout else {"checks": []}
        by_bytes = [f for c in report["checks"] if c["name"] == "every byte" for f in c["findings"]]
        others = [f for c in report["checks"] if c["name"] != "every byte" for f in c["findings"]]
        named = [(f["structure"], f.get("partition", ""), f.get("path", ""), f.get("offset")) for f in by_bytes]
        good = (done.returncode == 1
                and named == [(structure, partition, file, offset) for offset, structure in zip(offsets, structures)]
                # The image alone shows at least the partition, or for what lies outside of partitions the structure.
                and any(f.get("partition", "") == partition and (partition or f["structure"] in structures)
                        for f in others))
        if not good:
            failures += 1
            print(f"NOT NAMED: bytes {offsets}, {structures} {partition} {file}\n  exit {done.returncode} {done.stderr}\n"
                  f"  against: {named}\n  by itself: {others}")
    print(f"{count} flips, {failures} not found or not named")
    sys.exit(1 if failures or count < 90 else 0)


main()
