# SPDX-License-Identifier: GPL-3.0-or-later
"""Header lines: many, long, odd, and signatures."""
import base64
import hashlib

from parts_of_mail import DOMAIN, REFUSED, RFC822, TAKEN, case, head, multipart, text


@case("header-lines-100000", REFUSED)
def _():
    return text(b"hi", *[f"X-{i}: y" for i in range(100000)])


@case("header-lines-same-20000")
def _():
    return text(b"hi", *["X: y"] * 20000)


@case("header-lines-of-a-part", REFUSED)
def _():
    return multipart([b"X:y\r\n" * 200000 + b"\r\nhi"])


@case("header-lines-of-100-parts", REFUSED)
def _():
    return multipart([b"X:y\r\n" * 2000 + b"\r\nhi"] * 100)


@case("header-lines-of-a-message", REFUSED)
def _():
    return head() + RFC822 + b"X:y\r\n" * 200000 + b"\r\nhi"


@case("header-lines-of-a-part-9000")
def _():
    return multipart([b"X:y\r\n" * 9000 + b"\r\nhi"])


@case("text-like-header-lines", TAKEN)
def _():
    return text(b"-- \r\n" + b"".join(b"key-%d: value\r\n" % i for i in range(50000)))


@case("header-of-one-megabyte")
def _():
    return text(b"hi", "X-Long: " + "\r\n ".join(["y" * 900] * 1100))


@case("header-to-20000")
def _():
    return text(b"hi", "Cc: " + ",\r\n ".join(f"user{i}@elsewhere.example" for i in range(20000)))


@case("header-to-groups")
def _():
    return text(b"hi", "Cc: " + "\r\n ".join(f"g{i}: a@b.example;," for i in range(2000)))


@case("header-comments-nested")
def _():
    return text(b"hi", "Cc: " + "(" * 40000 + ")" * 40000 + " a@b.example")


@case("header-quotes-open")
def _():
    return text(b"hi", 'Cc: "' + "\\" * 50001 + ' <a@b.example>')


@case("header-angles")
def _():
    return text(b"hi", "Cc: " + "<" * 30000 + "a@b.example" + ">" * 30000)


@case("header-received-3000")
def _():
    line = "Received: from a ([192.0.2.1]) by b.example with ESMTP id {}; Mon, 30 Nov 2026 06:00:00 +0000"
    return b"".join(line.format(i).encode() + b"\r\n" for i in range(40)) + text(b"hi", *[
        line.format(i).replace("Received", "X-Received") for i in range(2400)])


@case("header-references-30000")
def _():
    return text(b"hi", "References: " + "\r\n ".join(f"<{i}@x.example>" for i in range(6000)))


@case("header-encoded-words-10000")
def _():
    return text(b"hi", "X-Words: " + "\r\n ".join(["=?utf-8?b?w6TDtsO8?="] * 4000))


@case("header-encoded-word-broken")
def _():
    return text(b"hi", "X-Words: " + " ".join(["=?utf-8?q?=C3?=", "=?x?z?y?=", "=?utf-8?b?====?=", "=?", "?="] * 900))


@case("header-encoded-word-charsets")
def _():
    return text(b"hi", *[f"X-{c}: =?{c}?b?{base64.b64encode(bytes(range(256))).decode()}?="
                         for c in ("utf-7", "utf-16", "utf-32", "hz-gb-2312", "iso-2022-jp", "iso-2022-kr", "gb18030",
                                   "big5", "shift_jis", "ebcdic-us", "none", "utf-8'", "\x80")])


@case("header-parameters-20000")
def _():
    return head("Content-Type: text/plain" + "".join(f";\r\n p{i}=v" for i in range(9000))) + b"\r\nhi\r\n"


@case("header-parameter-continuations")
def _():
    return head("Content-Type: text/plain" + "".join(f";\r\n name*{i}=v" for i in range(7000))) + b"\r\nhi\r\n"


@case("header-parameter-numbers")
def _():
    return head("Content-Type: text/plain; name*99999999999999999999=v; name*-1=w; name*1=x; name*=y; name*0*=z''%") + b"\r\nhi\r\n"


@case("header-dkim-signatures-500")
def _():
    return text(b"hi", *[f"DKIM-Signature: v=1; a=rsa-sha256; d=d{i}.example; s=s; h=from; bh=AAAA; b=AAAA" for i in range(500)])


@case("header-arc-sets-200")
def _():
    return text(b"hi", *[line.format(i=i) for i in range(1, 201) for line in (
        "ARC-Seal: i={i}; a=rsa-sha256; cv=pass; d=x.example; s=s; t=1; b=AAAA",
        "ARC-Message-Signature: i={i}; a=rsa-sha256; d=x.example; s=s; h=from; bh=AAAA; b=AAAA",
        "ARC-Authentication-Results: i={i}; x.example; none")])


def ed25519(length):
    """A signature whose body hash is right for 32 bytes, and then goes on: 3.12.1 compares as many as there are."""
    body = b"hi\r\n"
    long = base64.b64encode(hashlib.sha256(body).digest() + bytes(length)).decode()
    return head(f"DKIM-Signature: v=1; a=ed25519-sha256; c=simple/simple; d={DOMAIN}; s=ed; h=from:to;\r\n bh=" +
                "\r\n ".join(long[i:i + 900] for i in range(0, len(long), 900)) + ";\r\n b=" +
                base64.b64encode(bytes(64)).decode()) + b"\r\n" + body


for length in (1, 32, 480, 60000):
    case(f"dkim-ed25519-bh-{length}")(lambda length=length: ed25519(length))


@case("header-only")
def _():
    return head()


@case("header-without-colon")
def _():
    return head("no colon here", "nor here") + b"\r\nhi\r\n"


@case("header-nul")
def _():
    return head("X-Nul: a\0b", "\0: x") + b"\r\nhi\0hi\r\n"


@case("header-bare-cr")
def _():
    return head("X-Cr: a\rX-Spam: Yes\rContent-Type: multipart/mixed; boundary=b\r\r--b") + b"\r\n" + b"\r--b\r" * 5000


@case("header-8-bit")
def _():
    return head("X-\xff: \xff\xfe", "Content-Type: text/\xe4; charset=\xe4") + b"\r\n\xff\xfe\xfd\r\n"


@case("header-control-characters")
def _():
    return text(b"hi", "X-Control: " + "".join(map(chr, [*range(1, 10), 11, 12, *range(14, 32), 127])))


@case("header-dates")
def _():
    return text(b"hi", *["Date: " + d for d in ("Mon, 99 Foo 99999999999 99:99:99 +9999", "", "0", "-1", "9" * 5000)])
