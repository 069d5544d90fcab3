"""The ONNX file against our own prediction, run by ONNX Runtime."""

from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest

from sm_platform.densesm.checkpoint import Checkpoint
from sm_platform.densesm.network import ARCHITECTURES, Architecture
from sm_platform.densesm.onnx_export import to_onnx
from sm_platform.densesm.prediction import predict, prepare
from sm_platform.schema.rows import dense
from sm_platform_tests.densesm.making import random_checkpoint, random_rows, rows_of


def run(content: bytes, inputs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    found: Any = session.run(["sm_mean", "sm_sd"], {"inputs": inputs})
    return found[0], found[1]


@pytest.fixture(scope="module")
def whole() -> Checkpoint:
    return random_checkpoint(*ARCHITECTURES)


def test_all_members_predict_as_ours(whole: Checkpoint) -> None:
    rows = random_rows(200, 17)
    ours = predict(prepare(whole, device="cpu"), rows)
    mean, sd = run(to_onnx(whole), dense(rows))
    assert mean.shape == sd.shape == (200,)
    np.testing.assert_allclose(mean, ours.mean, atol=1e-5)
    np.testing.assert_allclose(sd, ours.sd, atol=1e-5)
    assert ours.sd.min() > 1e-3, "the members differ"


@pytest.mark.parametrize("place", [0, 14, 15, 152])
def test_a_missing_input_gives_a_missing_result(place: int) -> None:
    checkpoint = random_checkpoint()
    inputs = dense(random_rows(4, 4))
    inputs[2, place] = np.nan
    mean, sd = run(to_onnx(checkpoint), inputs)
    ours = predict(prepare(checkpoint, device="cpu"), rows_of(inputs))
    assert np.isnan(mean).tolist() == np.isnan(sd).tolist() == [False, False, True, False]
    np.testing.assert_allclose(mean, ours.mean, atol=1e-5)


def test_one_member_has_no_spread() -> None:
    mean, sd = run(to_onnx(random_checkpoint(Architecture(1, 8))), dense(random_rows(3, 3)))
    assert np.isfinite(mean).all()
    assert sd.tolist() == [0, 0, 0]


def test_the_file_tells_what_it_is_and_is_the_same_each_time() -> None:
    checkpoint = random_checkpoint()
    content = to_onnx(checkpoint)
    assert content == to_onnx(checkpoint)
    told = {one.key: one.value for one in onnx.load_model_from_string(content).metadata_props}
    assert told["checkpoint_fingerprint"] == checkpoint.fingerprint
    assert told["recipe_fingerprint"] == checkpoint.recipe_fingerprint
