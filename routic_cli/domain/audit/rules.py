"""The rules of the audit, in the order of SPEC 11. A rule is a module of this package with a `find`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Final

from routic_cli.domain.audit.facts import Facts
from routic_cli.domain.audit.findings import Finding, RuleName

RULES: Final[Mapping[RuleName, Callable[[Facts], Iterator[Finding]]]] = {}
