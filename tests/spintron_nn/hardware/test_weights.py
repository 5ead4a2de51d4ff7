"""Tests of spintron_nn.hardware.weights."""

import json
import re
import shutil
import subprocess

import numpy as np
import pytest

from spintron_hw.build.verilog import design_of
from spintron_hw.mapping.map import map_network
from spintron_hw.mapping.target import GENERIC
from spintron_ir import (
    Dense,
    IntType,
    Network,
    Node,
    Noise,
    Output,
    ParameterError,
    Port,
    Thresholds,
)
from spintron_nn.hardware.weights import contents_of, memory_images, write_weights
from tests.e2e.networks import random_network

INT64 = np.iinfo(np.int64)


def dense(name, source="x", rows=2, **changed):
    fields = {
        "codes": [[[[5], [1]], [[2], [6]]]],
        "cell_bits": 3,
        "scheme": "pair",
        "input": IntType(2),
        "dac_bits": 1,
        "slice_shift": (0,),
        "tile_rows": 2,
        "bias": [5],
    }
    return Node(name=name, layer=Dense(**fields | changed), inputs=(source,))


def network(*nodes):
    return Network(
        name="tiny",
        inputs=(Port(name="x", shape=(2,), type=IntType(2), scale=0.25),),
        nodes=nodes,
        outputs=tuple(Output(name=node.name, node=node.name, scale=1e-9) for node in nodes),
        metadata={"note": 'é"'},
    )


def folded(net):
    return map_network(net, GENERIC, body="folded")


def write(net, folder, *formats):
    return write_weights(folded(net), folder, formats=formats or None, command=["test"])


@pytest.fixture
def extreme():
    """Every type of C, names that are alike without their dots, and the ends of every range."""
    ends = Thresholds(
        thresholds=[[INT64.min, -(1 << 31), 0, INT64.max]], sign=[-1], low=-1,
        type=IntType(3, signed=True),
    )  # fmt: skip
    noise = Noise(seed=(1 << 64) - 1, amplitude=np.full((1, 1, 1, 1), 65535))
    return network(
        dense("fc", requantise=ends, noise=noise),
        dense("fc_noise", bias=[-(1 << 31)]),
        dense("int", bias=[(1 << 31) - 1]),
    )


def test_contents_by_hand():
    found = contents_of(network(dense("fc")))
    assert list(found) == ["format", "name", "digest", "inputs", "layers", "outputs"]
    assert found["inputs"] == {
        "x": {"shape": [2], "type": {"bits": 2, "signed": False}, "scale": 0.25}
    }
    assert found["outputs"] == {"fc": {"node": "fc", "scale": 1e-9}}
    fc = found["layers"]["fc"]
    # 5 - 2 and 1 - 6; up to 3 * 3 + 5 and down to 3 * -5 + 5, which takes five bits.
    assert fc["weights"].tolist() == [[[[3], [-5]]]]
    assert fc["result"] == {"shape": [1], "type": {"bits": 5, "signed": True}}
    assert (fc["sources"], fc["slice_shift"], fc["adc"]) == (["x"], [0], None)


def test_formats_hold_the_same_numbers(tmp_path, extreme):
    files = write(extreme, tmp_path)
    named = ["weights.npz", "weights.json", "weights.h"]
    images = [f"{name}.bank0.mem" for name in ("fc", "fc_noise", "int")]
    assert [path.name for path in files] == [*named, *images, "manifest.json"]
    manifest = json.loads(files[-1].read_text())
    assert manifest["inputs"] == {"network": extreme.digest()}
    assert sorted(manifest["files"]) == sorted([*named, *images])

    text = json.loads((tmp_path / "weights.json").read_text())
    assert text["metadata"] == {"note": 'é"'}
    with np.load(tmp_path / "weights.npz", allow_pickle=False) as arrays:
        assert arrays["format"] == 1
        for name, node in ((node.name, node.layer) for node in extreme.nodes):
            for field in ("codes", "bias", "weights"):
                wanted, found = getattr(node, field), arrays[f"layers.{name}.{field}"]
                np.testing.assert_array_equal(found, wanted)
                assert found.dtype == wanted.dtype
                assert text["layers"][name][field] == wanted.tolist()
        assert int(arrays["layers.fc.noise.seed"]) == (1 << 64) - 1
        assert arrays["layers.fc.slice_shift"].tolist() == [0]
        assert "layers.fc.adc" not in arrays.files
    ends = [[INT64.min, -(1 << 31), 0, INT64.max]]
    assert text["layers"]["fc"]["requantise"]["thresholds"] == ends


def test_the_same_network_gives_the_same_bytes(tmp_path, extreme):
    for one, other in zip(
        write(extreme, tmp_path / "a"), write(extreme, tmp_path / "b"), strict=True
    ):
        assert one.read_bytes() == other.read_bytes()


PROGRAM = r"""
#include <stdio.h>
#include <inttypes.h>
#include "weights.h"
#define T(name) spintron_tiny_layers_##name
int main(void) {
  for (int n = 0; n < SPINTRON_TINY_LAYERS_FC_REQUANTISE_THRESHOLDS_SIZE1; n++)
    printf("%" PRId64 " ", T(fc_requantise_thresholds)[0][n]);
  printf("%d %" PRIu64 " ", T(fc_requantise_sign)[0], (uint64_t)SPINTRON_TINY_LAYERS_FC_NOISE_SEED);
  printf("%d %d ", T(fc_weights)[0][0][0][0], T(fc_weights)[0][0][1][0]);
  printf("%u %" PRId32 " ", T(fc_noise_amplitude)[0][0][0][0], T(fc_noise_bias)[0]);
  printf("%" PRId32 " ", T(int_bias)[0]);
  int shape[SPINTRON_TINY_INPUTS_X_SHAPE_COUNT] = SPINTRON_TINY_INPUTS_X_SHAPE;
  const char *scheme = SPINTRON_TINY_LAYERS_FC_SCHEME;
  printf("%d %s %g\n", shape[0], scheme, SPINTRON_TINY_INPUTS_X_SCALE);
  return 0;
}
"""


@pytest.mark.toolchain
@pytest.mark.parametrize(("compiler", "standard"), [("gcc", "c99"), ("g++", "c++17")])
def test_c_header(tmp_path, extreme, require_tool, compiler, standard):
    require_tool(compiler, None if shutil.which(compiler) else "apt install g++")
    write(extreme, tmp_path, "c")
    source = tmp_path / ("main.c" if standard == "c99" else "main.cpp")
    source.write_text(PROGRAM)
    options = [f"-std={standard}", "-pedantic", "-Wall", "-Wextra", "-Werror"]
    subprocess.run([compiler, *options, source, "-o", tmp_path / "main"], check=True)
    said = subprocess.run([tmp_path / "main"], capture_output=True, check=True, text=True).stdout
    ends = f"{INT64.min} {-(1 << 31)} 0 {INT64.max} -1 {(1 << 64) - 1}"
    assert said == f"{ends} 3 -5 65535 {-(1 << 31)} {(1 << 31) - 1} 2 pair 0.25\n"


def test_c_names_that_would_be_alike_are_told_apart(tmp_path):
    net = network(
        dense("fc", noise=Noise(seed=7, amplitude=np.ones((1, 1, 1, 1)).astype(int))),
        dense("fc_noise", noise=None),
        dense("fc_noise_kind"),
    )
    write(net, tmp_path, "c")
    text = (tmp_path / "weights.h").read_text()
    assert re.findall(r"#define \w+_FC_NOISE_KIND(?:_2)? .*", text) == [
        '#define SPINTRON_TINY_LAYERS_FC_NOISE_KIND "noise"',
        '#define SPINTRON_TINY_LAYERS_FC_NOISE_KIND_2 "dense"',
    ]
    names = re.findall(r"#define (\w+)", text)
    assert len(names) == len(set(names))


@pytest.mark.toolchain
def test_memory_images_are_what_the_verilog_holds(tmp_path, require_tool):
    require_tool("iverilog", None if shutil.which("iverilog") else "apt install iverilog")
    plan = folded(random_network(4))  # two layers
    (tmp_path / "top.v").write_text(design_of(plan, "top").verilog)
    images = memory_images(plan)
    checks = []
    for name, text in images.items():
        (tmp_path / name).write_text(text)
        layer, bank = re.fullmatch(r"(\w+)\.bank(\d+)\.mem", name).groups()
        words, bits = map(int, re.findall(r"(\d+) words of (\d+) bits", text)[0])
        checks.append(
            f"""
            begin : {layer}_{bank}
              reg [{bits - 1}:0] image [0:{words - 1}];
              $readmemh("{name}", image);
              if ($bits(top.{layer}.tile.bank_{bank}[0]) != {bits}) $display("width");
              for (n = 0; n < {words}; n = n + 1)
                if (top.{layer}.tile.bank_{bank}[n] !== image[n]) $display("differs: {name}");
                else equal = equal + 1;
            end"""
        )
    (tmp_path / "check.sv").write_text(
        "module check;\n  top top ();\n  integer n, equal = 0;\n  initial #1 begin"
        + "".join(checks)
        + '\n    $display("%0d", equal);\n  end\nendmodule\n'
    )
    build = ["iverilog", "-g2012", "-s", "check", "-o", "check.vvp", "check.sv", "top.v"]
    subprocess.run(build, cwd=tmp_path, check=True)
    done = subprocess.run(
        ["vvp", "-n", "check.vvp"], cwd=tmp_path, capture_output=True, check=True, text=True
    )
    lines = sum(len(text.splitlines()) - 1 for text in images.values())
    assert done.stdout == f"{lines}\n"
    assert {name.split(".")[0] for name in images} == {"fc0", "fc1"} and len(images) > 2


def test_memory_images_hold_the_words_of_the_plan():
    plan = folded(network(dense("fc")))
    (text,) = memory_images(plan).values()
    # By hand: 3 and -5 in four bits each, both rows in one word or one after the other.
    both = plan.layers["fc"].row_parallel == 2
    words = ["b3"] if both else ["3", "b"]
    bits = 8 if both else 4
    assert text.splitlines() == [f"// fc, bank 0: {len(words)} words of {bits} bits", *words]


def test_refuses_memory_images_of_logic(tmp_path):
    plan = map_network(network(dense("fc")), GENERIC, body="unrolled")
    assert memory_images(plan) == {}
    message = (
        "weights: no layer of tiny is folded, so there is no memory to fill; "
        "give --body folded, or leave mem out"
    )
    with pytest.raises(ParameterError, match=f"^{re.escape(message)}$"):
        write_weights(plan, tmp_path / "out", formats=["json", "mem"], command=[])
    assert not (tmp_path / "out").exists()


def test_refuses_an_unknown_format(tmp_path):
    message = r"^weights: format must be one of 'npz', 'json', 'c', 'mem', not 'csv'$"
    with pytest.raises(ParameterError, match=message):
        write_weights(folded(network(dense("fc"))), tmp_path, formats=["csv"], command=[])
