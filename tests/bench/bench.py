#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Measures builds side by side with the floor and with other builders, in one run: a table, and beside it JSON and SVG.

The floor is what no builder can avoid: decompressing every package of the lock (on all processors) and one squashfs run
over the tree of /usr with the same settings. SPEC must have its keys, and the store its packages (`mailstead build`).
Prints the aims beside what was measured; the exit status is 1 if one is missed. On a machine that does other things as well,
the ratios say more than the seconds.
"""
import argparse
import contextlib
import json
import os
import pathlib
import shutil
import subprocess
import sys

import measure
import peers
import plot
import sites

ACCOUNTS, DOMAINS, FLEET = (1, 100, 5_000, 10_000), (1, 100, 500, 1_000), 50
COLD, WARM, CHANGED, FURTHER = "cold build", "warm build", "one account changed", "a further site on a known base"
FLOOR, DECOMPRESS, SQUASH = "floor", "floor: decompress all packages", "floor: one squashfs run"
MMDEBSTRAP, MKOSI = "mmdebstrap + mksquashfs", "mkosi, disk image"
SITES = f"{FLEET} sites on one base, together"


def accounts_row(count):
    return f"accounts: {count:,}, in 1 domain"


def domains_row(count):
    return f"domains: {count:,}, with 100 accounts"


def cache_folder():
    home = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache")
    return pathlib.Path(os.environ.get("MAILSTEAD_CACHE") or home / "mailstead")


@contextlib.contextmanager
def fresh_disk(work):
    """A folder for all that is made, and what is to be said of it: as root a new ext4 in a file, mounted. Elsewhere it counts
    what was there before: ext4 without a journal searches long for inodes while many have been deleted in the last minutes,
    as every build does with its scratch files. Without barriers, by which each fsync(2) would write out all that the file has,
    other programs' data included, where a disk only flushes its cache."""
    work.mkdir(parents=True, exist_ok=True)
    if os.geteuid() != 0:
        kind = subprocess.run(["stat", "-f", "-c", "%T", work], stdout=subprocess.PIPE, text=True, check=True).stdout.strip()
        yield work, f"on the file system of the work folder ({kind}); as root it would be one of its own"
        return
    disk, folder = work / "disk.ext4", work / "disk"
    folder.mkdir(exist_ok=True)
    disk.unlink(missing_ok=True)
    with open(disk, "wb") as file:
        file.truncate(32 << 30)
    try:
        subprocess.run(["mkfs.ext4", "-q", disk], check=True)
        subprocess.run(["mount", "-o", "loop,barrier=0", disk, folder], check=True)
        try:
            yield folder, "on a new ext4 of its own"
        finally:
            subprocess.run(["umount", folder], check=True)
            folder.rmdir()
    finally:
        disk.unlink()


class Bench:
    def __init__(self, arguments, work):
        self.mailstead, self.spec = arguments.mailstead.absolute(), arguments.spec.absolute()
        self.work, self.out, self.runs = work, arguments.work.absolute(), arguments.runs
        self.lock = self.spec.parent / "mailstead.lock"
        self.packages = peers.Packages(self.lock, cache_folder() / "store")
        self.table = measure.Table()
        self.image = self.work / "bench.img"

    def empty_cache(self, name):
        return sites.empty_cache(cache_folder(), self.work / name)

    def build(self, spec, env, watch=0.0, image=None):
        return measure.run([self.mailstead, "--progress", "none", "build", spec, "-o", image or self.image, "--offline"],
                           env=env, watch=watch)

    def measure_builds(self):
        """All that is about one site, in turn with the floor."""
        self.build(self.spec, self.empty_cache("cold-first"))
        [usr] = (self.work / "cold-first").glob("bases/*/usr.img")
        tree = self.work / "tree"
        shutil.rmtree(tree, ignore_errors=True)
        subprocess.run(["unsquashfs", "-q", "-n", "-d", tree, usr], check=True, stdout=subprocess.DEVNULL)
        further = sites.make(self.mailstead, self.lock, self.work / "further", 4, 1)
        add = self.table.add
        for run in range(self.runs):
            unpacked = peers.decompress(self.packages)
            squashed = peers.squash(tree, self.work / "floor.squashfs")
            add(DECOMPRESS, unpacked)
            add(SQUASH, squashed)
            add(FLOOR, unpacked + squashed)
            env = self.empty_cache(f"cold-{run}")
            add(COLD, self.build(self.spec, env))
            add(WARM, self.build(self.spec, env))
            add(CHANGED, self.build(sites.with_account(self.spec, self.work / "changed", f"run{run}"), env))
            add(FURTHER, self.build(further, env))
        # Memory is looked at in runs of its own, as that slows them down.
        self.table.watched(DECOMPRESS, peers.decompress(self.packages, 0.02))
        self.table.watched(SQUASH, peers.squash(tree, self.work / "floor.squashfs", 0.02))
        env = self.empty_cache("cold-memory")
        for name, spec in ((COLD, self.spec), (WARM, self.spec), (CHANGED, self.work / "changed" / self.spec.name),
                           (FURTHER, further)):
            self.table.watched(name, self.build(spec, env, 0.02))
        for folder in self.work.glob("cold-*"):
            if folder.name != "cold-memory":
                shutil.rmtree(folder)
        return env

    def measure_sizes(self, env):
        """How cost grows. Every site is built on the base that is there."""
        specs = {}
        for count in ACCOUNTS:
            specs[accounts_row(count)] = sites.make(self.mailstead, self.lock, self.work / f"accounts-{count}", count, 1)
        for count in DOMAINS:
            specs[domains_row(count)] = sites.make(self.mailstead, self.lock, self.work / f"domains-{count}", 100, count)
        for _ in range(self.runs):
            for name, spec in specs.items():
                self.table.add(name, self.build(spec, env))
        for name, spec in specs.items():
            self.table.watched(name, self.build(spec, env, 0.02))

    def measure_fleet(self, env):
        """Many sites, each with an image of its own, which is removed as soon as it is there."""
        together = measure.Cost(0, 0)
        for number in range(FLEET):
            spec = sites.make(self.mailstead, self.lock, self.work / "fleet", 4, 1, f"mail{number}.example.org")
            image = self.work / f"fleet-{number}.img"
            together += self.build(spec, env, image=image)
            image.unlink()
        self.table.add(SITES, together)

    def measure_peers(self):
        """Yields what is to be said of each: its version, or why it was not run."""
        archive = None
        for name, program, build in ((MMDEBSTRAP, "mmdebstrap", peers.mmdebstrap), (MKOSI, "mkosi", peers.mkosi)):
            if why_not := peers.why_not(program):
                yield f"{name}: not run: {why_not}"
                continue
            archive = archive or peers.make_archive(self.packages, self.work / "archive")
            try:
                self.table.add(name, build(self.packages, archive, self.work))
                yield f"{name}: {peers.version(program)}"
            except subprocess.CalledProcessError as error:
                log = shutil.copy(self.work / f"{program}.log", self.out)
                yield f"{name}: not run: exit status {error.returncode}, see {log}"

    def aims(self):
        """(what, measured, aim, whether more is better)"""
        table, rows = self.table, self.table.rows
        yield "cold build / floor", table.ratio(COLD, FLOOR), 1.3, False
        if MMDEBSTRAP in rows:
            yield f"{MMDEBSTRAP} / cold build", table.ratio(MMDEBSTRAP, COLD), 7, True
        yield f"{CHANGED}, s", table.median(CHANGED), 0.5, False
        yield f"{FURTHER}, s", table.median(FURTHER), 0.5, False
        yield f"{accounts_row(ACCOUNTS[-1])}, s", table.median(accounts_row(ACCOUNTS[-1])), 2, False
        for row, counts, what in ((accounts_row, ACCOUNTS, "accounts"), (domains_row, DOMAINS, "domains")):
            # For twice as many, a linear cost above that of one is twice as high, a quadratic one four times as high.
            one, half, whole = (table.median(row(counts[i]), "cpu") for i in (0, 2, 3))
            growth = (whole - one) / (half - one) if half > one else float("inf")  # noise is no proof
            yield f"what {counts[3]:,} {what} cost / {counts[2]:,}", growth, 3, False
        yield "peak memory, MB", max(peak for name, peak in table.peaks.items() if is_ours(name)), 300, False
        yield "image without holes, MB", self.image.stat().st_blocks * 512 / 1e6, 250, False


def is_ours(name):
    return name not in (FLOOR, DECOMPRESS, SQUASH, MMDEBSTRAP, MKOSI)


def boot_times(mailstead, image, spec, passwords, work):
    """Boots the image and passes mail through it: seconds from power-on to a banner, by protocol."""
    ran = subprocess.run([mailstead, "--progress", "none", "test", image, "mail/10-inbound", "--json", "--spec", spec,
                          "--passwords", passwords, "--logs", work / "logs"], check=True, stdout=subprocess.PIPE)
    for times in json.loads(ran.stdout)["boots"]:
        yield "power-on to SMTP banner, s", times["to_smtp_milliseconds"] / 1000, 75, False
        yield "power-on to IMAPS greeting, s", times["to_imaps_milliseconds"] / 1000, 75, False


def measure_all(bench, arguments, where):
    """Measures, prints, and writes bench.json and bench.svg. Returns the names of the aims that were missed."""
    env = bench.measure_builds()
    bench.measure_sizes(env)
    bench.measure_fleet(env)
    notes = [where]
    notes += ["peers: not run: --no-peers"] if arguments.no_peers else bench.measure_peers()
    bench.build(bench.spec, env)
    aims = list(bench.aims())
    if arguments.boot:
        aims += boot_times(bench.mailstead, bench.image, bench.spec, arguments.boot, bench.work)

    table = bench.table
    print(table.text(), *notes, "", sep="\n")
    missed = []
    for what, value, aim, more in aims:
        reached = value >= aim if more else value <= aim
        print(f"{what:56}{value:9.2f}   aim: {'≥' if more else '≤'} {aim:g}{'' if reached else '   MISSED'}")
        missed += [] if reached else [what]
    (bench.out / "bench.json").write_text(json.dumps(
        {"processors": os.cpu_count(), "rows": table.json(), "notes": notes,
         "aims": {what: {"value": value, "aim": aim, "more": more} for what, value, aim, more in aims}}, indent=1) + "\n")
    bars = [name for name in (FLOOR, COLD, WARM, CHANGED, FURTHER, SITES, MMDEBSTRAP, MKOSI) if name in table.rows]
    (bench.out / "bench.svg").write_text(plot.svg(
        [(name, table.median(name), is_ours(name)) for name in bars],
        {"accounts": [(n, table.median(accounts_row(n))) for n in ACCOUNTS],
         "domains": [(n, table.median(domains_row(n))) for n in DOMAINS]}))
    for folder in ("cold-memory", "tree", "archive", "fleet"):
        shutil.rmtree(bench.work / folder, ignore_errors=True)
    return missed


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("mailstead", type=pathlib.Path, help="the program")
    parser.add_argument("spec", type=pathlib.Path, help="of a site with keys and lock")
    parser.add_argument("work", type=pathlib.Path,
                        help="a folder for what is made; bench.json and bench.svg stay there. As root, all else is on a new file "
                             "system of 32 GB (sparse) in it")
    parser.add_argument("--runs", type=int, default=5, help="how often each build runs (5)")
    parser.add_argument("--no-peers", action="store_true", help="leave out mmdebstrap and mkosi, some minutes")
    parser.add_argument("--boot", type=pathlib.Path, metavar="PASSWORDS", help="also boot the image, with this passwords file")
    arguments = parser.parse_args()
    with fresh_disk(arguments.work.absolute()) as (work, where):
        missed = measure_all(Bench(arguments, work), arguments, where)
    if missed:
        sys.exit("missed: " + "; ".join(missed))


if __name__ == "__main__":
    main()
