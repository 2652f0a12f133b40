"""What a server process is told: by its parent through one variable of the environment, never a secret in it."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from typing import Final, Self

VARIABLE: Final = "ROUTIC_SERVE_SETTINGS"


@dataclass(frozen=True, slots=True)
class Settings:
    """Where the keys and the usage log are, and whose forwarded addresses are believed.

    The address of a Redis, which may hold a password, comes from ROUTIC_REDIS_URL in each process.
    """

    key_store: str
    usage_store: str
    trusted: tuple[str, ...] = ()

    def to_environment(self) -> None:
        """Leave it to the workers that this process starts."""
        os.environ[VARIABLE] = json.dumps(asdict(self))

    @classmethod
    def from_environment(cls) -> Self:
        """What the parent left."""
        values = json.loads(os.environ[VARIABLE])
        return cls(values["key_store"], values["usage_store"], tuple(values["trusted"]))
