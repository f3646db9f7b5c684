"""A report as a bar chart in SVG 1.1 (https://www.w3.org/TR/SVG11/), written out by hand.

Horizontal bars, a panel for each treatment of the lock, a group for each call. Colours follow the reader's
preference for light or dark through a media query; every bar carries its number, so that colour is never the
only carrier.
"""

from __future__ import annotations

from typing import NamedTuple
from xml.sax.saxutils import escape

from ..contestant import PEERS, Contestant, Gil, Peer
from ..result import Report, Row, SuiteResult

_WIDTH = 860
_LABELS = 250
_NUMBERS = 60
_BAR = 11
_GROUP_GAP = 12
_PANEL_GAP = 34
_TOP = 30

#: Fill by peer, for light and for dark backgrounds; ours stands out, the rest are told apart by hue and
#: lightness.
_COLOURS: dict[str, tuple[str, str]] = {
    "ours": ("#d1495b", "#ff6f80"),
    "layer": ("#e9a3ad", "#9c4450"),
    "c": ("#30638e", "#6fa8d6"),
    "nanobind": ("#00798c", "#3fb8cb"),
    "cython": ("#edae49", "#f0c16f"),
    "cffi-api": ("#7a5195", "#b48ad0"),
    "cffi-abi": ("#b7a0c7", "#7d6790"),
    "cffi-callback": ("#b7a0c7", "#7d6790"),
    "cffi-extern": ("#7a5195", "#b48ad0"),
    "ctypes": ("#8d99a6", "#8d99a6"),
    "stdlib": ("#4f772d", "#90b56f"),
}
_GIL_TITLE = {
    Gil.UNTOUCHED: "",
    Gil.HELD: ", lock held during the call",
    Gil.RELEASED: ", lock released during the call",
}


class Panel(NamedTuple):
    """What is drawn under one heading, on one scale."""

    title: str
    gil: Gil
    rows: list[Row]
    peers: list[Peer]


def render(report: Report) -> str:
    """The chart of the report's headline suites; a valid document even when there is nothing to show."""
    panels = [panel for suite in report.suites if suite.headline for panel in _panels(suite, report)]
    body: list[str] = []
    y = float(_TOP)
    for panel in panels:
        drawn, height = _draw(panel, y)
        body += drawn
        y += height + _PANEL_GAP
    shown = [peer for peer in PEERS.values() if any(peer in panel.peers for panel in panels)]
    legend, height = _legend(shown, y)
    return _document(body + legend, y + height, report)


def _panels(suite: SuiteResult, report: Report) -> list[Panel]:
    made = []
    for gil in Gil:
        rows = [row for row in suite.rows if row.unit == "ns" and any(c.gil is gil for c in row.cells)]
        present = {c.peer.key for row in rows for c in row.cells if c.gil is gil}
        peers = [peer for peer in PEERS.values() if peer.key in present and _drawn(peer, report)]
        if peers:
            made.append(
                Panel(
                    f"{suite.title}{_GIL_TITLE[gil]} (ns, shorter is better; broken bars are longer)",
                    gil,
                    rows,
                    peers,
                )
            )
    return made


def _drawn(peer: Peer, report: Report) -> bool:
    """Of our own, only the one that users get: the chart compares with others, not with ourselves."""
    return peer.kind == "peer" or peer == report.ours


def _draw(panel: Panel, top: float) -> tuple[list[str], float]:
    room = _WIDTH - _LABELS - _NUMBERS
    scale = room / _longest(panel)
    parts = [_text(10, top, panel.title, "title")]
    y = top + 14
    for row in panel.rows:
        bars = [(peer, cell) for peer in panel.peers if (cell := row.cells.get(Contestant(peer, panel.gil)))]
        middle = y + len(bars) * _BAR / 2 + 4
        parts.append(_text(_LABELS - 10, middle, row.label, "label"))
        for peer, cell in bars:
            wanted = max(cell.value * scale, 1.0)
            length = min(wanted, float(room))
            number = f"{cell.value:.0f}" if cell.value >= 100 else f"{cell.value:.1f}"
            hover = f"<title>{escape(peer.title)}: {number} ns</title>"
            parts.append(_bar(peer, y, length if wanted <= room else length - 16, hover))
            if wanted > room:
                parts += [_bar(peer, y, 4, x=_LABELS + length - offset) for offset in (12, 4)]
            parts.append(_text(_LABELS + length + 4, y + _BAR - 3, number, "number"))
            y += _BAR
        y += _GROUP_GAP
    return parts, y - top


def _longest(panel: Panel) -> float:
    """The number that fills the width.

    Where the slowest are many times slower than hand-written C (where that is not measured, than the first
    peer), a scale for them would make the rest indistinguishable: bars beyond three times its slowest call
    are broken.
    """
    values = {
        peer: [row.cells[at].value for row in panel.rows if (at := Contestant(peer, panel.gil)) in row.cells]
        for peer in panel.peers
    }
    reference = values.get(PEERS["c"]) or values[panel.peers[0]]
    return max(min(max(map(max, values.values())), 3 * max(reference)), 1.0)


def _bar(peer: Peer, y: float, width: float, inner: str = "", x: float = _LABELS) -> str:
    size = f'x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{_BAR - 2}"'
    return f'<rect class="{_style(peer)}" {size}>{inner}</rect>'


def _legend(peers: list[Peer], top: float) -> tuple[list[str], float]:
    parts = []
    x, y = 10.0, top
    for peer in peers:
        needed = 30 + 7.5 * len(peer.title)
        if x + needed > _WIDTH:
            x, y = 10.0, y + 20
        parts.append(f'<rect class="{_style(peer)}" x="{x:.1f}" y="{y - 10:.1f}" width="12" height="12"/>')
        parts.append(_text(x + 17, y, peer.title, "legend"))
        x += needed
    return parts, y - top + 20


def _style(peer: Peer) -> str:
    return peer.kind if peer.kind in _COLOURS else peer.key


def _text(x: float, y: float, text: str, style: str) -> str:
    return f'<text class="{style}" x="{x:.1f}" y="{y:.1f}">{escape(text)}</text>'


def _document(body: list[str], height: float, report: Report) -> str:
    light = "".join(f".{name}{{fill:{colours[0]}}}" for name, colours in _COLOURS.items())
    dark = "".join(f".{name}{{fill:{colours[1]}}}" for name, colours in _COLOURS.items())
    style = (
        "text{font:12px system-ui,sans-serif;fill:#1f2328}.title{font-weight:600;font-size:14px}"
        ".label{text-anchor:end}.number{font-size:10px}"
        f"{light}@media(prefers-color-scheme:dark){{text{{fill:#e6edf3}}{dark}}}"
    )
    description = escape(f"{report.environment.get('python', '')}, {report.environment.get('processor', '')}")
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height:.0f}" '
            f'width="{_WIDTH}" height="{height:.0f}" role="img">',
            f"<title>Nanoseconds per foreign call</title><desc>{description}</desc>",
            f"<style>{style}</style>",
            *body,
            "</svg>\n",
        ]
    )
