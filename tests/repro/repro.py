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
    parser.add_argument("--short", action="store_true", help="the most telling variations, several in one build")
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


def main():
    options = arguments()
    source = pathlib.Path(__file__).resolve().parent.parent.parent
    chosen = choose(options)
    table = Table([v.name for v in chosen])
    tree = other_debian.Tree(options.tree, source) if options.tree and builds.is_root() else None
    bench = builds.Bench(options.program, source, options.spec, options.work, tree)
    image = options.against and pathlib.Path(options.against)
    digest = image and builds.digest_of(image)
    wrong = missing = 0
    for variation in chosen:
        try:
            build = builds.Build(bench, variation.name, variation.settings)
            result = build.run()
        except builds.Missing as error:
            missing += 1
            table.row(variation.name, "", "NOT TRIED", "", f"{variation.what}: {error}")
            continue
        except builds.Failed as error:
            wrong += 1
            table.row(variation.name, "", "FAILED", "", variation.what)
            table.notes(str(error).splitlines())
            continue
        if image is None:
            digest, image = result.digest, result.image
        same = result.digest == digest
        verdict = "same" if same else "DIFFERS"
        table.row(variation.name, result.seconds, verdict, result.digest[:12], variation.what)
        if same:
            build.clean()
        else:
            wrong += 1
            table.notes(where.explain(image, result.image) + [f"kept: {result.image}"])
    print(f"{len(chosen)} builds: {wrong} other or failed, {missing} not tried")
    sys.exit(1 if wrong or (missing and not options.allow_missing) else 0)


if __name__ == "__main__":
    main()
