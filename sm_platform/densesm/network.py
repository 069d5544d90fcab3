"""One DenseSM network: 153 scaled inputs to soil moisture (Zhu et al. 2024, RSE 301:113944).

Parameter names are those of the published state dicts. Shapes in comments leave out the batch.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from sm_platform.errors import CheckpointError
from sm_platform.grid.calendar import N_STEPS
from sm_platform.schema.recipes import N_SCALARS, N_SERIES

FILTERS = (32, 16, 4)
"""Channels after each of the three convolutions."""
KERNEL = 5
N_CODES = 12
"""Numbers that the series branch hands over: 4 channels x 3 steps, channel-major."""
N_FEATURES = N_SCALARS + N_SERIES + N_CODES
N_HIDDEN = 32
DROPOUT = 0.5
BLOCKS = (1, 2, 3, 4, 5)
WIDTHS = (8, 16, 32, 64, 128)


@dataclass(frozen=True, slots=True, order=True)
class Architecture:
    """What tells the 25 published members apart."""

    blocks: int
    """Dense blocks, 1..5."""
    width: int
    """Units of each layer in a block: 8, 16, 32, 64 or 128."""

    def __post_init__(self) -> None:
        if self.blocks not in BLOCKS or self.width not in WIDTHS:
            raise CheckpointError(
                f"No DenseSM member has {self.blocks} blocks of width {self.width}: "
                f"blocks are {BLOCKS}, widths {WIDTHS}."
            )

    @property
    def name(self) -> str:
        """`{blocks}_{width}`, as in the published file names."""
        return f"{self.blocks}_{self.width}"


ARCHITECTURES = tuple(Architecture(blocks, width) for blocks in BLOCKS for width in WIDTHS)


class SeriesBranch(nn.Module):
    """Three yearly series to 12 numbers by convolution and pooling."""

    def __init__(self) -> None:
        super().__init__()
        channels = (N_SERIES, *FILTERS)
        for k in (1, 2, 3):
            conv = nn.Conv1d(
                channels[k - 1], channels[k], KERNEL, padding=KERNEL // 2, padding_mode="replicate"
            )
            self.add_module(f"conv{k}", conv)
            self.add_module(f"bn{k}", nn.BatchNorm1d(channels[k]))
        self.dropout = nn.Dropout(DROPOUT)
        self.pool = nn.AvgPool1d(2)  # drops an odd last step
        self.last_pool = nn.AvgPool1d(4, ceil_mode=True)  # keeps the ragged end, a mean over 3

    def forward(self, series: Tensor) -> Tensor:
        """Codes (n, 12) of `series` (n, 3, 46)."""
        x = self.pool(self._step(1, series))  # (3, 46) -> (32, 23)
        x = self.pool(self._step(2, x))  # -> (16, 11)
        x = self.last_pool(self._step(3, x))  # -> (4, 3)
        return torch.flatten(x, 1)  # -> (12,)

    def _step(self, k: int, x: Tensor) -> Tensor:
        convolution, norm = self.get_submodule(f"conv{k}"), self.get_submodule(f"bn{k}")
        dropped: Tensor = self.dropout(torch.relu(norm(convolution(x))))
        return dropped


class DenseBlock(nn.Module):
    """Three layers whose output goes in front of their input."""

    def __init__(self, n_in: int, width: int) -> None:
        super().__init__()
        self.linear1 = nn.Linear(n_in, width)
        self.linear2 = nn.Linear(width, width)
        self.linear3 = nn.Linear(width, width)
        self.bn1 = nn.BatchNorm1d(width)
        self.bn2 = nn.BatchNorm1d(width)
        self.bn3 = nn.BatchNorm1d(width)

    def forward(self, x: Tensor) -> Tensor:
        """(n, n_in) to (n, width + n_in)."""
        out = torch.relu(self.bn1(self.linear1(x)))
        out = torch.relu(self.bn2(self.linear2(out)))
        out = torch.relu(self.bn3(self.linear3(out)))
        return torch.cat((out, x), dim=1)


class LastHidden(nn.Module):
    """Linear, ReLU, then the norm: the one place where ReLU comes first."""

    def __init__(self, n_in: int) -> None:
        super().__init__()
        self.linear1 = nn.Linear(n_in, N_HIDDEN)
        self.bn1 = nn.BatchNorm1d(N_HIDDEN)

    def forward(self, x: Tensor) -> Tensor:
        """(n, n_in) to (n, 32)."""
        hidden: Tensor = self.bn1(torch.relu(self.linear1(x)))
        return hidden


class DenseSM(nn.Module):
    """A member of the ensemble; (n, 153) scaled inputs to (n,) soil moisture in m3/m3."""

    def __init__(self, architecture: Architecture) -> None:
        super().__init__()
        blocks, width = architecture.blocks, architecture.width
        self.conv_block = SeriesBranch()
        self.norm = nn.BatchNorm1d(N_FEATURES)
        self.dense_layers = nn.ModuleList(
            DenseBlock(N_FEATURES + k * width, width) for k in range(blocks)
        )
        self.fc_layers = nn.ModuleList([LastHidden(N_FEATURES + blocks * width)])
        self.out = nn.Linear(N_HIDDEN, 1)

    def forward(self, inputs: Tensor) -> Tensor:
        """Soil moisture (n,) of `inputs` (n, 153)."""
        series = inputs[:, N_SCALARS:].reshape(-1, N_SERIES, N_STEPS)  # (138,) -> (3, 46)
        codes = self.conv_block(series)
        return self.dense(self.features(inputs[:, :N_SCALARS], series.mean(dim=2), codes))

    def features(self, scalars: Tensor, means: Tensor, codes: Tensor) -> Tensor:
        """Normalised features (n, 30) of (n, 15) scalars, (n, 3) series means, (n, 12) codes."""
        normed: Tensor = self.norm(torch.cat((scalars, means, codes), dim=1))
        return normed

    def dense(self, features: Tensor) -> Tensor:
        """Soil moisture (n,) of normalised features (n, 30)."""
        moisture: Tensor = self.out(self.hidden(features))[:, 0]  # ()
        return moisture

    def hidden(self, features: Tensor) -> Tensor:
        """The last hidden layer (n, 32) of normalised features (n, 30): what domains share."""
        x = features
        for block in self.dense_layers:
            x = block(x)  # (30 + k width,)
        for hidden in self.fc_layers:
            x = hidden(x)  # (32,)
        return x


def expected_shapes(architecture: Architecture) -> dict[str, tuple[int, ...]]:
    """Name and shape of every tensor of a member's state dict; nothing is allocated."""
    with torch.device("meta"):
        state = DenseSM(architecture).state_dict()
    return {name: tuple(tensor.shape) for name, tensor in state.items()}
