"""A document as one page of HTML that needs nothing else: no request, no library, no script.

What the page may do is said in its own policy: show its style, and nothing from anywhere else.
Texts are escaped wherever they come from; a name that holds markup is shown as it is written.
"""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from html import escape
from importlib.resources import files

from sim.report.blocks import Document, Heading
from sim.report.page.parts import Parts
from sim.report.rendering import Format

_NAMELESS = "payroute"


def render(document: Document) -> str:
    """Return the page."""
    blocks = list(document.blocks)
    first = blocks[0] if blocks else None
    title = first.words if isinstance(first, Heading) and first.level == 1 else _NAMELESS
    if not isinstance(first, Heading) or first.level != 1:
        blocks.insert(0, Heading(title, level=1))
    parts = Parts()
    body = parts.of(blocks)
    links = "".join(
        f'<li><a href="#{anchor}">{escape(words)}</a></li>' for anchor, words in parts.sections
    )
    nav = f'<nav aria-label="Parts of this page"><ul>{links}</ul></nav>' if links else ""
    style = _part("page.css") + (_part("player.css") if parts.has_player else "")
    script = _part("player.js") if parts.has_player else ""
    policy = f"default-src 'none'; style-src '{_fingerprint(style)}'; img-src data:"
    policy += "; base-uri 'none'; form-action 'none'"
    if script:
        policy += f"; script-src '{_fingerprint(script)}'"
        body += f"\n<script>{script}</script>"
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n'
        # Else a browser asks for an icon of its own accord.
        '<link rel="icon" href="data:,">\n'
        f"<title>{escape(title)}</title>\n<style>{style}</style>\n</head>\n<body>\n"
        f'<a class="skip" href="#main">To the content</a>\n{nav}\n'
        f'<main id="main">\n{body}\n{_footer(document)}</main>\n</body>\n</html>\n'
    )


def _footer(document: Document) -> str:
    made = document.origin.get("software")
    if not isinstance(made, dict):
        return ""
    command = document.origin.get("command")
    words = f"Made by payroute {made.get('version')}, source {made.get('source')}"
    if isinstance(command, list):
        words += f", with: {' '.join(map(str, command))}"
    return f"<footer><p>{escape(words)}</p></footer>\n"


@cache
def _part(name: str) -> str:
    """Return a file of the page's own."""
    return files("sim.report.page").joinpath(name).read_text(encoding="utf-8")


def _fingerprint(content: str) -> str:
    """Return what a policy calls a part of the page by: its digest."""
    return f"sha256-{base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()}"


FORMAT = Format(render, (".html",))
