#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes messages with a long header field: `long_fields.py AUTHOR UNIQUE PLACE SIZE`."""
import sys

author, unique, place, size = sys.argv[1:]


def field(name, size):
    """A field of that many bytes, folds as LF; END is last."""
    lines = [name + ":"]
    rest = size - len(lines[0]) - len("\n ") - len("END")
    while rest > 0:
        word = f"addressee{len(lines):08}@third.example,"
        lines.append(" " + word[:max(1, rest - 2)])
        rest -= len(lines[-1]) + 1
    lines.append(" END")
    return "\r\n".join(lines) + "\r\n"


def message():
    size_of = int(size)
    head = (f"From: {author}\r\nTo: alice@example.org\r\nSubject: Long {place} {size} {unique}\r\n"
            f"Date: Mon, 30 Nov 2026 06:00:00 +0000\r\nMessage-ID: <{place}.{size}.{unique}@elsewhere.example>\r\n")
    inner = "From: dave@third.example\r\nSubject: inside\r\n"
    parts = "MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n"
    if place == "folded":
        return head + field("X-Long", size_of) + "\r\nHello.\r\n"
    if place == "line":
        return head + "X-Long: " + "a" * (size_of - len("X-Long: END")) + "END\r\n\r\nHello.\r\n"
    if place == "part":
        return head + parts + field("X-Long", size_of) + "\r\nHello.\r\n--b--\r\n"
    if place == "attached":
        return head + parts + "Content-Type: message/rfc822\r\n\r\n" + inner + field("To", size_of) + "\r\nHi.\r\n--b--\r\n"
    # Text that looks like a field, and is none.
    return head + parts + "Content-Type: text/plain\r\n\r\n" + field("addressees", size_of) + "--b--\r\n"


sys.stdout.write(message())
