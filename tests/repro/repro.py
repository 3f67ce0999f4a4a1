#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Builds one spec and lock again and again, each time under other circumstances, and compares the images.

A row a build: what varied, how long it took, whether the bytes are the same. When two images differ, it says where:
partition, offset, files (where.py). Exit code: 0 if every image is the same, 1 if not, or if something could not be
tried.
"""
import argparse
import pathlib
import sys

import builds
import other_debian
import variations
import where


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program", help="mailstead")
    parser.add_argument("spec", help="has its lock and secrets/ beside it and needs no other file; was built once, so "
                        "that its packages are in the cache")
    parser.add_argument("work", help="folder that may grow by 3 GB; other users must be able to enter it")
    parser.add_argument("--short", action="store_true", help="the most telling variations, several in one build; one by one where "
                        "that differs")
    parser.add_argument("--only", metavar="NAME", action="append", help="only these rows (repeatable)")
    parser.add_argument("--against", metavar="IMAGE", help="an image of the spec, instead of a first build")
    parser.add_argument("--tree", metavar="FOLDER", help="the other Debian release, made there if it is missing")
    parser.add_argument("--allow-missing", action="store_true", help="what cannot be tried here does not count")
    return parser.parse_args()


class Table:
    """Prints a row as soon as it is known."""

    def __init__(self, names):
        self.width = max(map(len, names))
        self.row("build", "time", "bytes", "digest", "what varied")

    def row(self, name, seconds, verdict, digest, what):
        seconds = f"{seconds:.1f} s" if isinstance(seconds, float) else seconds
        print(f"{name:{self.width}}  {seconds:>7}  {verdict:10}  {digest:12}  {what}", flush=True)

    def notes(self, lines):
        for line in lines:
            print(f"{'':{self.width}}    {line}", flush=True)


def choose(options):
    """The variations to try. The first build is what the others are compared with, unless there is an image."""
    chosen = variations.SHORT if options.short else variations.FULL
    if options.only:
        if unknown := set(options.only) - {v.name for v in chosen}:
            sys.exit(f"no such row: {', '.join(sorted(unknown))}; there are: {', '.join(v.name for v in chosen)}")
        chosen = [v for v in chosen if v.name in options.only or v is variations.FIRST]
    return chosen


class Comparison:
    """Tries variations, a row each, against the image that all have to be."""

    def __init__(self, bench, table, image):
        self.bench = bench
        self.table = table
        self.image = image  # the first build's, if there is none yet
        self.digest = image and builds.digest_of(image)
        self.verdicts = {}  # by the name of the row

    def try_row(self, variation):
        """Builds it unless that has been done, and prints its row."""
        if variation.name not in self.verdicts:
            self.verdicts[variation.name] = self.build(variation)
        return self.verdicts[variation.name]

    def build(self, variation):
        try:
            build = builds.Build(self.bench, variation.name, variation.settings)
            result = build.run()
        except builds.Missing as error:
            self.table.row(variation.name, "", "NOT TRIED", "", f"{variation.what}: {error}")
            return "NOT TRIED"
        except builds.Failed as error:
            self.table.row(variation.name, "", "FAILED", "", variation.what)
            self.table.notes(str(error).splitlines())
            return "FAILED"
        if self.image is None:
            self.digest, self.image = result.digest, result.image
        verdict = "same" if result.digest == self.digest else "DIFFERS"
        self.table.row(variation.name, result.seconds, verdict, result.digest[:12], variation.what)
        if verdict == "same":
            build.clean()
            return verdict
        self.table.notes(where.explain(self.image, result.image) + [f"kept: {result.image}"])
        if variation.parts:
            self.try_parts(variation)
        return verdict

    def try_parts(self, variation):
        """Which of the variations that a row joins make the difference."""
        verdicts = {part.name: self.try_row(part) for part in variation.parts}
        different = [name for name, verdict in verdicts.items() if verdict == "DIFFERS"]
        unknown = [name for name, verdict in verdicts.items() if verdict in ("FAILED", "NOT TRIED")]
        said = [f"what differs of '{variation.name}' alone: {', '.join(different) or 'nothing'}"]
        if unknown:
            said.append(f"not known of: {', '.join(unknown)}")
        self.table.notes(said)

    def count(self, *verdicts):
        return sum(verdict in verdicts for verdict in self.verdicts.values())


def main():
    options = arguments()
    source = pathlib.Path(__file__).resolve().parent.parent.parent
    chosen = choose(options)
    table = Table([v.name for row in chosen for v in (row, *row.parts)])
    tree = other_debian.Tree(options.tree, source) if options.tree and builds.is_root() else None
    bench = builds.Bench(options.program, source, options.spec, options.work, tree)
    comparison = Comparison(bench, table, options.against and pathlib.Path(options.against))
    for variation in chosen:
        comparison.try_row(variation)
    wrong, missing = comparison.count("DIFFERS", "FAILED"), comparison.count("NOT TRIED")
    print(f"{len(comparison.verdicts)} builds: {wrong} other or failed, {missing} not tried")
    sys.exit(1 if wrong or (missing and not options.allow_missing) else 0)


if __name__ == "__main__":
    main()
