#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Measures builds of a site, side by side with the floor, in one run, and prints ratios.

usage: bench.py MAILSTEAD SPEC PASSWORDS WORK [RUNS]

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

AIMS = {"cold build / floor": 1.5, "rebuild after one account (s)": 1.5, "peak memory (MB)": 400,
        "power-on to SMTP banner (s)": 75, "power-on to IMAPS greeting (s)": 75, "image without holes (MB)": 250}


def resident(root):
    """Resident megabytes of a process and all its descendants together, as of now."""
    parents, sizes = {}, {}
    for entry in pathlib.Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            parents[int(entry.name)] = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            sizes[int(entry.name)] = int((entry / "statm").read_text().split()[1])
        except OSError:
            continue  # it has ended meanwhile
    def below(pid):
        while pid and pid != root:
            pid = parents.get(pid, 0)
        return pid == root
    return sum(size for pid, size in sizes.items() if below(pid)) * os.sysconf("SC_PAGE_SIZE") / 1e6


def timed(argv, env=None):
    """Wall seconds."""
    start = time.monotonic()
    subprocess.run(argv, env=env, stdout=subprocess.DEVNULL, check=True)
    return time.monotonic() - start


def peak_memory(argv, env=None):
    """The peak memory (MB) of the program with its helpers together, looked at every 20 ms, which slows it down."""
    process = subprocess.Popen(argv, env=env, stdout=subprocess.DEVNULL)
    peak = 0.0
    while process.poll() is None:
        peak = max(peak, resident(process.pid))
        time.sleep(0.02)
    if process.returncode != 0:
        sys.exit(f"failed: {argv}")
    return peak


def empty_cache(cache, folder):
    """An environment in which everything but the downloaded packages has to be made. Each has a folder of its own, removed
    at the end: ext4 is slow to reuse what has just been deleted."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    (folder / "store").symlink_to(cache / "store")
    return dict(os.environ, MAILSTEAD_CACHE=str(folder))


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
    mailstead, spec, passwords, work = (pathlib.Path(p).absolute() for p in sys.argv[1:5])
    runs = int(sys.argv[5]) if len(sys.argv) > 5 else 3
    work.mkdir(parents=True, exist_ok=True)
    cache = pathlib.Path(os.environ.get("MAILSTEAD_CACHE") or
                         pathlib.Path(os.environ.get("XDG_CACHE_HOME", pathlib.Path.home() / ".cache")) / "mailstead")
    lock = (spec.parent / "mailstead.lock").read_text()
    debs = sorted(p for p in (cache / "store").rglob("*") if p.is_file() and p.name in lock)
    image = work / "bench.img"

    # The tree that the floor squashes: the image's own /usr, read back by unsquashfs. In a cache of its own there is no other.
    first = empty_cache(cache, work / "cold-first")
    subprocess.run([mailstead, "--progress", "none", "build", spec, "-o", image, "--offline"], check=True,
                   stdout=subprocess.DEVNULL, env=first)
    [usr] = (work / "cold-first").glob("bases/*/usr.img")
    tree = work / "tree"
    shutil.rmtree(tree, ignore_errors=True)
    subprocess.run(["unsquashfs", "-q", "-n", "-d", tree, usr], check=True, stdout=subprocess.DEVNULL)

    rows = {name: [] for name in ("floor: decompress", "floor: squashfs", "floor", "cold build", "cold build / floor",
                                  "warm rebuild", "rebuild after one account (s)")}
    for run in range(runs):
        unpack, squash = floor(debs, tree, 9, work)
        env = empty_cache(cache, work / f"cold-{run}")
        build = [str(mailstead), "--progress", "none", "build", str(spec), "-o", str(image), "--offline"]
        seconds = timed(build, env=env)
        warm = timed(build, env=env)
        changed = work / "changed"
        shutil.rmtree(changed, ignore_errors=True)
        shutil.copytree(spec.parent, changed, ignore=shutil.ignore_patterns("*.img", "*.test", "cold", "other", "wrong", "second", "readme"))
        text = (changed / spec.name).read_text()
        host = text.split("hostname:")[1].split()[0].split(".", 1)[1]
        hash_line = next(line.strip() for line in text.splitlines() if "password_hash:" in line)
        (changed / spec.name).write_text(
            text.replace("accounts:\n", f"accounts:\n  run{run}@{host}:\n    {hash_line}\n", 1))
        account = timed(build[:4] + [str(changed / spec.name)] + build[5:], env=env)
        for name, value in (("floor: decompress", unpack), ("floor: squashfs", squash), ("floor", unpack + squash),
                            ("cold build", seconds), ("cold build / floor", seconds / (unpack + squash)),
                            ("warm rebuild", warm), ("rebuild after one account (s)", account)):
            rows[name].append(value)
    rows["peak memory (MB)"] = [peak_memory(build, empty_cache(cache, work / "cold-memory"))]
    for cold in work.glob("cold-*"):
        shutil.rmtree(cold)
    rows["image without holes (MB)"] = [image.stat().st_blocks * 512 / 1e6]
    boot = subprocess.run([mailstead, "--progress", "none", "test", image, "mail/10-inbound", "--json", "--spec", spec,
                           "--passwords", passwords, "--logs", work / "logs"], check=True, stdout=subprocess.PIPE)
    for times in json.loads(boot.stdout)["boots"]:
        rows.setdefault("power-on to SMTP banner (s)", []).append(times["to_smtp_milliseconds"] / 1000)
        rows.setdefault("power-on to IMAPS greeting (s)", []).append(times["to_imaps_milliseconds"] / 1000)
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
