"""The page itself: one HTML file with its own style and script, and nothing from any other host."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Any

import orjson

__all__ = ["content_security_policy", "page_html", "page_with"]

PLACE = '<script type="application/json" id="document"></script>'
"""Where a report's document goes; empty, the page asks its server for one."""
_INLINE = re.compile(r"<(style|script)>(.*?)</\1>", re.DOTALL)


@cache
def page_html(*, asks_token: bool = False) -> str:
    """Return the page without a document; where its server has a token, it asks for it before it asks its server."""
    page = resources.files("jobs.watching").joinpath("page.html").read_text(encoding="utf-8")
    return page.replace('<html lang="en">', '<html lang="en" data-token>', 1) if asks_token else page


def page_with(document: Mapping[str, Any]) -> str:
    """Return the page that shows one document and asks nobody for anything.

    Examples
    --------
    >>> "</script><b>" in page_with({"model": "</script><b>"})
    False
    """
    # In a script element only "<" can end the text; JSON may write it otherwise.
    text = orjson.dumps(document).decode().replace("<", "\\u003c")
    return page_html().replace(PLACE, PLACE.replace("></", f">{text}</"))


@cache
def content_security_policy() -> str:
    """Return the header that lets the browser run this page's own style and script and ask this server, and no more.

    Examples
    --------
    >>> content_security_policy()[:40]
    "default-src 'none'; base-uri 'none'; for"
    """
    hashes = {
        kind: "'sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() + "'"
        for kind, text in _INLINE.findall(page_html())
    }
    return (
        "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; img-src data:; "
        f"connect-src 'self'; style-src {hashes['style']}; script-src {hashes['script']}"
    )
