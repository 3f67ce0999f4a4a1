#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""cuts.py BEFORE NEXT RECORDED MARKS ACKNOWLEDGED CUTS FOLDER: what is on the disk after a power cut.

BEFORE is the image that was started, NEXT that of the update, RECORDED.log what was written to the disk meanwhile (blklogwrites of QEMU,
the format of dm-log-writes in Linux). MARKS has lines "BYTES PHASE", with the size that the log had when a phase began; ACKNOWLEDGED has
lines "NAME BYTES", with the size that it had when a message had been answered with 250. Of each phase, CUTS points are looked at.

At a cut, what was written before the last flush of the disk's cache is there. Of each write after it, the disk has all, nothing, or the
first few sectors. Then these have to hold:

  table      the partition table, or its copy, can be read
  slot       the slot that GRUB starts, and the one it would start after that, is byte for byte that of BEFORE or NEXT
  data       e2fsck replays the journal of the data, and finds nothing to mend then
  found      each acknowledged message is in a mailbox, or in a queue of Postfix that it delivers from

Disks of failed cuts are kept in FOLDER, and of each phase one that was sound, PHASE.img, with PHASE.acknowledged."""

import json
import os
import random
import re
import shutil
import struct
import subprocess
import sys

SECTOR = 512
FLUSH, DISCARD = 1, 4
PROVEN_OR_TRIAL = ("a", "b")
ESP, DATA = "mailstead-esp", "mailstead-data"
STATE_FROM_END = 1024 * 1024 + 64 * 1024  # builder/image/boot_state.hpp

# The counts in the superblock are brought up to date when a file system is unmounted, and the mark of a file that holds orphans with them.
HARMLESS = r"Free (blocks|inodes) count wrong|Feature orphan_present"

before, following, recorded, marks, acknowledged, cuts, folder = sys.argv[1:]
generator = random.Random(20261201)


def table_of(disk):
    """Partitions by name: first byte and length."""
    printed = subprocess.run(["sfdisk", "--json", disk], capture_output=True, text=True)
    if printed.returncode != 0:
        return None
    table = json.loads(printed.stdout)["partitiontable"]
    return {p["name"]: (p["start"] * SECTOR, p["size"] * SECTOR) for p in table["partitions"]}


def copy(disk, to):
    subprocess.run(["cp", "--reflink=auto", "--sparse=always", disk, to], check=True)


class Log:
    """The entries of the log: where a write's data lie in it, where they belong on the disk, and where the entry ends."""

    def __init__(self, path):
        self.file = open(path, "rb")
        magic, _, _, sector = struct.unpack("<QQQI", self.file.read(28))
        assert magic == 0x6A736677736872 and sector == SECTOR, "not a log of writes"
        self.entries = []
        size = os.path.getsize(path)
        at = SECTOR
        while at + SECTOR <= size:
            self.file.seek(at)
            first, count, flags, _ = struct.unpack("<QQQQ", self.file.read(32))
            at += SECTOR
            data = at
            if not flags & DISCARD:
                at += count * SECTOR
            if at > size:
                break  # QEMU was killed in the middle of it
            self.entries.append((data, first * SECTOR, 0 if flags & DISCARD else count * SECTOR, bool(flags & FLUSH), at))

    def write(self, disk, entry, most=None):
        data, first, length, _, _ = entry
        self.file.seek(data)
        disk.seek(first)
        disk.write(self.file.read(length if most is None else most))


def torn(log, disk, entries):
    for entry in entries:
        fate = generator.choice(("all", "all", "nothing", "torn"))
        if fate == "all":
            log.write(disk, entry)
        elif fate == "torn" and entry[2] > SECTOR:
            log.write(disk, entry, generator.randrange(1, entry[2] // SECTOR) * SECTOR)


def same(disk, here, other, there, length):
    with open(disk, "rb") as a, open(other, "rb") as b:
        a.seek(here)
        b.seek(there)
        while length > 0:
            block = min(length, 1 << 20)
            if a.read(block) != b.read(block):
                return False
            length -= block
    return True


def whole(disk, table, slot):
    """Whether a slot is that of one of the two images, which both have theirs in slot A."""
    for image in (before, following):
        if all(same(disk, table[f"mailstead-{part}-{slot}"][0], image, images[image][f"mailstead-{part}-a"][0],
                    images[image][f"mailstead-{part}-a"][1]) for part in ("root", "boot", "usr")):
            return True
    return False


def slots_that_start(disk, table):
    """What GRUB starts next, and after it."""
    with open(disk, "rb") as file:
        file.seek(sum(table[ESP]) - STATE_FROM_END)
        block = file.read(1024).decode("ascii", "replace")
    said = dict(re.findall(r"^(slot|try|left)=(.)$", block, re.MULTILINE))
    if not block.startswith("# GRUB Environment Block\n") or said.get("slot") not in PROVEN_OR_TRIAL:
        return ["a"]
    if said.get("left") in ("1", "2", "3") and said.get("try") in PROVEN_OR_TRIAL:
        return [said["try"], said["slot"]]
    return [said["slot"]]


def extract(disk, start, length, to):
    """The bytes of a partition, without its holes."""
    with open(disk, "rb") as source, open(to, "wb") as target:
        os.ftruncate(target.fileno(), length)
        at = start
        while at < start + length:
            try:
                at = os.lseek(source.fileno(), at, os.SEEK_DATA)
            except OSError:  # nothing but a hole
                break
            end = min(os.lseek(source.fileno(), at, os.SEEK_HOLE), start + length)
            while at < end:
                block = os.pread(source.fileno(), min(end - at, 1 << 20), at)
                os.pwrite(target.fileno(), block, at - start)
                at += len(block)


def messages_on(data, work):
    """Names of the messages in mailboxes and in Postfix' queues."""
    shutil.rmtree(work, ignore_errors=True)
    os.makedirs(work)
    for tree in ("/vmail", "/spool/postfix"):
        subprocess.run(["debugfs", "-R", f"rdump {tree} {work}", data], capture_output=True, check=True)
    names = set()
    for path, _, files in os.walk(work):
        in_mailbox = os.path.basename(path) in ("new", "cur")
        in_queue = re.search(r"/postfix/(incoming|active|deferred|maildrop)(/|$)", path)
        for name in files if in_mailbox or in_queue else []:
            file = os.path.join(path, name)
            # Postfix takes a file of its queue for whole when its owner may execute it.
            if in_mailbox or os.stat(file).st_mode & 0o100:
                names.update(re.findall(rb"Message-ID: <([0-9a-f-]{36})@", open(file, "rb").read()))
    return {name.decode() for name in names}


def look(disk, wanted):
    """What does not hold, and how many messages were found."""
    table = table_of(disk)
    if table is None or "mailstead-root-b" not in table:
        return ["table"], 0
    wrong = []
    if not all(whole(disk, table, slot) for slot in slots_that_start(disk, table)):
        wrong.append("slot")
    found = set()
    if DATA in table:
        data = os.path.join(folder, "data.img")
        extract(disk, *table[DATA], data)
        # As the start does it, and then a look at all of it.
        subprocess.run(["e2fsck", "-y", data], capture_output=True)
        said = subprocess.run(["e2fsck", "-fy", data], capture_output=True, text=True).stdout
        # A problem in a line or more, and what is done about it, "Fix? yes".
        problems = [text for text in re.findall(r"^(.+?)\s\w+\? yes$", said, re.MULTILINE | re.DOTALL) if not re.search(HARMLESS, text)]
        if problems:
            wrong.append("data: " + problems[0].splitlines()[-1])
        found = messages_on(data, os.path.join(folder, "files"))
    if not wanted <= found:
        wrong.append("found")
    return wrong, len(wanted & found)


images = {image: table_of(image) for image in (before, following)}
log = Log(recorded + ".log")
phases = [(int(line.split(" ", 1)[0]), line.split(" ", 1)[1]) for line in open(marks).read().splitlines()]
answered = [(name, int(size)) for name, size in (line.split() for line in open(acknowledged))]
ends = [start for start, _ in phases[1:]] + [log.entries[-1][4]]
points = []
for (start, phase), end in zip(phases, ends):
    inside = [i for i, entry in enumerate(log.entries) if start < entry[4] <= end]
    points += [(i, phase) for i in sorted(generator.sample(inside, min(int(cuts), len(inside))))]
points.sort()

os.makedirs(folder, exist_ok=True)
now = os.path.join(folder, "now.img")
cut = os.path.join(folder, "cut.img")
copy(before, now)
os.truncate(now, os.path.getsize(recorded))
rows = {}
applied = 0
with open(now, "r+b", buffering=0) as disk:
    for point, phase in points:
        flushed = max((i + 1 for i in range(applied, point + 1) if log.entries[i][3]), default=applied)
        for entry in log.entries[applied:flushed]:
            log.write(disk, entry)
        applied = flushed
        copy(now, cut)
        with open(cut, "r+b", buffering=0) as torn_disk:
            torn(log, torn_disk, log.entries[flushed:point + 1])
        wanted = {name for name, size in answered if size <= log.entries[point][4]}
        kept = os.path.join(folder, phase.replace(" ", "-"))
        # As the power cut has left it, for a machine that starts from it.
        copy(cut, kept + ".next")
        wrong, found = look(cut, wanted)
        row = rows.setdefault(phase, {"cuts": 0, "volatile": 0, "table": 0, "slot": 0, "data": 0, "acknowledged": 0, "found": 0})
        row["cuts"] += 1
        row["volatile"] += point + 1 - flushed
        row["acknowledged"] += len(wanted)
        row["found"] += found
        for what in wrong:
            if what != "found":
                row[what.split(":")[0]] += 1
        if wrong:
            print(f"cut after write {point} ({phase}): {', '.join(wrong)}; {found} of {len(wanted)} messages", flush=True)
            os.rename(kept + ".next", f"{kept}-{point}.failed.img")
        else:
            os.rename(kept + ".next", kept + ".img")
            with open(kept + ".acknowledged", "w") as file:
                file.writelines(name + "\n" for name in sorted(wanted))

print(f"{'phase':<16} {'cuts':>5} {'in cache':>9} {'table':>6} {'slot':>6} {'data':>6} {'acknowledged':>13} {'found':>8} {'lost':>6}")
failed = False
for phase, row in rows.items():
    lost = row["acknowledged"] - row["found"]
    failed = failed or lost or row["table"] or row["slot"] or row["data"]
    print(f"{phase:<16} {row['cuts']:>5} {row['volatile'] / row['cuts']:>9.1f} {row['table']:>6} {row['slot']:>6} {row['data']:>6} "
          f"{row['acknowledged']:>13} {row['found']:>8} {lost:>6}")
os.remove(now)
os.remove(cut)
os.remove(os.path.join(folder, "data.img"))
shutil.rmtree(os.path.join(folder, "files"), ignore_errors=True)
sys.exit(1 if failed or not rows else 0)
