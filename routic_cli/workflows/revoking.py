"""What a revocation works with: no trouble with this machine's own memory keeps a key alive."""

from __future__ import annotations

from dataclasses import dataclass

from routic_cli.domain.errors import RouticError
from routic_cli.domain.keys import KeyId
from routic_cli.workflows.issue import Desk


@dataclass(frozen=True, slots=True)
class RevokingDesk(Desk):
    """A desk at which keys end. `trouble` is what is wrong with this machine's memory, and has been told."""

    trouble: RouticError | None = None

    def forget_sealed(self, key_id: KeyId, *, but: int | None = None) -> None:
        """As at any desk. What is not forgotten would put back a key that is dead: that is told, and no error."""
        if self.trouble is not None:
            return
        try:
            # Not `super()`: a dataclass with slots is made twice, and `super()` means the first.
            Desk.forget_sealed(self, key_id, but=but)
        except RouticError as error:
            said = ". ".join(error.sentences())
            self.warn(f"What an abort of a rotation would have needed is still kept. {said}")
