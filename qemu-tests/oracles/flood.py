#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
# Opens connections and closes them at once, as many a second as asked for, and says how many were begun and how many of
# them completed.
# usage: flood.py ADDRESS PORT FROM RATE SECONDS
import collections
import errno
import socket
import struct
import sys
import time

import world

address, port, source = sys.argv[1], int(sys.argv[2]), sys.argv[3]
rate, seconds = int(sys.argv[4]), float(sys.argv[5])
RESET = struct.pack("ii", 1, 0)  # SO_LINGER: closing sends RST, so that this side keeps nothing either


def begin():
    one = world.socket_from(source)
    one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
    if one.connect_ex((address, port)) not in (0, errno.EINPROGRESS):
        raise OSError("cannot connect")
    return one


def finish(one):
    # TCP_INFO begins with the state; 1 is established (linux/tcp_states.h)
    done = one.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0] == 1
    one.close()
    return done


waiting = collections.deque()
begun = completed = 0
start = time.monotonic()
while (now := time.monotonic()) < start + seconds:
    while begun < (now - start) * rate:
        waiting.append((now, begin()))
        begun += 1
    while waiting and (waiting[0][0] < now - 0.5 or len(waiting) > 800):
        completed += finish(waiting.popleft()[1])
    time.sleep(0.002)
while waiting:
    completed += finish(waiting.popleft()[1])
print(f"begun {begun}, completed {completed}")
