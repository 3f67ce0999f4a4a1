# SPDX-License-Identifier: GPL-3.0-or-later
"""What hostile messages are made of, and the table of them."""
import base64

ANY = r"^(250|45[0-9]|5[0-9][0-9]) "  # taken or refused, but answered
REFUSED = r"^554 5[.]7[.]1 Message refused: "
TAKEN = r"^250 "
CASES = {}
DOMAIN = "elsewhere.example"


def case(name, answer=ANY):
    def keep(function):
        CASES[name] = (function, answer)
        return function

    return keep


current = ""  # name of the case that is being made


def head(*lines):
    """The outermost header, with what a mail server expects, and more lines."""
    name = current
    usual = [f"From: Carol <carol@{DOMAIN}>", "To: alice@example.org", f"Subject: hostile {name}",
             "Date: Mon, 30 Nov 2026 06:00:00 +0000", f"Message-ID: <{name}@{DOMAIN}>", "MIME-Version: 1.0"]
    return b"".join(line if isinstance(line, bytes) else line.encode("latin-1") + b"\r\n" for line in [*usual, *lines])


def text(body, *lines):
    return head(*(lines or ("Content-Type: text/plain; charset=utf-8",))) + b"\r\n" + body + b"\r\n"


def multipart(parts, kind="mixed", boundary="b", end=True):
    """parts: each a header with its line ends, an empty line and a body."""
    body = b"".join(b"--" + boundary.encode() + b"\r\n" + part + b"\r\n" for part in parts)
    closing = b"--" + boundary.encode() + b"--\r\n" if end else b""
    return head(f'Content-Type: multipart/{kind}; boundary="{boundary}"') + b"\r\n" + body + closing


def attached(data, name, kind="application/octet-stream", encoding="base64"):
    lines = f'Content-Type: {kind}; name="{name}"\r\nContent-Disposition: attachment; filename="{name}"\r\n'
    if encoding == "base64":
        data = base64.encodebytes(data).replace(b"\n", b"\r\n")
    return multipart([b"Content-Type: text/plain\r\n\r\nSee there.",
                      lines.encode() + f"Content-Transfer-Encoding: {encoding}\r\n\r\n".encode() + data])


def folded(data, width=76, end=b"\r\n"):
    return end.join(data[i:i + width] for i in range(0, len(data), width))


RFC822 = b"Content-Type: message/rfc822\r\n\r\n"
INNER = b"Subject: inside\r\n\r\nhello\r\n"
