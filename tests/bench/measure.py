# SPDX-License-Identifier: GPL-3.0-or-later
"""What a program costs: wall time, processor time, memory."""
import dataclasses
import os
import pathlib
import statistics
import subprocess
import sys
import threading
import time


@dataclasses.dataclass
class Cost:
    wall: float      # seconds
    cpu: float       # seconds, user and system, of the program and of all that it has started and waited for
    peak: float = 0  # resident megabytes of all its processes together; 0: nobody looked

    def __add__(self, other):
        return Cost(self.wall + other.wall, self.cpu + other.cpu, max(self.peak, other.peak))


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


def run(argv, env=None, given="", watch=0.0, log=None):
    """Runs a program to its end: its Cost. `given` is its standard input; `log` a file for what it prints. With `watch` its
    memory is looked at, each so many seconds, which slows it down."""
    start = time.monotonic()
    with open(log or os.devnull, "wb") as out:
        process = subprocess.Popen(list(map(str, argv)), env=env, stdin=subprocess.PIPE, stdout=out,
                                   stderr=out if log else None)

    def feed():
        with process.stdin:
            process.stdin.write(given.encode())
    threading.Thread(target=feed, daemon=True).start()
    peak = 0.0
    while watch and os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
        peak = max(peak, resident(process.pid))
        time.sleep(watch)
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.monotonic() - start
    process.returncode = os.waitstatus_to_exitcode(status)  # it is gone: Popen must not look for it
    if process.returncode != 0:
        if log:
            sys.stderr.writelines(open(log, errors="replace").readlines()[-20:])
        raise subprocess.CalledProcessError(process.returncode, argv)
    return Cost(wall, usage.ru_utime + usage.ru_stime, peak)


class Table:
    """What runs have cost, a row for each name, in the order in which the names came."""

    def __init__(self):
        self.rows = {}   # name: costs of the runs that were timed
        self.peaks = {}  # name: megabytes

    def add(self, name, cost, times=1):
        """A run; with `times` one that did the same so often, of which an average counts."""
        self.rows.setdefault(name, []).append(Cost(cost.wall / times, cost.cpu / times))
        if cost.peak:
            self.watched(name, cost)
        print(f"  {name}: {cost.wall / times:.2f} s", file=sys.stderr, flush=True)

    def watched(self, name, cost):
        """A run of which only the memory counts."""
        self.peaks[name] = max(cost.peak, self.peaks.get(name, 0))

    def median(self, name, what="wall"):
        return statistics.median(getattr(cost, what) for cost in self.rows[name])

    def ratio(self, above, below, what="wall"):
        """The median of the ratios run by run: a machine that slows down does so for both. A row with fewer runs than the
        other counts with its median."""
        a, b = ([getattr(cost, what) for cost in self.rows[name]] for name in (above, below))
        if len(a) != len(b):
            return statistics.median(a) / statistics.median(b)
        return statistics.median(x / y for x, y in zip(a, b))

    def text(self):
        lines = [f"{'':44}{'runs':>5}{'wall, s: min':>14}{'median':>9}{'max':>9}{'CPU, s':>9}{'peak, MB':>10}"]
        for name, costs in self.rows.items():
            walls = [cost.wall for cost in costs]
            peak = f"{self.peaks[name]:.0f}" if name in self.peaks else ""
            lines.append(f"{name:44}{len(costs):5}{min(walls):14.2f}{statistics.median(walls):9.2f}{max(walls):9.2f}"
                         f"{self.median(name, 'cpu'):9.2f}{peak:>10}")
        return "\n".join(lines)

    def json(self):
        return {name: {"runs": [{"wall": cost.wall, "cpu": cost.cpu} for cost in costs], "peak": self.peaks.get(name)}
                for name, costs in self.rows.items()}
