"""Networks that the tests of several files take."""

import numpy as np

from spintron_ir import (
    Adc,
    Argmax,
    Cell,
    Dense,
    Flatten,
    IntType,
    MulShift,
    Network,
    Node,
    Noise,
    Output,
    Port,
    Table,
    TFLite,
    Thresholds,
)

__all__ = ["U3", "everything"]

U3 = IntType(3)


def dense(rows, cols, **changed):
    rng = np.random.default_rng(rows * cols)
    devices = 1 if changed.get("scheme") == "reference" else 2
    fields = {
        "codes": rng.integers(0, 8, (2, devices, rows, cols)),
        "cell_bits": 3,
        "scheme": "pair",
        "input": U3,
        "dac_bits": 1,
        "slice_shift": (0, 3),
        "tile_rows": 2,
        "bias": rng.integers(-99, 99, cols),
    }
    return Dense(**fields | changed)


def everything():
    """Every kind of record and field, two consumers of one node, two inputs and two outputs."""
    mulshift = MulShift(multiplier=[3, -5, 7], shift=[4, 0, 62], zero_point=2, type=U3)
    code = MulShift(multiplier=[1, 2], shift=[3, 4], zero_point=-1, type=IntType(2, signed=True))
    layers = {
        "flat": (Flatten(in_shape=(2, 2), type=U3), "image"),
        "stem": (
            dense(
                4, 3, requantise=mulshift,
                adc=Adc(bits=5, shift=1, offset=np.arange(12).reshape(2, 2, 1, 3)),
                noise=Noise(seed=(1 << 64) - 1, amplitude=np.full((1, 1, 1, 3), 77)),
            ),
            "flat",
        ),
        "left": (
            dense(
                3, 2, scheme="columns",
                adc=Adc(bits=2, transitions=np.arange(-9, 3).reshape(2, 1, 2, 1, 3)),
                requantise=Thresholds(
                    thresholds=[[-(1 << 62), 1 << 62], [0, 0]], sign=[1, -1], low=1, type=U3
                ),
            ),
            "stem",
        ),
        "right": (
            dense(
                3, 2, scheme="reference", reference=np.ones((2, 3, 2), int), tile_cols=1,
                requantise=Table(code=code, table=[0, 7, 3, 1], type=U3),
            ),
            "stem",
        ),
        "foreign": (
            Cell(
                cell="Foreign", parameters={"on": True, "text": "a", "many": ((1, -2), (3, 4))},
                input=U3, length=2, type=IntType(9, signed=True), outputs=3,
            ),
            "right",
        ),
        "class": (Argmax(input=U3, length=2), "left"),
        "lossless": (dense(5, 2), "vector"),
        "lite": (
            dense(
                5, 2,
                requantise=TFLite(
                    multiplier=[(1 << 31) - 1, -5], shift=[-31, 4], zero_point=-9, low=-3, high=2,
                    type=IntType(4, signed=True),
                ),
            ),
            "vector",
        ),
    }  # fmt: skip
    return Network(
        name="everything",
        inputs=(
            Port(name="image", shape=(2, 2), type=U3, scale=0.1),
            Port(name="vector", shape=(5,), type=U3),
        ),
        nodes=tuple(
            Node(name=name, layer=layer, inputs=(source,))
            for name, (layer, source) in layers.items()
        ),
        outputs=(
            Output(name="class", node="class"),
            Output(name="foreign", node="foreign", scale=1e-9),
            Output(name="lossless", node="lossless"),
            Output(name="lite", node="lite"),
        ),
        metadata={"seed": "3", "note": 'é"\n', "empty": ""},
    )
