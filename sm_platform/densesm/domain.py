"""Bringing the hidden features of two regions together, for labels that only one of them has."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from torch import Tensor

from sm_platform.densesm.published_losses import coral, mmd

DomainLoss = Callable[[Tensor, Tensor], Tensor]
"""Distance () of hidden features (n, 32) of labelled rows from those (m, 32) of target rows."""
NO_DOMAIN_LOSS = "none"
DOMAIN_LOSSES: Mapping[str, DomainLoss] = MappingProxyType({"coral": coral, "mmd": mmd})
"""By the name a user gives."""
