"""The formats of structured reports. A new one is a module beside this with a `FORMAT`, and a row here."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from routic_cli.scanning.reports import betterleaks, detect_secrets, github, gitleaks, kingfisher, sarif, trufflehog
from routic_cli.scanning.reports.entry import Format


def formats(folders: Sequence[Path]) -> tuple[Format, ...]:
    """The most telling first. `folders` are where the files may be that a report names."""
    return (
        gitleaks.FORMAT,
        trufflehog.FORMAT,
        detect_secrets.format_for(folders),
        sarif.FORMAT,
        github.FORMAT,
        betterleaks.FORMAT,
        kingfisher.FORMAT,
    )
