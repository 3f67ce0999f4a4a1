#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
# Opens connections from one address or from all addresses of a network in turn, keeps them and says nothing, or a byte
# every five seconds. Prints what came within the time: how many were greeted (220, * OK), put off (421), closed without a
# word or reset, and how many heard nothing, and after how many seconds the last greeting or refusal came.
# usage: hold.py ADDRESS PORT FROM COUNT SECONDS [tls] [drip]
import asyncio
import collections
import ssl
import sys
import time

import world

address, port, count, seconds = sys.argv[1], int(sys.argv[2]), int(sys.argv[4]), float(sys.argv[5])
sources = world.sources(sys.argv[3])
tls, drip = "tls" in sys.argv[6:], "drip" in sys.argv[6:]
heard = collections.Counter()
last = 0.0
start = time.monotonic()


def classify(line):
    if line.startswith((b"220", b"* OK")):
        return "greeted"
    if line.startswith(b"421"):
        return "put off"
    return "closed" if not line else "other"


async def hold(number):
    global last
    try:
        reader, writer = await world.connect(sources[number % len(sources)], address, port, tls)
        what = classify(await reader.readline())
    except (OSError, ssl.SSLError):
        what = "closed"
    heard[what] += 1
    last = time.monotonic() - start
    if what == "greeted" and drip:
        for byte in b"EHLO " + b"x" * 1000:
            writer.write(bytes([byte]))
            await asyncio.sleep(5)
    await asyncio.sleep(seconds)


async def main():
    done, _ = await asyncio.wait([asyncio.create_task(hold(number)) for number in range(count)], timeout=seconds)
    for task in done:
        task.result()


asyncio.run(main())
heard["silent"] = count - heard.total()
print(", ".join(f"{what} {heard[what]}" for what in ("greeted", "put off", "closed", "other", "silent")))
print(f"last after {last:.0f} s")
