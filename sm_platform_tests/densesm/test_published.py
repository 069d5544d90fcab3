from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor

from sm_platform.densesm.network import ARCHITECTURES, Architecture, DenseSM
from sm_platform.densesm.published import read_published
from sm_platform.errors import CheckpointError
from sm_platform_tests.densesm.making import random_state

A = Architecture(2, 8)


def plain(name: str) -> str:
    return name


def nested(name: str) -> str:
    return f"0.{name}"


def fine_tuned(name: str) -> str:
    return name.replace("out.", "mv.") if name.startswith("out.") else f"fe.{name}"


FORMS = [plain, nested, fine_tuned]


def write(folder: Path, state: object, name: str = "coarse_2_8.pt") -> Path:
    torch.save(state, folder / name)
    return folder


@pytest.mark.parametrize("form", FORMS)
def test_each_form_of_names_gives_the_same_state(
    form: Callable[[str], str], tmp_path: Path
) -> None:
    state = random_state(A)
    as_published = {
        form(k): t.float() if k.endswith("tracked") else t.double() for k, t in state.items()
    }
    (found,) = read_published(write(tmp_path, as_published)).values()
    assert list(found) == list(DenseSM(A).state_dict())
    for name, tensor in state.items():
        assert torch.equal(found[name], tensor)
        assert found[name].dtype == (torch.int64 if name.endswith("tracked") else torch.float32)


@pytest.mark.parametrize("form", FORMS)
def test_a_missing_key_is_named_with_its_file(form: Callable[[str], str], tmp_path: Path) -> None:
    state = {form(k): t for k, t in random_state(A).items()}
    lost = form("dense_layers.1.bn2.running_var")
    del state[lost]
    with pytest.raises(CheckpointError, match=rf"coarse_2_8.pt: keys 1 missing \({lost}\)"):
        read_published(write(tmp_path, state))


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(
    "extra", ["conv_block.conv4.weight", "fe.extra", "0.extra", "fe.out.weight"]
)
def test_an_unexpected_key_is_named_with_its_file(
    form: Callable[[str], str], extra: str, tmp_path: Path
) -> None:
    state = {form(k): t for k, t in random_state(A).items()} | {extra: torch.zeros(1)}
    with pytest.raises(CheckpointError, match=rf"coarse_2_8.pt: keys 1 unexpected \({extra}\)"):
        read_published(write(tmp_path, state))


def test_a_member_under_another_members_name_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"2_16.pt: 'dense_layers.0.linear1.weight' .*8, 30"):
        read_published(write(tmp_path, random_state(A), "coarse_2_16.pt"))


def test_a_wrong_type_and_a_weight_that_is_not_a_number_are_refused(tmp_path: Path) -> None:
    state = random_state(A)
    with pytest.raises(CheckpointError, match=r"'out.bias' holds torch.int64"):
        read_published(write(tmp_path, state | {"out.bias": torch.tensor([1])}))
    with pytest.raises(CheckpointError, match=r"'out.bias' holds NaN"):
        read_published(write(tmp_path, state | {"out.bias": torch.tensor([float("nan")])}))


class Trap:
    """Unpickling an instance leaves a file behind."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, ...]:
        return (Path.touch, (self.path,))


@pytest.mark.parametrize("what", ["module", "trap"])
def test_pickled_classes_are_refused_and_never_run(what: str, tmp_path: Path) -> None:
    content = DenseSM(A) if what == "module" else {"out.bias": Trap(tmp_path / "ran")}
    with pytest.raises(CheckpointError, match=r"coarse_2_8.pt: it holds pickled classes"):
        read_published(write(tmp_path, content))
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("content", [[torch.zeros(1)], {"state": {}}, {"epoch": 3}, {1: 2}])
def test_what_is_no_state_dict_is_refused(content: object, tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="not a dictionary of tensors"):
        read_published(write(tmp_path, content))


@pytest.mark.parametrize("kept", [0, 10, 0.5, -1])
def test_a_damaged_file_is_refused_by_name(kept: float, tmp_path: Path) -> None:
    path = write(tmp_path, random_state(A)) / "coarse_2_8.pt"
    whole = path.read_bytes()
    path.write_bytes(whole[: int(kept * len(whole)) if kept == 0.5 else int(kept)])
    with pytest.raises(CheckpointError, match=r"coarse_2_8.pt"):
        read_published(tmp_path)


def test_a_folder_without_members_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="holds no file named like coarse_3_64.pt"):
        read_published(tmp_path)


@pytest.mark.parametrize("name", ["weights.pt", "coarse_6_8.pt", "coarse_2_9.pt"])
def test_a_file_that_names_no_member_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=name):
        read_published(write(tmp_path, random_state(A), name))


def test_a_member_twice_is_refused_and_a_subset_accepted(tmp_path: Path) -> None:
    write(tmp_path, random_state(A), "ft_thai_binh_2_8.pt")
    write(tmp_path, random_state(Architecture(1, 8)), "1_8.pt")
    assert list(read_published(tmp_path)) == [Architecture(1, 8), A]
    write(tmp_path, random_state(A))
    with pytest.raises(CheckpointError, match="coarse_2_8.pt and ft_thai_binh_2_8.pt"):
        read_published(tmp_path)


def test_the_25_published_members_are_read_in_their_order(shared: Callable[..., Path]) -> None:
    found: dict[Architecture, dict[str, Tensor]] = read_published(shared("weights", "DenseSM_9km"))
    assert tuple(found) == ARCHITECTURES
