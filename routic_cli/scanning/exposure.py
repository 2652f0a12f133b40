"""Where a key is worse than elsewhere: what browsers download, and variables that bundlers copy into that."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Final

from routic_cli.delivery.publishing import WEB_ROOTS, variable_findings

_PAGES: Final = frozenset({".html", ".htm", ".jsx", ".tsx", ".vue", ".svelte", ".astro"})
_SCRIPTS: Final = frozenset({".js", ".ts", ".mjs", ".cjs"})
_SCRIPT_FOLDERS: Final = frozenset({"src", "app", "assets", "client", "components", "frontend", "pages", "web"})


def exposure_of(file: str, variable: str) -> str:
    """Why the key in this file, assigned to this variable, is read by strangers; nothing where it need not be."""
    for finding in variable_findings(variable):
        return f"{variable}: {finding.message}"
    path = PurePosixPath(file.replace("\\", "/").lower())
    root = next((part for part in path.parts[:-1] if part in WEB_ROOTS), None)
    if root:
        return f"Web servers and bundlers hand out what is under {root}/: whoever opens the page can read the key"
    if path.suffix in _PAGES:
        return f"A browser gets this {path.suffix} source: whoever opens the page can read the key"
    if path.suffix in _SCRIPTS and not _SCRIPT_FOLDERS.isdisjoint(path.parts[:-1]):
        return "If this is bundled for a browser, whoever opens the page can read the key"
    return ""
