#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
# Guesses passwords over SMTP with TLS, on several connections at once, from one address or from all of a network in turn.
# Prints how many guesses were judged (535), put off (450, 421), failed within the server (454), and how many connections
# were left without an answer.
# usage: guess.py ADDRESS PORT FROM ACCOUNT CONNECTIONS SECONDS
import asyncio
import base64
import collections
import ssl
import sys
import time

import world

address, port, account = sys.argv[1], int(sys.argv[2]), sys.argv[4]
connections, seconds = int(sys.argv[5]), float(sys.argv[6])
sources = world.sources(sys.argv[3])
names = {b"535": "judged", b"450": "put off", b"421": "put off", b"454": "failed"}
heard = collections.Counter()
guesses = iter(range(1 << 62))
end = time.monotonic() + seconds


async def reply(reader):
    while True:
        line = await asyncio.wait_for(reader.readline(), max(1, end - time.monotonic()))
        if line[3:4] != b"-":
            return line[:3]


async def session(source):
    reader, writer = await world.connect(source, address, port, True)
    try:
        await reply(reader)
        writer.write(b"EHLO guesser.example\r\n")
        await reply(reader)
        while time.monotonic() < end:
            login = f"\0{account}\0guess{next(guesses)}".encode()
            writer.write(b"AUTH PLAIN " + base64.b64encode(login) + b"\r\n")
            code = await reply(reader)
            if not code:
                return
            heard[names.get(code, "other")] += 1
            if code == b"421":
                return
    finally:
        writer.close()


async def guess(source):
    while time.monotonic() < end:
        try:
            await asyncio.wait_for(session(source), max(1, end - time.monotonic()))
        except asyncio.TimeoutError:
            heard["unanswered"] += 1
        except (OSError, ssl.SSLError):
            await asyncio.sleep(1)


async def main():
    await asyncio.gather(*[guess(sources[i % len(sources)]) for i in range(connections)])


asyncio.run(main())
print(", ".join(f"{what} {heard[what]}" for what in ("judged", "put off", "failed", "other", "unanswered")))
