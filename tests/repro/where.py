#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Says where two disk images differ: which partition, which offsets, which files.

usage: where.py IMAGE IMAGE

Exit code: 0 if they are the same, 1 if they differ. Reads them with programs that are not ours: sfdisk, unsquashfs,
mtools.
"""
import collections
import filecmp
import json
import os
import pathlib
import struct
import subprocess
import sys
import tempfile

SECTOR = 512
CHUNK = 1 << 20
ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"
MOST_FILES = 20  # that are told of one partition

Area = collections.namedtuple("Area", "name start end")  # bytes, the end is the first one after it
Difference = collections.namedtuple("Difference", "first count")  # offset in the image, bytes


def output_of(argv, **variables):
    """What a program prints. An ordinary user's PATH lacks sfdisk; listings have times."""
    path = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"
    environment = dict(os.environ, PATH=path, TZ="UTC", LC_ALL="C.UTF-8", **variables)
    return subprocess.run(argv, capture_output=True, text=True, errors="replace", check=True, env=environment).stdout


def partitions(image):
    """The areas of its partitions, by sfdisk(8)."""
    said = output_of(["sfdisk", "--json", image])
    return [Area(p.get("name", p["node"]), p["start"] * SECTOR, (p["start"] + p["size"]) * SECTOR)
            for p in json.loads(said)["partitiontable"]["partitions"]]


def areas(image):
    """All of the image: partitions and what is between them (GPT: UEFI specification, 5.3.1)."""
    size = os.path.getsize(image)
    parts = sorted(partitions(image), key=lambda area: area.start)
    found = [Area("boot code of the MBR", 0, 440), Area("table of the MBR", 440, 512),
             Area("partition table", 512, 34 * SECTOR)]
    for part in parts + [Area("", size - 33 * SECTOR, size)]:
        if found[-1].end < part.start:
            found.append(Area("outside of partitions", found[-1].end, part.start))
        found.append(part if part.name else Area("second partition table", part.start, part.end))
    return found


def next_data(file, offset):
    """Where the file goes on behind a hole, if it has one at `offset` (lseek(2))."""
    try:
        return os.lseek(file.fileno(), offset, os.SEEK_DATA)
    except OSError:  # ENXIO: only a hole is left, or nothing
        return sys.maxsize


def compare(one, other, area):
    """The differences of two open files in an area; None if there are none. What only one of them has counts."""
    first, count, at = None, 0, area.start - CHUNK
    while True:
        at = max(at + CHUNK, min(next_data(one, at + CHUNK), next_data(other, at + CHUNK)))
        if at >= area.end:
            break
        size = min(CHUNK, area.end - at)
        a, b = os.pread(one.fileno(), size, at), os.pread(other.fileno(), size, at)
        if a == b:
            continue
        length = max(len(a), len(b))
        mixed = int.from_bytes(a, "big") << 8 * (length - len(a)) ^ int.from_bytes(b, "big") << 8 * (length - len(b))
        changed = mixed.to_bytes(length, "big")
        if first is None:
            first = at + length - len(changed.lstrip(b"\0"))
        count += length - changed.count(0)
    return None if first is None else Difference(first, count)


def differ(found):
    return "1 byte differs" if found.count == 1 else f"{found.count} bytes differ"


def read_start(path):
    with open(path, "rb") as file:
        return file.read(SECTOR)


def copy_area(image, area, path):
    """Holes stay holes."""
    with open(image, "rb") as source, open(path, "wb") as target:
        for at in range(area.start, area.end, CHUNK):
            data = os.pread(source.fileno(), min(CHUNK, area.end - at), at)
            if data.strip(b"\0"):
                os.pwrite(target.fileno(), data, at - area.start)
        target.truncate(area.end - area.start)


def compare_listings(one, other):
    """Of lines by path: what is in one only, and whose lines differ."""
    for path in sorted(one.keys() | other.keys()):
        if path not in other:
            yield path, "only in the first"
        elif path not in one:
            yield path, "only in the second"
        elif one[path] != other[path]:
            yield path, f"{one[path]} and {other[path]}"


def compare_trees(one, other):
    """Files below two folders whose content differs, with the offset of the first differing byte."""
    for path in sorted(p for p in one.rglob("*") if p.is_file() and not p.is_symlink()):
        twin = other / path.relative_to(one)
        if twin.is_symlink() or not twin.is_file() or filecmp.cmp(path, twin, shallow=False):
            continue
        with open(path, "rb") as a, open(twin, "rb") as b:
            end = max(path.stat().st_size, twin.stat().st_size)
            found = compare(a, b, Area("", 0, end))
        yield str(path.relative_to(one)), f"content, from offset {found.first}"


def tell(findings, otherwise):
    """The lines for these paths; `otherwise` if there are none."""
    told = {}
    for path, text in findings:
        told.setdefault(path, []).append(text)
    lines = [f"{path}: {'; '.join(texts)}" for path, texts in told.items()]
    if not lines:
        return [otherwise]
    more = [f"… and {len(lines) - MOST_FILES} more"] if len(lines) > MOST_FILES else []
    return lines[:MOST_FILES] + more


def unsquash(part, folder):
    """Listing by path (mode, owner, size, time, target) and files. Raises CalledProcessError where it is damaged."""
    listing = {}
    for line in output_of(["unsquashfs", "-lln", part]).splitlines():
        # mode, owner, size (two fields for a device), date, time, path
        head, found, path = line.partition(" squashfs-root")
        if found:
            listing[path.partition(" -> ")[0] or "/"] = " ".join((head + path.partition(" -> ")[2]).split())
    try:
        output_of(["unsquashfs", "-quiet", "-no-progress", "-no-xattrs", "-dest", folder, part])
    except subprocess.CalledProcessError as error:
        # 2: owners and devices, which only root may make. The listing has them.
        if error.returncode != 2:
            raise
    return listing


def explain_squashfs(parts, folder):
    one, other = (unsquash(part, folder / f"tree{i}") for i, part in enumerate(parts))
    findings = list(compare_listings(one, other)) + list(compare_trees(folder / "tree0", folder / "tree1"))
    return tell(findings, "the same files with the same owners, modes and times, written in another way")


def unpack_initrd(path):
    """Unpacks a compressed cpio archive beside itself and returns its listing by path; nothing if it is none."""
    if read_start(path)[:4] != ZSTD_MAGIC:
        return {}
    folder = path.with_name(path.name + " unpacked")
    folder.mkdir()
    archive = path.with_name(path.name + " archive")
    output_of(["zstd", "-q", "-d", path, "-o", archive])
    # An initrd of ours has no devices, which only root could make.
    output_of(["sh", "-c", 'cpio -idm --quiet --no-absolute-filenames --directory "$1" <"$0"', archive, folder])
    listing = {}
    for line in output_of(["sh", "-c", 'cpio -itv --quiet --numeric-uid-gid <"$0"', archive]).splitlines():
        # mode, links, owner, group, size, month, day, year or time, path
        words = line.split(maxsplit=8)
        listing[f"{path.name} unpacked/{words[8].partition(' -> ')[0]}"] = " ".join(words[:8])
    archive.unlink()
    return listing


def explain_fat(parts, folder):
    trees = []
    for i, part in enumerate(parts):
        tree = folder / f"tree{i}"
        tree.mkdir()
        output_of(["mcopy", "-n", "-s", "-m", "-i", part, "::/*", tree], MTOOLS_SKIP_CHECK="1")  # -m keeps the times
        trees.append(tree)
    listings = [{str(p.relative_to(tree)): f"{p.stat().st_size} bytes, time {int(p.stat().st_mtime)}"
                 for p in tree.rglob("*") if p.is_file()} for tree in trees]
    # Not filecmp.dircmp, to which files with one size and time are the same: those of two builds have one time.
    if any(compare_trees(*trees)):
        for tree, listing in zip(trees, listings):
            for path in [p for p in tree.iterdir() if p.is_file()]:
                listing.update(unpack_initrd(path))
    findings = list(compare_listings(*listings)) + list(compare_trees(*trees))
    return tell(findings, "the same files with the same times: the tables of the file system differ")


def squashfs_areas(part):
    """File system and hash tree of a partition (squashfs says its size; dm-verity's superblock has a block)."""
    with open(part, "rb") as file:
        used = struct.unpack_from("<Q", file.read(96), 40)[0]
    tree = (used + 4095) // 4096 * 4096
    return [Area("file system", 0, used), Area("padding of the file system", used, tree),
            Area("superblock of the hash tree", tree, tree + 4096),
            Area("hash tree", tree + 4096, os.path.getsize(part))]


def explain_partition(one, other, area):
    """Lines about a partition that differs."""
    with tempfile.TemporaryDirectory(prefix="mailstead-where.") as name:
        folder = pathlib.Path(name)
        parts = [folder / "one", folder / "other"]
        for image, part in zip((one, other), parts):
            copy_area(image, area, part)
        starts = [read_start(part) for part in parts]
        lines = []
        try:
            if all(start.startswith(b"hsqs") for start in starts):
                with open(parts[0], "rb") as a, open(parts[1], "rb") as b:
                    changed = [(inner, found) for inner in squashfs_areas(parts[0]) if (found := compare(a, b, inner))]
                for inner, found in changed:
                    lines.append(f"{inner.name}: {differ(found)}, the first at {found.first} of the partition")
                if any(inner.name == "file system" for inner, _ in changed):
                    lines += explain_squashfs(parts, folder)
            elif all(start[510:] == b"\x55\xaa" and b"FAT" in start for start in starts):
                lines += explain_fat(parts, folder)
        except subprocess.CalledProcessError as error:
            said = (error.stderr or error.stdout or "").strip().splitlines()
            lines.append(f"its files cannot be read: {said[-1] if said else error}")
        return lines


def explain(one, other):
    """Lines that say where the images `one` and `other` (paths) differ; none if they do not."""
    lines = []
    sizes = [os.path.getsize(image) for image in (one, other)]
    if sizes[0] != sizes[1]:
        lines.append(f"sizes: {sizes[0]} and {sizes[1]} bytes")
    try:
        layouts = [areas(image) for image in (one, other)]
    except subprocess.CalledProcessError as error:
        return lines + [f"no partition table can be read: {error.stderr.strip()}"]
    if layouts[0] != layouts[1]:
        return lines + ["the partitions have other places or names:"] + [
            f"  {a.name} from {a.start} to {a.end}, and {b.name} from {b.start} to {b.end}"
            for a, b in zip(*layouts) if a != b]
    parts = partitions(one)
    with open(one, "rb") as a, open(other, "rb") as b:
        for area in layouts[0]:
            found = compare(a, b, area)
            if found is None:
                continue
            lines.append(f"{area.name}: {differ(found)}, the first at {found.first} of the image, "
                         f"{found.first - area.start} of this part")
            if area in parts:
                lines += ["  " + line for line in explain_partition(one, other, area)]
    return lines


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    lines = explain(sys.argv[1], sys.argv[2])
    print("\n".join(lines) if lines else "the same")
    sys.exit(1 if lines else 0)


if __name__ == "__main__":
    main()
