#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Verifies DKIM signatures with dkimpy, which shares no code with what signs.

usage: verify-dkim.py ZONE.json DOMAIN ALGORITHM,… < MESSAGE

ZONE.json is what `mailstead dns --json` printed; keys are looked up there and nowhere else. Succeeds when for each
algorithm there is a signature of that domain, when no signature is bad, and when From, Subject and To are covered.
"""
import email
import json
import sys

import dkim


def main():
    zone_file, domain, algorithms = sys.argv[1:4]
    with open(zone_file, encoding="utf-8") as file:
        records = json.load(file)["records"]
    texts = {r["name"].lower(): "".join(r["texts"]) for r in records if r["type"] == "TXT"}

    def look_up(name, timeout=5):
        name = name.decode() if isinstance(name, bytes) else name
        text = texts.get(name.rstrip(".").lower())
        return text.encode() if text is not None else None

    message = sys.stdin.buffer.read()
    headers = email.message_from_bytes(message).get_all("DKIM-Signature") or []
    good = set()
    failed = False
    for index in range(len(headers)):
        verifier = dkim.DKIM(message, minkey=1024)
        try:
            valid = verifier.verify(idx=index, dnsfunc=look_up)
            reason = "does not match"
        except Exception as error:  # dkimpy raises many kinds for malformed input
            valid, reason = False, f"{type(error).__name__}: {error}"
        fields = dkim.util.parse_tag_value(" ".join(headers[index].split()).encode())
        name = fields.get(b"a", b"?").decode()
        signer = fields.get(b"d", b"?").decode()
        covered = {h.strip().lower() for h in fields.get(b"h", b"").decode().split(":")}
        print(f"{name} {signer} {fields.get(b's', b'?').decode()}: {'valid' if valid else 'INVALID: ' + reason}")
        if not valid:
            failed = True
        elif signer == domain and {"from", "subject", "to"} <= covered:
            good.add(name)
    missing = set(algorithms.split(",")) - good
    if missing:
        print("no valid signature of", domain, "with", ", ".join(sorted(missing)))
    return 1 if failed or missing else 0


sys.exit(main())
