#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""mail-flow.py PASSWORDS FIRST-PORT send RECORD [LOG]: one message a second from alice to bob, until SIGTERM; RECORD gets a line for each
that was answered with 250, with the size that the file LOG had then.  mail-flow.py PASSWORDS FIRST-PORT count|keep RECORD: each of them
is in bob's mailbox, `count` once, `keep` once or more, as a power cut makes Postfix forget that it has delivered a message."""

import collections
import email.message
import imaplib
import os
import re
import signal
import smtplib
import ssl
import sys
import time
import uuid

passwords, first_port, what, record = sys.argv[1:5]
password = dict(line.split(" ", 1) for line in open(passwords).read().splitlines() if line and not line.startswith("#"))
port = int(first_port)
trusting = ssl.create_default_context()
trusting.check_hostname = False
trusting.verify_mode = ssl.CERT_NONE  # its certificate is its own
log = sys.argv[5] if len(sys.argv) > 5 else None
going = True


def stop(*_):
    global going
    going = False


def send(name):
    message = email.message.EmailMessage()
    message["From"] = "alice@example.org"
    message["To"] = "bob@example.org"
    message["Subject"] = f"flow {name}"
    message["Message-ID"] = f"<{name}@example.org>"
    message.set_content("One of many.")
    with smtplib.SMTP_SSL("127.0.0.1", port + 465, timeout=60, context=trusting) as client:
        client.login("alice@example.org", password["alice@example.org"])
        client.send_message(message)


def found():
    with imaplib.IMAP4_SSL("127.0.0.1", port + 993, ssl_context=trusting, timeout=120) as client:
        client.login("bob@example.org", password["bob@example.org"])
        client.select("INBOX", readonly=True)
        _, data = client.fetch("1:*", "(BODY.PEEK[HEADER.FIELDS (SUBJECT)])")
    return collections.Counter(re.findall(r"flow (\S+)", " ".join(part[1].decode() for part in data if isinstance(part, tuple))))


if what == "send":
    signal.signal(signal.SIGTERM, stop)
    with open(record, "a", buffering=1) as file:
        while going:
            name = str(uuid.uuid4())
            try:
                send(name)
                file.write(f"{name} {os.path.getsize(log)}\n" if log else name + "\n")
            except (OSError, smtplib.SMTPException):
                pass  # the machine restarts: it has not said 250
            time.sleep(1)
else:
    sent = [line.split()[0] for line in open(record)]
    deadline = time.monotonic() + 300
    while True:
        here = found()
        missing = [name for name in sent if here[name] == 0]
        if not missing or time.monotonic() > deadline:
            break
        time.sleep(5)
    doubled = [name for name in here if here[name] > 1]
    print(f"{len(sent)} acknowledged, {sum(here.values())} found, {len(missing)} lost, {len(doubled)} doubled")
    sys.exit(1 if missing or doubled and what == "count" or not sent else 0)
