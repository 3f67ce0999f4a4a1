# SPDX-License-Identifier: GPL-3.0-or-later
"""The table as a picture: bars for builds, lines for how cost grows, both on logarithmic scales. SVG 1.1."""
import math
from xml.sax.saxutils import escape

INK, PALE, OURS, THEIRS = "#222", "#ddd", "#1f6f8b", "#b0793a"
LEFT, TOP, WIDTH, BAR = 290, 46, 430, 26


def text(x, y, words, anchor="start", size=13, extra=""):
    return f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" text-anchor="{anchor}" {extra}>{escape(words)}</text>'


def line(x1, y1, x2, y2, colour):
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{colour}"/>'


def decades(low, high):
    """The powers of ten around some values."""
    return list(range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1))


def plain(value):
    return f"{value:,.0f}" if value >= 1 else f"{value:g}"


def bars(values, top):
    """`values`: (name, seconds, whether it is ours). The elements and where they end."""
    powers = decades(min(v for _, v, _ in values), max(v for _, v, _ in values))
    first, scale = powers[0], WIDTH / (powers[-1] - powers[0])
    bottom = top + BAR * len(values)
    out = [text(LEFT, top - 26, "wall time in seconds, median")]
    for power in powers:
        x = LEFT + (power - first) * scale
        out += [line(x, top, x, bottom, PALE), text(x, top - 8, plain(10 ** power), "middle", 11)]
    for i, (name, value, ours) in enumerate(values):
        y = top + BAR * i
        width = (math.log10(value) - first) * scale
        out.append(text(LEFT - 10, y + 18, name, "end"))
        colour = OURS if ours else THEIRS
        out.append(f'<rect x="{LEFT}" y="{y + 4}" width="{width:.1f}" height="{BAR - 8}" fill="{colour}"/>')
        out.append(text(LEFT + width + 5, y + 18, f"{value:.2f}", size=11))
    return out, bottom


def growth(series, top, height=220):
    """`series`: {name: [(number, seconds)]}. The elements and where they end."""
    points = [point for line_points in series.values() for point in line_points]
    numbers, seconds = zip(*points)
    xs, ys = decades(min(numbers), max(numbers)), decades(min(seconds), max(seconds))
    if len(ys) == 1:
        ys.append(ys[0] + 1)

    def place(number, time):
        return (LEFT + (math.log10(number) - xs[0]) / (xs[-1] - xs[0]) * WIDTH,
                top + height - (math.log10(time) - ys[0]) / (ys[-1] - ys[0]) * height)
    out = [text(LEFT, top - 14, "build of a changed site: wall time in seconds, by size")]
    for power in xs:
        x, _ = place(10 ** power, 10 ** ys[0])
        out += [line(x, top, x, top + height, PALE), text(x, top + height + 16, plain(10 ** power), "middle", 11)]
    for power in ys:
        _, y = place(10 ** xs[0], 10 ** power)
        out += [line(LEFT, y, LEFT + WIDTH, y, PALE), text(LEFT - 8, y + 4, plain(10 ** power), "end", 11)]
    for (name, values), colour in zip(series.items(), (OURS, THEIRS)):
        places = [place(*value) for value in values]
        out.append(f'<polyline fill="none" stroke="{colour}" stroke-width="2" points="'
                   + " ".join(f"{x:.1f},{y:.1f}" for x, y in places) + '"/>')
        out += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>' for x, y in places]
        out.append(text(places[-1][0] + 6, places[-1][1] + 4, name, extra=f'fill="{colour}"'))
    return out, top + height + 24


def svg(values, series):
    first, end = bars(values, TOP)
    second, end = growth(series, end + 50)
    return "\n".join([f'<svg xmlns="http://www.w3.org/2000/svg" width="{LEFT + WIDTH + 90}" height="{end + 10}" '
                      f'font-family="sans-serif" fill="{INK}">', '<rect width="100%" height="100%" fill="white"/>',
                      *first, *second, "</svg>", ""])
