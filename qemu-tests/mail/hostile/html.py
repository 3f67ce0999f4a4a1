# SPDX-License-Identifier: GPL-3.0-or-later
"""HTML."""
import base64

from parts_of_mail import case, folded, text


def html(body):
    return text(body, "Content-Type: text/html; charset=utf-8")


@case("html-nested-100000")
def _():
    return html(b"<div>\r\n" * 100000)


@case("html-nested-mixed")
def _():
    return html(b"<table><tr><td><b><i>\r\n" * 40000 + b"</i></b></td></tr></table>\r\n" * 40000)


@case("html-closed-wrongly")
def _():
    return html(b"</div></p></b>\r\n" * 50000)


@case("html-attributes-50000")
def _():
    return html(b"<a " + b"".join(b"x%d=y\r\n" % i for i in range(50000)) + b">z</a>")


@case("html-attribute-never-ends")
def _():
    return html(b'<a href="' + folded(b"x" * 2_000_000, 900))


@case("html-links-20000")
def _():
    return html(b"".join(b'<a href="http://h%d.example/?%d">http://other%d.example</a>\r\n' % (i, i, i) for i in range(20000)))


@case("html-entities")
def _():
    return html(folded(b"&amp;&#x1F600;&#99999999999;&nosuch;&#0;" * 30000, 880))


@case("html-entity-never-ends")
def _():
    return html(folded(b"&" + b"a" * 500000, 900))


@case("html-comment-never-ends")
def _():
    return html(b"<!-- " * 100 + folded(b"- " * 300000, 900))


@case("html-style")
def _():
    return html(b"<style>" + b"".join(b".c%d{color:#fff;font-size:0}\r\n" % i for i in range(20000)) + b"</style>x")


@case("html-style-attributes")
def _():
    return html(b'<p style="color:rgb(1,2,3);font-size:1px;display:none">x</p>\r\n' * 20000)


@case("html-css-never-ends")
def _():
    return html(b"<style>" + folded(b"@media{" * 50000, 700))


@case("html-images-20000")
def _():
    return html(b'<img src="cid:x" width=99999999999 height=-1>\r\n' * 20000)


@case("html-data-uri")
def _():
    return html(b'<img src="data:image/png;base64,' + folded(base64.b64encode(bytes(1_500_000)), 900) + b'">')


@case("html-script")
def _():
    return html(b"<script>" + folded(b"<script><!--" * 60000, 900))


@case("html-nul")
def _():
    return html(b"<\x00a h\x00ref=x>\x00" * 5000)


@case("html-base")
def _():
    return html(b'<base href="http://a.example/">' + b'<a href="../../x">y</a>\r\n' * 20000)


@case("html-forms")
def _():
    return html(b"<form><input type=password><select><option>\r\n" * 20000)


@case("html-svg")
def _():
    return html(b"<svg><g>" * 30000 + b"<use href=#x>")
