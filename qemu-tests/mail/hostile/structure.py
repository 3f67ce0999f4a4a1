# SPDX-License-Identifier: GPL-3.0-or-later
"""Parts in parts, and messages in messages."""
import base64

from parts_of_mail import INNER, REFUSED, RFC822, case, head, multipart


@case("parts-50000", REFUSED)
def _():
    return multipart([b"Content-Type: text/plain\r\n\r\nhi"] * 50000)


@case("parts-empty-200000", REFUSED)
def _():
    return multipart([b""] * 200000)


@case("parts-in-epilogue-50000", REFUSED)
def _():
    return multipart([b"\r\nx"]) + b"".join(b"--%d\r\nx\r\n" % i for i in range(50000))


@case("parts-1900")
def _():
    return multipart([b"\r\nx"] * 1900)


@case("rfc822-chain-9400", REFUSED)
def _():
    return head() + RFC822 * 9400 + INNER  # 320 kB


@case("rfc822-chain-550000", REFUSED)
def _():
    return head() + RFC822 * 550000 + INNER  # to the end of any stack


@case("rfc822-chain-folded-5000", REFUSED)
def _():
    return head() + b"Content-Type:\r\n message/rfc822\r\n\r\n" * 5000 + INNER


@case("rfc822-chain-blanks-5000", REFUSED)
def _():
    return head() + (b"Content-Type: " + b" " * 200 + b"message/rfc822\r\n\r\n") * 5000 + INNER


@case("rfc822-chain-comments-5000", REFUSED)
def _():
    return head() + b"Content-Type: (a:b) message/rfc822\r\n\r\n" * 5000 + INNER


@case("rfc822-chain-parameters-5000", REFUSED)
def _():
    return head() + b'CONTENT-TYPE :\tMessage/RFC822; name="x"\r\nX: y\r\n\r\n' * 5000 + INNER


@case("rfc822-chain-headers-3000", REFUSED)
def _():
    return head() + b"".join(RFC822 + b"From: a@b.example\r\nSubject: %d\r\n" % i for i in range(3000)) + b"\r\nhi\r\n"


@case("rfc822-flat-300", REFUSED)
def _():
    return multipart([RFC822 + INNER] * 300, "digest")


@case("rfc822-flat-90")
def _():
    return multipart([RFC822 + INNER] * 90, "digest")


LONG_TEXT = b"hello hello hello hello hello hello hello\r\n" * 420000


@case("rfc822-chain-folded-18-megabytes", REFUSED)
def _():
    chain = (b"Content-Type:" + b"\r\n " * 50 + b"message/rfc822\r\n\r\n") * 990
    return head() + chain + INNER + LONG_TEXT


# Within the bounds, and parsed ninety-nine times: on a slow machine the time limit of the process ends it.
@case("rfc822-chain-99-18-megabytes")
def _():
    return head() + RFC822 * 99 + INNER + LONG_TEXT


@case("rfc822-in-base64")
def _():
    inner = RFC822 * 20000 + INNER
    return head("Content-Type: message/rfc822", "Content-Transfer-Encoding: base64") + b"\r\n" + base64.encodebytes(
        inner).replace(b"\n", b"\r\n")


@case("rfc822-in-qp")
def _():
    inner = (RFC822 * 5000 + INNER).replace(b"=", b"=3D").replace(b"C", b"=43")
    return head("Content-Type: message/rfc822", "Content-Transfer-Encoding: quoted-printable") + b"\r\n" + inner


def nest(depth, between=b""):
    message = b"Content-Type: text/plain\r\n\r\nhello\r\n"
    for i in range(depth):
        message = b"Content-Type: multipart/mixed; boundary=n%d\r\n\r\n--n%d\r\n" % (
            i, i) + between + message + b"--n%d--\r\n" % i
    return head() + message


for depth in (10, 60, 99, 101, 500, 1900):
    case(f"multipart-nested-{depth}")(lambda depth=depth: nest(depth))
for depth in (30, 60, 90):
    case(f"multipart-rfc822-nested-{depth}")(lambda depth=depth: nest(depth, RFC822))


@case("multipart-same-boundary-nested")
def _():
    return head() + b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n" * 900 + INNER


# The parser gives the delimiters of the first to all that have none.
@case("multipart-same-boundary-beside", REFUSED)
def _():
    with_parts = b"Content-Type: multipart/mixed; boundary=c\r\n\r\n" + b"--c\r\n\r\nx\r\n" * 1500
    return multipart([with_parts] + [b"Content-Type: multipart/mixed; boundary=c\r\n\r\nx"] * 60)


@case("multipart-same-boundary-ahead", REFUSED)
def _():
    return multipart([b"\r\n" + b"--c\r\n\r\nx\r\n" * 50000, b"Content-Type: multipart/mixed; boundary=c\r\n\r\nx"])


@case("multipart-boundary-prefixes")
def _():
    return head() + b"".join(b"Content-Type: multipart/mixed; boundary=%s\r\n\r\n--%s\r\n" % (b"b" * i, b"b" * i)
                             for i in range(1, 60)) + INNER


@case("multipart-never-closed")
def _():
    return multipart([b"\r\nx"] * 500, end=False)


@case("multipart-no-boundary")
def _():
    return head("Content-Type: multipart/mixed") + b"\r\n--b\r\n\r\nx\r\n--b--\r\n"


@case("multipart-empty-boundary")
def _():
    return head('Content-Type: multipart/mixed; boundary=""') + b"\r\n" + b"--\r\n\r\nx\r\n" * 500 + b"----\r\n"


@case("multipart-long-boundary")
def _():
    return multipart([b"\r\nx"] * 5, boundary="b" * 60000)


@case("multipart-boundary-in-charset")
def _():
    return head("Content-Type: multipart/mixed; boundary*0*=utf-8'en'%62; boundary*1=c; boundary=d") + \
        b"\r\n--bc\r\n\r\nx\r\n--d\r\n\r\ny\r\n--bc--\r\n--d--\r\n"


@case("multipart-many-boundaries")
def _():
    return head("Content-Type: multipart/mixed; " + "; ".join(f"boundary=b{i}" for i in range(500))) + b"".join(
        b"\r\n--b%d\r\n\r\nx" % i for i in range(500))


@case("multipart-parts-without-end-of-header")
def _():
    return multipart([b"Content-Type: text/plain\r\nX-%d: y" % i for i in range(300)])


@case("content-type-twice")
def _():
    return head("Content-Type: text/plain", "Content-Type: multipart/mixed; boundary=b") + b"\r\n--b\r\n\r\nx\r\n--b--\r\n"


for kind in ("alternative", "related", "signed", "encrypted", "report", "parallel", "x-nothing", "byteranges"):
    case(f"multipart-{kind}-of-itself")(lambda kind=kind: multipart(
        [f"Content-Type: multipart/{kind}; boundary=c\r\n\r\n--c\r\n\r\nx\r\n--c--".encode()] * 200, kind))
