#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes hostile messages. `hostile.py NAME` writes one, the same bytes each time; `hostile.py --list` the names of all, as the table
of 55-hostile.dialogue wants them, with a regular expression for the answer that each gets. The messages are in hostile/."""
import importlib
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent / "hostile"))
import parts_of_mail  # noqa: E402

for module in ("structure", "headers", "bodies", "html", "attachments", "noise"):
    importlib.import_module(module)


def main():
    cases = parts_of_mail.CASES
    if sys.argv[1:] == ["--list"]:
        print("# name\tanswer")
        for name, (_, answer) in cases.items():
            print(name + "\t" + answer.replace("\\", "\\\\"))
    elif len(sys.argv) == 2 and sys.argv[1] in cases:
        parts_of_mail.current = sys.argv[1]
        message = cases[sys.argv[1]][0]()
        # The end of DATA needs a line of its own.
        sys.stdout.buffer.write(message if message.endswith(b"\r\n") else message + b"\r\n")
    else:
        sys.exit("usage: hostile.py --list | NAME of " + " ".join(cases))


if __name__ == "__main__":
    main()
