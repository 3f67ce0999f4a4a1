# SPDX-License-Identifier: GPL-3.0-or-later
"""At random, but the same each time: pieces of all that, put together by a program that knows nothing of mail."""
import random

from parts_of_mail import INNER, RFC822, case, folded, head


def noise(seed):
    chance = random.Random(seed)
    pieces = [b"--b\r\n", b"--b--\r\n", b"\r\n", RFC822, INNER, b"Content-Type: multipart/mixed; boundary=b\r\n", b"Content-Type: text/html\r\n",
              b"Content-Transfer-Encoding: base64\r\n", b"=?utf-8?q?=C3=A4?=", b"<a href=x>", b"\0", b"\r", b"begin 644 x\r\n", b"&#x41;",
              b"Content-Disposition: attachment; filename=", b"\xff\xfe", b"UEsDBBQAAAAI", b"; name*0*=utf-8''%41", b"(" * 50, b"\t ", b"--"]
    body = b"".join(chance.choice(pieces) if chance.random() < 0.7 else chance.randbytes(chance.randrange(60)) for _ in range(4000))
    return head("Content-Type: multipart/mixed; boundary=b") + b"\r\n" + folded(body.replace(b"\n.", b"\n"), 990) + b"\r\n"


for seed in range(20):
    case(f"noise-{seed}")(lambda seed=seed: noise(seed))
