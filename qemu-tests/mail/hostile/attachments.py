# SPDX-License-Identifier: GPL-3.0-or-later
"""Archives, documents and pictures, damaged or too large."""
import bz2
import gzip
import io
import random
import struct
import tarfile
import zipfile
import zlib

from parts_of_mail import INNER, attached, case, head, multipart, text


def zipped(files, compression=zipfile.ZIP_DEFLATED):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", compression) as archive:
        for name, data in files:
            archive.writestr(zipfile.ZipInfo(name, (2026, 11, 30, 6, 0, 0)), data, compression)
    return out.getvalue()


@case("zip-bomb")
def _():
    return attached(zipped([("zeros", bytes(200_000_000))]), "bomb.zip", "application/zip")


@case("zip-in-zip-in-zip")
def _():
    data = zipped([("zeros", bytes(10_000_000))])
    for i in range(12):
        data = zipped([(f"{j}.zip", data) for j in range(3)]) if i < 6 else zipped([("x.zip", data)])
    return attached(data, "nested.zip", "application/zip")


@case("zip-30000-names")
def _():
    return attached(zipped([(f"folder/{i}.exe", b"") for i in range(30000)], zipfile.ZIP_STORED), "many.zip", "application/zip")


@case("zip-names")
def _():
    return attached(zipped([("../" * 5000 + "x", b"1"), ("\u202egpj.exe", b"2"), ("a" * 60000, b"3"), ("con\x01", b"4")]), "names.zip")


@case("zip-sizes-lie")
def _():
    data = bytearray(zipped([("x", b"hello" * 100)]))
    at = data.rfind(b"PK\x01\x02")
    data[at + 20:at + 28] = b"\xff" * 8
    return attached(bytes(data), "lies.zip")


@case("zip-directory-elsewhere")
def _():
    data = bytearray(zipped([("x", b"hello")]))
    at = data.rfind(b"PK\x05\x06")
    data[at + 8:at + 20] = b"\xff\xff\xff\xff" + struct.pack("<II", 0xfffffff0, 0xfffffff0)
    return attached(bytes(data), "elsewhere.zip")


@case("zip-64")
def _():
    end = b"PK\x06\x06" + struct.pack("<QHHIIQQQQ", 44, 45, 45, 0, 0, 1 << 63, 1 << 63, 1 << 63, 1 << 63)
    locator = b"PK\x06\x07" + struct.pack("<IQI", 0, 0, 1)
    return attached(b"PK\x03\x04" + bytes(26) + end + locator + b"PK\x05\x06" + b"\xff" * 16 + bytes(2), "z64.zip")


for cut in (4, 30, 100, 400, 2000):
    case(f"zip-cut-at-{cut}")(lambda cut=cut: attached(
        zipped([(f"{i}.txt", bytes([i]) * 1000) for i in range(60)])[:cut], "cut.zip", "application/zip"))


def damaged(seed, magic, size=20000):
    return magic + random.Random(seed).randbytes(size)


for name, magic in {
        "rar": b"Rar!\x1a\x07\x00", "rar5": b"Rar!\x1a\x07\x01\x00", "7z": b"7z\xbc\xaf\x27\x1c\x00\x04", "gz": b"\x1f\x8b\x08\x08",
        "bz2": b"BZh9", "xz": b"\xfd7zXZ\x00", "zst": b"\x28\xb5\x2f\xfd", "cab": b"MSCF\0\0\0\0", "arj": b"\x60\xea",
        "lzh": b"-lh5-", "ace": b"**ACE**", "iso": bytes(32769) + b"CD001", "doc": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
        "pdf": b"%PDF-1.7\n", "rtf": b"{\\rtf1", "exe": b"MZ", "elf": b"\x7fELF", "png": b"\x89PNG\r\n\x1a\n", "gif": b"GIF89a",
        "jpg": b"\xff\xd8\xff\xe0", "bmp": b"BM", "webp": b"RIFF\xff\xff\xff\xffWEBP", "tif": b"II*\0", "ics": b"BEGIN:VCALENDAR\r\n",
        "tnef": b"\x78\x9f\x3e\x22", "p7m": b"\x30\x82\xff\xff\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02", "ole": b"\xd0\xcf\x11\xe0",
        "mp4": b"\0\0\0\x18ftyp", "ttf": b"\0\1\0\0", "lnk": b"L\0\0\0\1\x14\2\0"}.items():
    case(f"damaged-{name}")(lambda name=name, magic=magic: attached(damaged(name, magic), f"x.{name}"))


@case("rar-headers-10000")
def _():
    block = struct.pack("<HBHH", 0, 0x74, 0x8000, 40) + bytes(33)
    return attached(b"Rar!\x1a\x07\x00" + block * 10000, "many.rar")


@case("rar-size-zero")
def _():
    return attached(b"Rar!\x1a\x07\x00" + struct.pack("<HBHH", 0, 0x74, 0, 0) * 2000, "zero.rar")


@case("7z-header-far")
def _():
    return attached(b"7z\xbc\xaf\x27\x1c\x00\x04" + bytes(4) + struct.pack("<QQI", 1 << 62, 1 << 62, 0) + bytes(1000), "far.7z")


@case("7z-numbers")
def _():
    header = b"\x01\x04\x06\x00" + b"\xff" * 9 + b"\x0b" + b"\xff" * 500
    return attached(b"7z\xbc\xaf\x27\x1c\x00\x04" + bytes(4) + struct.pack("<QQI", 0, len(header), 0) + header, "numbers.7z")


@case("gzip-bomb")
def _():
    return attached(gzip.compress(bytes(300_000_000), mtime=0), "bomb.gz", "application/gzip")


@case("bzip2-bomb")
def _():
    return attached(bz2.compress(bytes(100_000_000)), "bomb.bz2")


@case("tar-of-links")
def _():
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for i in range(3000):
            entry = tarfile.TarInfo(f"l{i}")
            entry.type, entry.linkname = tarfile.SYMTYPE, f"l{i + 1}"
            archive.addfile(entry)
    return attached(gzip.compress(out.getvalue(), mtime=0), "links.tar.gz")


@case("docx-macro-bomb")
def _():
    return attached(zipped([("[Content_Types].xml", b"<" * 5_000_000), ("word/vbaProject.bin", b"\xd0\xcf\x11\xe0" * 100000)]), "x.docm")


def pdf(*objects):
    return b"%PDF-1.7\n" + b"".join(b"%d 0 obj\n%s\nendobj\n" % (i + 1, o) for i, o in enumerate(objects)) + \
        b"trailer\n<</Root 1 0 R>>\nstartxref\n0\n%%EOF\n"


@case("pdf-objects-100000")
def _():
    return attached(pdf(*[b"<</A %d 0 R>>" % (i + 2) for i in range(100000)]), "objects.pdf", "application/pdf")


@case("pdf-nested")
def _():
    return attached(pdf(b"<</A " * 20000 + b"1" + b">>" * 20000, b"[" * 50000, b"(" * 50000), "nested.pdf", "application/pdf")


@case("pdf-stream-bomb")
def _():
    stream = zlib.compress(bytes(50_000_000))
    return attached(pdf(b"<</Type/Page/Contents 2 0 R>>", b"<</Length %d/Filter/FlateDecode>>stream\n" % len(stream) + stream +
                        b"\nendstream"), "bomb.pdf", "application/pdf")


@case("pdf-stream-in-itself")
def _():
    return attached(pdf(b"<</Type/Page/Contents 1 0 R/Parent 1 0 R/Kids[1 0 R]>>", *[b"<</Length 2 0 R>>stream\nendstream"] * 3000),
                    "itself.pdf", "application/pdf")


@case("pdf-javascript")
def _():
    return attached(pdf(*[b"<</S/JavaScript/JS(" + b"app.alert(1);" * 2000 + b")>>"] * 300), "js.pdf", "application/pdf")


@case("png-of-four-gigapixels")
def _():
    size = struct.pack(">II", 0xffffffff, 0xffffffff) + b"\x08\x06\0\0\0"
    return attached(b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + b"IHDR" + size + bytes(4), "huge.png", "image/png")


@case("jpeg-markers")
def _():
    return attached(b"\xff\xd8" + b"\xff\xe0\x00\x02" * 100000, "markers.jpg", "image/jpeg")


@case("ics-100000-lines")
def _():
    return text(b"BEGIN:VCALENDAR\r\n" + b"BEGIN:VEVENT\r\nDESCRIPTION:http://a.example/\r\n" * 20000, "Content-Type: text/calendar")


@case("smime-in-smime")
def _():
    inner = b"\x30\x80" * 5000
    return attached(b"\x30\x80\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02\xa0\x80" + inner, "smime.p7m", "application/pkcs7-mime")


@case("attachments-1000")
def _():
    return multipart([b'Content-Type: application/zip; name="%d.zip"\r\nContent-Transfer-Encoding: base64\r\n\r\nUEsDBAo=' % i
                      for i in range(990)])


@case("file-names")
def _():
    names = ["a" * 50000, "../../etc/passwd", "x.exe.txt", "\\\\server\\x", "nul", "a\tb", '"', "=?utf-8?b?w6T=?=", ". .", ""]
    return multipart([b'Content-Type: application/octet-stream; name="' + n.encode() + b'"\r\n\r\nx' for n in names])


@case("message-partial")
def _():
    return head('Content-Type: message/partial; id="x@y"; number=99999999; total=-1') + b"\r\nContent-Type: text/plain\r\n\r\nhi\r\n"


@case("message-external-body")
def _():
    return head('Content-Type: message/external-body; access-type=URL; URL="file:///etc/passwd"') + b"\r\n" + INNER


@case("message-delivery-status")
def _():
    return multipart([b"\r\nFailed", b"Content-Type: message/delivery-status\r\n\r\n" + b"Final-Recipient: rfc822; a@b.example\r\n\r\n" *
                      5000], "report")


@case("gtube-in-parts", r"^5[0-9][0-9] ")
def _():
    return multipart([b"\r\nXJS*C4JDBQADN1.NSBN3*2IDNEN*GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X"] * 20)


@case("eicar-in-zip")
def _():
    eicar = b"X5O!P%@AP[4\\PZX54(P^)7CC)7}$EICAR-" + b"STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"
    return attached(zipped([("eicar.com", eicar)]), "eicar.zip")
