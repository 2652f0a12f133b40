"""nushell: a record as JSON, for `| from json | load-env`.

nushell parses a script whole before it runs, so nothing that a command prints can be evaluated, and `source` takes
constants only. Programs give it data instead: fnm, mise and direnv are loaded with this very pipeline.
"""

from __future__ import annotations

from typing import Final

from routic_cli.formats.interface import Format
from routic_cli.formats.json_object import rendered

FORMAT: Final = Format(
    "nushell",
    lambda entries: rendered(entries, "nushell"),
    usage="routic export REF --format nushell | from json | load-env",
    is_shell=True,
    # JSON, but no record: `load-env` ends with an error. Nothing at all would make `from json` end with one, in most
    # releases but not in all.
    failure="false\n",
)
