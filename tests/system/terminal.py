#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs a program on a terminal of its own and answers what it asks.

usage: terminal.py ANSWERS COMMAND…

Each line of the file ANSWERS is what must appear after what the line before it has, and, behind a tab, the answer that is
given to it; ^C and ^D are the keys. What appears on the terminal is printed. Ends as the program does: with its exit
status, or 128 and the number of its signal.
"""
import os
import pty
import select
import signal
import sys

PATIENCE = 300  # seconds without a word of the program


KEYS = {"^C": "\x03", "^D": "\x04"}


def read_answers(name):
    with open(name, encoding="utf-8") as file:
        return [line.rstrip("\n").partition("\t") for line in file if line.strip()]


def main():
    answers = read_answers(sys.argv[1])
    child, terminal = pty.fork()
    if child == 0:
        os.execvp(sys.argv[2], sys.argv[2:])
    unread = b""
    while True:
        if not select.select([terminal], [], [], PATIENCE)[0]:
            os.kill(child, signal.SIGKILL)
            sys.exit(f"terminal.py: nothing was said for {PATIENCE} seconds")
        try:
            said = os.read(terminal, 4096)
        except OSError:  # nobody has the terminal any more
            break
        sys.stdout.buffer.write(said.replace(b"\r\n", b"\n"))
        sys.stdout.flush()
        unread += said
        while answers and answers[0][0].encode() in unread:
            question, tab, answer = answers.pop(0)
            unread = unread[unread.index(question.encode()) + len(question.encode()):]
            if tab:
                os.write(terminal, KEYS.get(answer, answer + "\n").encode())
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if answers:
        sys.exit(f"terminal.py: this never appeared: {answers[0][0]}")
    sys.exit(status if status >= 0 else 128 - status)


main()
