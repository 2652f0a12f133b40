"""The process that writes the usage log, without patience for locks."""

from __future__ import annotations

from routic_cli.server.usage_writer import main
from routic_cli.store import connection

if __name__ == "__main__":
    connection.BUSY_TIMEOUT_SECONDS = 0.05  # type: ignore[misc]  # a test's
    main()
