# SPDX-License-Identifier: GPL-3.0-or-later
"""Text and its encodings."""
import base64
import binascii
import random

from parts_of_mail import ANY, REFUSED, TAKEN, attached, case, folded, head, text


@case("text-one-line-of-ten-megabytes")
def _():
    return text(b"a" * 10_000_000)


@case("text-one-word-lines")
def _():
    return text(b"a\r\n" * 1_000_000)


@case("text-empty-lines")
def _():
    return text(b"\r\n" * 2_000_000)


@case("text-dashes")
def _():
    return text(b"--\r\n" * 500_000)


@case("text-urls-60000")
def _():
    return text(b"".join(b"http://host%d.example/path?q=%d\r\n" % (i, i) for i in range(60000)))


@case("text-url-in-url")
def _():
    return text(folded(b"http://a.example/?u=" * 5000, 980))


@case("text-url-percent")
def _():
    return text(folded(b"http://a.example/" + b"%25" * 100000, 980))


@case("text-url-ports")
def _():
    return text(b"\r\n".join(b"http://u:p@[::%x]:%d/" % (i, i) for i in range(20000)))


@case("text-mail-addresses-60000")
def _():
    return text(b"".join(b"user%d@host%d.example\r\n" % (i, i) for i in range(60000)))


@case("text-at-signs")
def _():
    return text(folded(b"@" * 300000, 900))


@case("text-dots")
def _():
    return text(folded(b"a." * 300000, 900))


@case("text-brackets")
def _():
    return text(folded(b"([{<" * 100000, 900))


@case("text-numbers")
def _():
    return text(folded(b"1234567890 " * 200000, 77))


@case("text-bitcoin")
def _():
    return text(folded(b"1BoatSLRHtKNngkdXEeobR76b53LETtpyT " * 20000, 70))


@case("text-combining")
def _():
    return text(folded(("a" + "\u0301" * 5000).encode() * 20, 800))


@case("text-right-to-left")
def _():
    return text("\u202e\u2066\u202d".encode() * 100000)


@case("text-zero-width")
def _():
    return text("\u200b\u200c\ufeff".encode() * 100000)


@case("text-utf8-broken")
def _():
    return text(folded(bytes(range(128, 256)) * 5000, 800))


@case("text-utf8-overlong")
def _():
    return text(folded(b"\xc0\xaf\xe0\x80\xaf\xf8\x88\x80\x80\x80" * 30000, 900))


@case("text-many-scripts")
def _():
    return text(folded("".join(chr(c) for c in range(0x100, 0xd800)).encode() * 10, 900))


for charset in ("utf-7", "utf-16", "utf-16le", "utf-32", "hz-gb-2312", "iso-2022-jp", "iso-2022-cn-ext", "gb18030", "big5",
                "shift_jis", "ebcdic-us", "scsu", "bocu-1", "none", "x" * 3000):
    case(f"charset-{charset[:20]}")(lambda charset=charset: head(
        f"Content-Type: text/plain; charset={charset}", "Content-Transfer-Encoding: base64") + b"\r\n" + folded(
            base64.b64encode(random.Random(charset).randbytes(200000))) + b"\r\n")


def encoded(encoding, body):
    return head("Content-Type: text/plain", f"Content-Transfer-Encoding: {encoding}") + b"\r\n" + body + b"\r\n"


@case("base64-broken")
def _():
    return encoded("base64", folded(b"=A=B=C!!" * 20000))


@case("base64-padding")
def _():
    return encoded("base64", b"=" * 100000)


@case("base64-one-line")
def _():
    return encoded("base64", base64.b64encode(bytes(3_000_000)))


@case("base64-text")
def _():
    return encoded("base64", b"This is no base64 at all.\r\n" * 5000)


@case("base64-of-base64")
def _():
    data = b"hello" * 1000
    for _ in range(8):
        data = base64.b64encode(data)
    return encoded("base64", folded(data))


@case("qp-broken")
def _():
    return encoded("quoted-printable", folded(b"=ZZ=G=\x00=0" * 20000, 900))


@case("qp-soft-breaks")
def _():
    return encoded("quoted-printable", b"=\r\n" * 500000)


@case("qp-nul")
def _():
    return encoded("quoted-printable", folded(b"=00" * 200000, 75, b"=\r\n"))


@case("uuencode-broken")
def _():
    return encoded("x-uuencode", b"begin 644 x\r\n" + b"M" + b"!" * 10 + b"\r\n" + b"~~~~\r\n" * 20000 + b"end\r\n")


@case("uuencode-never-ends")
def _():
    return encoded("uuencode", b"begin 999 /etc/passwd\r\n" + b"".join(
        binascii.b2a_uu(bytes(45)).rstrip(b"\n") + b"\r\n" for _ in range(20000)))


@case("uuencode-begins-20000")
def _():
    return text(b"begin 644 x\r\n" * 20000)


@case("encoding-unknown")
def _():
    return encoded("x-" + "y" * 50000, b"hi")


@case("yenc")
def _():
    return text(b"=ybegin line=128 size=999999999 name=x\r\n" + folded(bytes(c for c in range(256) if c not in (0, 10, 13)) * 500, 128))


@case("lone-dots")
def _():
    return text(b".\r\n..\r\n" * 100000)


@case("sql-dump-5000", TAKEN)
def _():
    return text(b"--\r\n-- Name: t; Type: TABLE\r\n--\r\nCREATE TABLE t();\r\n" * 5000)


# What is searched for before anything is parsed, over and over, in a text of which the search cannot say that it is the only part.
for word, answer in (("message/", ANY), ("content-type: a", REFUSED)):
    case(f"text-attached-{word[:7]}-700000", answer)(lambda word=word: attached(
        f"{word}\r\n".encode() * 700000, "words.txt", "text/plain", "7bit"))


@case("sql-dump-attached-5000", TAKEN)
def _():
    return attached(b"--\r\n-- Name: t; Type: TABLE\r\n--\r\nCREATE TABLE t();\r\n" * 5000, "dump.sql", "application/sql", "7bit")


@case("html-dashes-5000", TAKEN)
def _():
    return text(b"--<br>\r\n" * 5000, "Content-Type: text/html; charset=utf-8")
