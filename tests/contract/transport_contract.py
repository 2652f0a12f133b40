"""What every transport has to do: the same answer, and for the same mistake the same error class, through each.

A transport inherits TransportContract and says how one is opened for an account, at the time of `clock`.
"""

from __future__ import annotations

from tests.contract.account_balance_contract import AccountBalanceContract
from tests.contract.account_contract import AccountContract
from tests.contract.change_contract import ChangeContract
from tests.contract.giving_up_contract import GivingUpContract
from tests.contract.last_use_contract import LastUseContract
from tests.contract.listing_contract import ListingContract
from tests.contract.reference_contract import ReferenceContract
from tests.contract.registration_contract import RegistrationContract
from tests.contract.revocation_contract import RevocationContract
from tests.contract.trail_contract import TrailContract
from tests.contract.usage_contract import UsageContract
from tests.contract.version_contract import VersionContract


class TransportContract(
    RegistrationContract,
    GivingUpContract,
    ReferenceContract,
    ListingContract,
    LastUseContract,
    ChangeContract,
    VersionContract,
    RevocationContract,
    TrailContract,
    UsageContract,
    AccountContract,
    AccountBalanceContract,
):
    """The promises of routic_cli/transport/interface.py."""
