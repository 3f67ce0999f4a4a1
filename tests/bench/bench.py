#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Measures builds of a site, side by side with the floor, in one run, and prints ratios.

usage: bench.py MAILSTEAD SPEC WORK [RUNS]

The floor is what no builder can avoid: decompressing every package of the lock (on all processors) and one squashfs run
over the same tree with the same settings. SPEC must have its keys; the store must hold its packages (`mailstead build`).
"""
import json
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import time

AIMS = {"cold build / floor": 1.5, "rebuild after one account (s)": 1.5, "peak memory (MB)": 400}


def timed(argv, **kwargs):
    """Wall seconds and the peak resident size (MB) of one process tree's largest member."""
    start = time.monotonic()
    pid = os.posix_spawnp(argv[0], argv, kwargs.get("env", os.environ),
                          file_actions=[(os.POSIX_SPAWN_OPEN, 1, kwargs.get("out", "/dev/null"),
                                         os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)])
    _, status, usage = os.wait4(pid, 0)
    if status != 0:
        sys.exit(f"failed: {argv}")
    return time.monotonic() - start, usage.ru_maxrss / 1024


def floor(debs, tree, level, work):
    """Decompresses all packages, two at a time as there are processors, then squashes the tree once."""
    names = "\n".join(map(str, debs))
    start = time.monotonic()
    subprocess.run(["xargs", "-P", str(os.cpu_count()), "-n", "8", "sh", "-c",
                    'for d; do dpkg-deb --fsys-tarfile "$d" >/dev/null; done', "sh"],
                   input=names, text=True, check=True)
    unpacked = time.monotonic() - start
    image = work / "floor.squashfs"
    image.unlink(missing_ok=True)
    start = time.monotonic()
    subprocess.run(["mksquashfs", str(tree), str(image), "-comp", "zstd", "-Xcompression-level", str(level),
                    "-no-progress", "-quiet"], check=True, stdout=subprocess.DEVNULL)
    return unpacked, time.monotonic() - start


def main():
    mailstead, spec, work = (pathlib.Path(p).absolute() for p in sys.argv[1:4])
    runs = int(sys.argv[4]) if len(sys.argv) > 4 else 3
    work.mkdir(parents=True, exist_ok=True)
    cache = pathlib.Path(os.environ.get("MAILSTEAD_CACHE") or
                         pathlib.Path(os.environ.get("XDG_CACHE_HOME", pathlib.Path.home() / ".cache")) / "mailstead")
    lock = (spec.parent / "mailstead.lock").read_text()
    debs = sorted(p for p in (cache / "store").rglob("*") if p.is_file() and p.name in lock)
    image = work / "bench.img"

    # The tree that the floor squashes: the image's own /usr, read back by unsquashfs.
    subprocess.run([mailstead, "--progress", "none", "build", spec, "-o", image, "--offline"], check=True,
                   stdout=subprocess.DEVNULL)
    usr = max(cache.glob("bases/*/usr.img"), key=lambda p: p.stat().st_mtime)
    tree = work / "tree"
    shutil.rmtree(tree, ignore_errors=True)
    subprocess.run(["unsquashfs", "-q", "-n", "-d", tree, usr], check=True, stdout=subprocess.DEVNULL)

    rows = {name: [] for name in ("floor: decompress", "floor: squashfs", "floor", "cold build", "cold build / floor",
                                  "warm rebuild", "rebuild after one account (s)", "peak memory (MB)")}
    for run in range(runs):
        unpack, squash = floor(debs, tree, 9, work)
        cold = work / "cold"
        shutil.rmtree(cold, ignore_errors=True)
        cold.mkdir()
        (cold / "store").symlink_to(cache / "store")
        env = dict(os.environ, MAILSTEAD_CACHE=str(cold))
        build = [str(mailstead), "--progress", "none", "build", str(spec), "-o", str(image), "--offline"]
        seconds, memory = timed(build, env=env)
        warm, _ = timed(build, env=env)
        changed = work / "changed"
        shutil.rmtree(changed, ignore_errors=True)
        shutil.copytree(spec.parent, changed, ignore=shutil.ignore_patterns("*.img", "*.test", "cold", "other", "wrong"))
        text = (changed / spec.name).read_text()
        host = text.split("hostname:")[1].split()[0].split(".", 1)[1]
        hash_line = next(line.strip() for line in text.splitlines() if "password_hash:" in line)
        (changed / spec.name).write_text(
            text.replace("accounts:\n", f"accounts:\n  run{run}@{host}:\n    {hash_line}\n", 1))
        account, _ = timed(build[:4] + [str(changed / spec.name)] + build[5:], env=env)
        for name, value in (("floor: decompress", unpack), ("floor: squashfs", squash), ("floor", unpack + squash),
                            ("cold build", seconds), ("cold build / floor", seconds / (unpack + squash)),
                            ("warm rebuild", warm), ("rebuild after one account (s)", account),
                            ("peak memory (MB)", memory)):
            rows[name].append(value)
        shutil.rmtree(cold)
    print(f"{'':34}{'min':>9}{'median':>9}{'max':>9}{'aim':>9}")
    missed = []
    for name, values in rows.items():
        aim = AIMS.get(name)
        middle = statistics.median(values)
        print(f"{name:34}{min(values):9.2f}{middle:9.2f}{max(values):9.2f}{aim if aim else '':>9}")
        if aim and middle > aim:
            missed.append(name)
    print(json.dumps({name: statistics.median(values) for name, values in rows.items()}), file=sys.stderr)
    if missed:
        sys.exit("above the aim: " + ", ".join(missed))


if __name__ == "__main__":
    main()
