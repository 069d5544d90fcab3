"""A checkpoint as one ONNX file: the whole ensemble, from scaled inputs to mean and spread.

The graph is built node by node from the weights, so nothing is traced and torch is not needed to
run it. Input `inputs` (n, 153) float32; outputs `sm_mean` and `sm_sd` (n,) in m3/m3, NaN where an
input is missing (NaN), as in `prediction`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from onnx import ModelProto, NodeProto, TensorProto, checker, helper, numpy_helper

from sm_platform import __version__
from sm_platform.densesm.checkpoint import Checkpoint, Member
from sm_platform.densesm.folding import EPSILON, LAST_POOLED
from sm_platform.densesm.network import KERNEL
from sm_platform.grid.calendar import N_STEPS
from sm_platform.schema.recipes import N_INPUTS, N_SCALARS, N_SERIES

OPSET = 17
IR_VERSION = 8
"""Both of 2022: every runtime since then reads them."""
Attribute = int | float | str | list[int]
LAST_STEPS = sum(LAST_POOLED)
EDGE = KERNEL // 2


@dataclass(frozen=True, slots=True)
class _Graph:
    """Nodes and constants collected so far; the collections grow, the names stay."""

    nodes: list[NodeProto] = field(default_factory=list)
    constants: list[TensorProto] = field(default_factory=list)

    def add(self, kind: str, inputs: Sequence[str], output: str, **attributes: Attribute) -> str:
        """One more node; returns the name of its output."""
        node = helper.make_node(kind, list(inputs), [output])
        made = (helper.make_attribute(name, value) for name, value in sorted(attributes.items()))
        node.attribute.extend(made)
        self.nodes.append(node)
        return output

    def hold(self, name: str, values: NDArray[np.generic]) -> str:
        """One more constant; returns its name."""
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(values), name))
        return name


def to_onnx(checkpoint: Checkpoint) -> bytes:
    """The ensemble as the bytes of an ONNX file; the same checkpoint, the same bytes."""
    graph = _Graph()
    shared = _inputs(graph)
    values = [_member(graph, member, shared) for member in checkpoint.members]  # (n, 1) each
    _spread(graph, graph.add("Concat", values, "members", axis=1))
    model = _model(graph, checkpoint)
    checker.check_model(model, full_check=True)
    written: bytes = model.SerializeToString(deterministic=True)
    return written


def _model(graph: _Graph, checkpoint: Checkpoint) -> ModelProto:
    told = helper.make_tensor_value_info
    made = helper.make_graph(
        graph.nodes,
        "densesm",
        [told("inputs", TensorProto.FLOAT, ["n", N_INPUTS])],
        [told(name, TensorProto.FLOAT, ["n"]) for name in ("sm_mean", "sm_sd")],
        graph.constants,
    )
    opset = helper.make_operatorsetid("", OPSET)
    model = helper.make_model(
        made,
        opset_imports=[opset],
        ir_version=IR_VERSION,
        producer_name="sm_platform",
        producer_version=__version__,
    )
    helper.set_model_props(model, _provenance(checkpoint))
    return model


def _provenance(checkpoint: Checkpoint) -> dict[str, str]:
    licences = checkpoint.metadata.get("licences") or checkpoint.metadata.get("licence") or ()
    return {
        "checkpoint_id": checkpoint.checkpoint_id,
        "checkpoint_fingerprint": checkpoint.fingerprint,
        "recipe_id": checkpoint.recipe_id,
        "recipe_fingerprint": checkpoint.recipe_fingerprint,
        "licences": licences if isinstance(licences, str) else "; ".join(map(str, licences)),
        "units": "inputs scaled to 0..1 by the recipe; outputs m3/m3, not clipped",
    }


@dataclass(frozen=True, slots=True)
class _Shared:
    """Names of what all members read."""

    scalars: str
    """(n, 15)"""
    series: str
    """(n, 3, 46)"""
    means: str
    """(n, 3): of each series."""


def _inputs(graph: _Graph) -> _Shared:
    sizes = graph.hold("sizes", np.array([N_SCALARS, N_SERIES * N_STEPS]))
    graph.nodes.append(helper.make_node("Split", ["inputs", sizes], ["scalars", "flat"], axis=1))
    shape = graph.hold("series_shape", np.array([-1, N_SERIES, N_STEPS]))
    series = graph.add("Reshape", ["flat", shape], "series")
    means = graph.add("ReduceMean", [series], "series_means", axes=[2], keepdims=0)
    graph.hold("pad", np.array([0, 0, EDGE, 0, 0, EDGE]))
    ends = np.cumsum((0, *LAST_POOLED))
    last = np.zeros((LAST_STEPS, len(LAST_POOLED)), np.float32)
    for group, (first, end) in enumerate(zip(ends[:-1], ends[1:], strict=True)):
        last[first:end, group] = 1 / (end - first)
    graph.hold("last_means", last)  # runtimes differ in how they average a ragged end
    return _Shared("scalars", series, means)


def _member(graph: _Graph, member: Member, shared: _Shared) -> str:
    """Soil moisture (n, 1) of one member."""
    state = {name: tensor.numpy() for name, tensor in member.state.items()}
    layers = _Layers(graph, member.name, state)
    codes = layers.codes(shared.series)
    x = layers.norm("norm", layers.join((shared.scalars, shared.means, codes), "features"))
    for k in range(member.architecture.blocks):
        out = x
        for j in (1, 2, 3):
            name = f"dense_layers.{k}"
            linear = layers.linear(f"{name}.linear{j}", out)
            out = layers.relu(layers.norm(f"{name}.bn{j}", linear))
        x = layers.join((out, x), f"block{k}")
    hidden = layers.relu(layers.linear("fc_layers.0.linear1", x))  # here ReLU comes first
    return layers.linear("out", layers.norm("fc_layers.0.bn1", hidden))


@dataclass(frozen=True, slots=True)
class _Layers:
    """The layers of one member as nodes, named `{member}/{layer}`."""

    graph: _Graph
    member: str
    state: Mapping[str, NDArray[np.float32]]

    def codes(self, x: str) -> str:
        """(n, 3, 46) to (n, 12), channel-major."""
        for k in (1, 2, 3):
            name = f"conv_block.conv{k}"
            padded = self._add("Pad", [x, "pad"], f"{name}.padded", mode="edge")
            convolved = self._add("Conv", [padded, *self._parameters(name)], name)
            x = self.relu(self.norm(f"conv_block.bn{k}", convolved))
            if k < 3:
                pool = f"conv_block.pool{k}"
                x = self._add("AveragePool", [x], pool, kernel_shape=[2], strides=[2])
        means = self._add("MatMul", [x, "last_means"], "conv_block.means")  # (n, 4, 3)
        return self._add("Flatten", [means], "conv_block.codes", axis=1)

    def linear(self, name: str, x: str) -> str:
        return self._add("Gemm", [x, *self._parameters(name)], name, transB=1)

    def norm(self, name: str, x: str) -> str:
        parts = ("weight", "bias", "running_mean", "running_var")
        inputs = [x, *(self._hold(f"{name}.{part}") for part in parts)]
        return self._add("BatchNormalization", inputs, name, epsilon=EPSILON)

    def relu(self, x: str) -> str:
        return self.graph.add("Relu", [x], f"{x}.relu")

    def join(self, parts: Sequence[str], name: str) -> str:
        return self._add("Concat", parts, name, axis=1)

    def _parameters(self, name: str) -> list[str]:
        return [self._hold(f"{name}.{part}") for part in ("weight", "bias")]

    def _hold(self, name: str) -> str:
        return self.graph.hold(f"{self.member}/{name}", self.state[name])

    def _add(self, kind: str, inputs: Sequence[str], name: str, **attributes: Attribute) -> str:
        return self.graph.add(kind, inputs, f"{self.member}/{name}", **attributes)


def _spread(graph: _Graph, values: str) -> None:
    """Mean and population standard deviation over (n, k) members; NaN rows where an input is."""
    mean = graph.add("ReduceMean", [values], "mean", axes=[1], keepdims=1)
    off = graph.add("Sub", [values, mean], "off")
    squares = graph.add("Mul", [off, off], "squares")
    variance = graph.add("ReduceMean", [squares], "variance", axes=[1], keepdims=0)
    spread = graph.add("Sqrt", [variance], "spread")
    flat = graph.add("Squeeze", [mean, graph.hold("columns", np.array([1]))], "flat_mean")
    is_nan = graph.add("IsNaN", ["inputs"], "is_nan")
    counted = graph.add("Cast", [is_nan], "nan_flags", to=TensorProto.FLOAT)
    any_nan = graph.add("ReduceMax", [counted], "any_nan", axes=[1], keepdims=0)
    missing = graph.add("Cast", [any_nan], "is_missing", to=TensorProto.BOOL)
    nan = graph.hold("nan", np.array(np.nan, np.float32))
    graph.add("Where", [missing, nan, flat], "sm_mean")
    graph.add("Where", [missing, nan, spread], "sm_sd")
