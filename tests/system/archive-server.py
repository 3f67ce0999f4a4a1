#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""archive-server.py LOCK STORE FOLDER: an archive that goes wrong, on 127.0.0.1, as long as its standard input is open.

Serves the packages of LOCK out of STORE (packages by digest), as a mirror (/debian, /debian-security) and as a snapshot
archive (/archive/…, which redirects a time to the last import before it, at 0, 6, 12 or 18 o'clock). FOLDER/faults, read
anew for each request, says what goes wrong, a line each: SIDE PACKAGE FAULT, where SIDE is mirror or snapshot, PACKAGE a
name, "index" for what is below dists/, or *, and FAULT a status (401, 403, 404, 410, 503), or one of these; the first line
that fits counts.

  none       nothing goes wrong
  page       a web page comes instead, as from a network that asks for a login
  altered    a bit is flipped
  truncated  the last hundred bytes are missing
  busy       the first time it is 503, and one second to wait
  stalls     the first time there is silence after half of the bytes

Files of an index are those in FOLDER/www/ARCHIVE/dists; an InRelease that is not there has a first line alone. If there is a
file FOLDER/login, only who logs in with its USER:PASSWORD is served. FOLDER/log gets a line a request (SIDE PACKAGE STATUS),
FOLDER/port the port, once it answers.
"""
import base64
import http.server
import os
import re
import sys
import threading
import time
import urllib.parse

lock, store, folder = sys.argv[1:]
packages = {}  # (archive, pool path): (name, digest)
with open(lock) as lines:
    for line in lines:
        if line.startswith("package "):
            _, name, _, _, archive, path, _, digest, *_ = line.split()
            packages[archive, path] = name, digest
seen = set()  # what a fault that comes once has come for
mutex = threading.Lock()


def once(key):
    with mutex:
        fresh = key not in seen
        seen.add(key)
        return fresh


def fault_of(side, name):
    with open(os.path.join(folder, "faults")) as lines:
        for line in lines:
            where, package, fault = line.split()
            if where == side and package in (name, "*"):
                return fault
    return None


def wants_login(headers):
    try:
        with open(os.path.join(folder, "login"), "rb") as login:
            return headers.get("Authorization") != "Basic " + base64.b64encode(login.read().strip()).decode()
    except FileNotFoundError:
        return False


def content_of(archive, pool):
    """What is at that path, or None."""
    if (archive, pool) in packages:
        digest = packages[archive, pool][1]
        place = os.path.join(store, "sha256", digest[:2], digest)
    else:
        place = os.path.join(folder, "www", archive, pool)
    try:
        with open(place, "rb") as file:
            return bytearray(file.read())
    except FileNotFoundError:
        return bytearray(b"-----BEGIN PGP SIGNED MESSAGE-----\n") if pool.endswith("/InRelease") else None


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def answer(self, side, name, status, body=b"", headers=()):
        with mutex, open(os.path.join(folder, "log"), "a") as log:
            log.write(f"{side} {name} {status}\n")
        self.send_response(status)
        for header in headers:
            self.send_header(*header)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        return body

    def do_GET(self):
        path = urllib.parse.unquote(self.path)
        snapshot = re.fullmatch(r"/archive/([^/]+)/(\d{8}T)(\d\d)(\d{4})Z/(.*)", path)
        side = "snapshot" if snapshot else "mirror"
        archive, pool = (snapshot[1], snapshot[5]) if snapshot else path.removeprefix("/").split("/", 1)
        name = packages.get((archive, pool), ("index",))[0]
        if wants_login(self.headers):
            self.answer(side, name, 401, headers=[("WWW-Authenticate", "Basic")])
            return
        imported = snapshot and f"/archive/{archive}/{snapshot[2]}{int(snapshot[3]) // 6 * 6:02}0000Z/{pool}"
        if snapshot and path != imported:
            self.answer(side, name, 302, headers=[("Location", urllib.parse.quote(imported))])
            return
        fault = fault_of(side, name)
        if fault and fault.isdigit():
            self.answer(side, name, int(fault))
            return
        if fault == "busy" and once((side, name)):
            self.answer(side, name, 503, headers=[("Retry-After", "1")])
            return
        if fault == "page":
            page = b"<html>please log in</html>"
            self.wfile.write(self.answer(side, name, 200, page, [("Content-Type", "text/html")]))
            return
        body = content_of(archive, pool)
        if body is None:
            self.answer(side, name, 404)
            return
        if fault == "altered":
            body[len(body) // 2] ^= 1
        if fault == "truncated":
            del body[-100:]
        begin = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        if begin:
            part = [("Content-Range", f"bytes {begin[1]}-{len(body) - 1}/{len(body)}")]
            body = self.answer(side, name, 206, body[int(begin[1]):], part)
        else:
            body = self.answer(side, name, 200, body)
        if fault == "stalls" and once((side, name)):
            self.wfile.write(body[:len(body) // 2])
            self.wfile.flush()
            time.sleep(120)
            self.close_connection = True
            return
        self.wfile.write(body)


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
server.daemon_threads = True
threading.Thread(target=server.serve_forever, daemon=True).start()
with open(os.path.join(folder, "port.new"), "w") as file:
    file.write(str(server.server_port))
os.rename(os.path.join(folder, "port.new"), os.path.join(folder, "port"))
sys.stdin.read()
