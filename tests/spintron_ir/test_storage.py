"""Tests of spintron_ir.storage: what is hostile or broken is refused, in one line."""

import json
import os
import pickle
import re
import struct

import numpy as np
import pytest
from safetensors.numpy import load_file, save

from spintron_ir import Flatten, Network, NetworkError
from spintron_ir.storage import pack
from tests.spintron_ir.networks import U3, everything


@pytest.fixture
def path(tmp_path):
    return tmp_path / "net.safetensors"


@pytest.fixture
def written(path):
    everything().save(path)
    return path


def refused(path, message):
    with pytest.raises(NetworkError, match=f"^{re.escape(str(path))}: {message}$"):
        Network.load(path)


def test_refuses_files_that_are_none(path, tmp_path):
    refused(path, "there is no such file")
    refused(tmp_path, "there is no such file")
    path.write_bytes(b"")
    refused(path, r"not a network file, or cut off \(.*\); write it again")
    path.write_bytes(pickle.dumps({"codes": np.zeros(3)}))
    refused(path, r"not a network file, or cut off \(.*\); write it again")
    path.write_bytes(save({"x": np.zeros(3)}))
    refused(
        path,
        "a safetensors file without a network in it; convert a model with 'spintron convert'",
    )


class Boom:
    """Leaves a mark where it is unpickled."""

    def __reduce__(self):
        return os.mkdir, ("pickle-was-run",)


def test_nothing_is_unpickled(path, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for data in (pickle.dumps(Boom()), pickle.dumps(Boom(), 0)):
        path.write_bytes(data)
        refused(path, ".*")
        path.write_bytes(save({"x": np.frombuffer(data, np.uint8)}, {"spintron_network": "{}"}))
        refused(path, ".*")
    assert sorted(os.listdir(tmp_path)) == ["net.safetensors"]


def test_refuses_every_truncation(written):
    data = written.read_bytes()
    header = 8 + struct.unpack("<Q", data[:8])[0]
    lengths = {*range(12), *range(header - 8, header + 8), *range(len(data) - 8, len(data))}
    for length in sorted(lengths | set(range(0, len(data), 97))):
        written.write_bytes(data[:length])
        refused(written, r"not a network file, or cut off \(.*\); write it again")
    written.write_bytes(data + b"\0")
    refused(written, r"not a network file, or cut off \(.*\); write it again")


def test_a_flipped_bit_is_refused_or_another_network(written):
    data = bytearray(written.read_bytes())
    rng = np.random.default_rng(0)
    header = 8 + struct.unpack("<Q", data[:8])[0]
    places = [*range(64), *rng.integers(64, 8 * header, 700), *rng.integers(0, 8 * len(data), 200)]
    refusals = []
    for place in map(int, places):
        data[place // 8] ^= 1 << place % 8
        written.write_bytes(data)
        try:
            loaded = Network.load(written)
        except NetworkError as error:
            refusals.append(str(error))
        else:
            assert loaded.digest() != everything().digest() or loaded.to_bytes() != data
        data[place // 8] ^= 1 << place % 8
    assert len(refusals) > len(places) // 2
    assert all(text.startswith(f"{written}: ") and "\n" not in text for text in refusals)


def rewrite(path, change=lambda body: None, tensors=lambda tensors: None, text=None):
    """Write the file again with its graph, its tensors or the text of its graph changed."""
    everything().save(path)
    arrays = load_file(path)
    body = json.loads(_metadata(path)["spintron_network"])
    change(body)
    tensors(arrays)
    path.write_bytes(save(arrays, {"spintron_network": text or json.dumps(body)}))


def _metadata(path):
    data = path.read_bytes()
    header = json.loads(data[8 : 8 + struct.unpack("<Q", data[:8])[0]])
    return header["__metadata__"]


def node(body, name):
    return next(part for part in body["network"]["nodes"] if part["name"] == name)


def test_an_unchanged_rewrite_is_read(path):
    rewrite(path)
    assert Network.load(path).digest() == everything().digest()


def test_a_file_from_before_transitions_is_read(path):
    rewrite(path)
    data = path.read_bytes()
    written = node(json.loads(_metadata(path)["spintron_network"]), "stem")["layer"]["adc"]
    assert list(written) == ["kind", "bits", "signed", "shift", "gain", "offset"]
    rewrite(path, lambda body: node(body, "stem")["layer"]["adc"].update(transitions=None))
    assert path.read_bytes() != data
    assert Network.load(path).to_bytes() == everything().to_bytes()


TENSOR = "net.nodes.1.layer.codes"


def put(*keys_and_value):
    """A change that stores a value under a path of keys in the graph."""
    *keys, last, value = keys_and_value

    def change(body):
        for key in keys:
            body = body[key]
        body[last] = value

    return change


def layer(name, key, value):
    return lambda body: node(body, name)["layer"].__setitem__(key, value)


CHANGES = {
    "newer format": (
        put("format", 2),
        "written in format 2, this version reads up to 1: install a newer spintron-nn-kit",
    ),
    "format 0": (put("format", 0), "the format version must be a positive integer, not 0"),
    "format true": (put("format", True), "the format version must be a positive integer, not True"),
    "format text": (put("format", "1"), "the format version must be a positive integer, not '1'"),
    "more": (put("more", 1), "the file must hold a format and a network, and nothing else"),
    "no network": (
        lambda body: body.pop("network"),
        "the file must hold a format and a network, and nothing else",
    ),
    "null": (put("network", None), "the network file has tensors that no layer uses: .*"),
    "list": (put("network", [1, 2]), "the network file has tensors that no layer uses: .*"),
    "unknown kind": (
        put("network", "kind", "graph"),
        "the network file has a part of unknown kind 'graph'; .*",
    ),
    "no kind": (lambda body: body["network"].pop("kind"), ".* unknown kind None; .*"),
    "field gone": (
        lambda body: body["network"].pop("name"),
        "the network file has a network with missing or unknown fields: name",
    ),
    "field more": (
        put("network", "author", "me"),
        "the network file has a network with missing or unknown fields: author",
    ),
    "layer field gone": (
        lambda body: node(body, "stem")["layer"].pop("bias"),
        "the network file has a dense with missing or unknown fields: bias",
    ),
    "tensor name": (
        layer("stem", "codes", {"kind": "tensor", "name": "nowhere"}),
        "the network file lacks the tensor 'nowhere', or uses it twice",
    ),
    "tensor twice": (
        layer("lossless", "bias", {"kind": "tensor", "name": "net.nodes.2.layer.bias"}),
        "the network file lacks the tensor 'net.nodes.2.layer.bias', or uses it twice",
    ),
    "tensor without a name": (
        layer("stem", "codes", {"kind": "tensor"}),
        "the network file has a tensor with missing or unknown fields: name",
    ),
    "tensor name a list": (
        layer("stem", "codes", {"kind": "tensor", "name": []}),
        r"the network in the file is malformed \(TypeError: .*\)",
    ),
    "array as text": (layer("stem", "bias", "123"), "Dense: bias must be an array of 1 axes .*"),
    "ragged": (
        layer("stem", "bias", [[1], [2, 3]]),
        "Dense: bias must be an array whose rows are of equal length",
    ),
    "noise for adc": (
        lambda body: node(body, "stem")["layer"].update(adc=node(body, "stem")["layer"]["noise"]),
        "the network file lacks the tensor '.*noise.amplitude', or uses it twice",
    ),
    "layer for adc": (
        lambda body: node(body, "lossless")["layer"].update(adc=node(body, "flat")["layer"]),
        "Dense: adc must be Adc or None, not Flatten",
    ),
    "type for requantiser": (
        layer("lossless", "requantise", {"kind": "int", "bits": 3, "signed": False}),
        "Dense: requantise must be MulShift, Thresholds, Table, TFLite or None, not IntType",
    ),
    "no layer": (put("network", "nodes", 0, "layer", 3), "Node flat: layer must be a layer, .*"),
    "float bits": (layer("stem", "cell_bits", 3.0), "Dense: cell_bits must be an integer .*"),
    "bool bits": (layer("stem", "cell_bits", True), "Dense: cell_bits must be an integer .*"),
    "huge bits": (
        layer("stem", "cell_bits", 10**4000),
        "Dense: cell_bits must be an integer in 1..12, not 10*",
    ),
    "huge int": (
        put("network", "inputs", 0, "scale", 10**400),
        "Port image: scale must be a positive number, not 10*",
    ),
    "infinite scale": (
        put("network", "inputs", 0, "scale", float("inf")),
        "Port image: scale must be a positive number, not inf",
    ),
    "long shape": (
        put("network", "inputs", 0, "shape", [1] * 100_000),
        r"Port image: shape must be a tuple of 1 to 8 sizes, not .*",
    ),
    "huge shape": (
        put("network", "inputs", 0, "shape", [1 << 24] * 8),
        r"Port image: shape must hold at most 2\*\*24 values, not .*",
    ),
    "shape a number": (
        put("network", "inputs", 0, "shape", 4),
        "Port: shape must be a tuple, not 4",
    ),
    "signed text": (
        put("network", "inputs", 0, "type", "signed", "no"),
        "IntType: signed must be True or False, not 'no'",
    ),
    "notes of numbers": (
        put("network", "metadata", "values", {"a": 1}),
        "Network: metadata must map text to text, not {'a': 1}",
    ),
    "notes a list": (
        put("network", "metadata", "values", [1]),
        r"Network: metadata must map text to text, not \[1\]",
    ),
    "transitions gone": (
        lambda body: node(body, "left")["layer"]["adc"].pop("transitions"),
        "the network file has tensors that no layer uses: net.nodes.2.layer.adc.transitions",
    ),
    "transitions of another layer": (
        lambda body: node(body, "stem")["layer"]["adc"].update(
            transitions=node(body, "left")["layer"]["adc"]["transitions"]
        ),
        "Adc: transitions must have 31 levels on the last axis for 5 bits, not 3",
    ),
    "cycle": (
        put("network", "nodes", 1, "inputs", ["class"]),
        "Network: stem takes 'class', which is no input or earlier node",
    ),
    "inputs of lists": (
        put("network", "nodes", 1, "inputs", [["flat"]]),
        r"Network: stem takes \('flat',\), which is no input or earlier node",
    ),
    "inputs of notes": (
        put("network", "nodes", 1, "inputs", [{"kind": "notes", "values": {}}]),
        r"the network in the file is malformed \(TypeError: .*\)",
    ),
    "path for a cell": (
        layer("foreign", "cell", "/evil.py"),
        "Cell: cell must be the name of a class, not '/evil.py'",
    ),
    "cell parameters": (
        layer("foreign", "parameters", [["a", 0.5]]),
        "Cell: parameter a must be an integer, bool, text or a tuple of such, not 0.5",
    ),
    "cell parameter tensors": (
        layer("foreign", "parameters", 7),
        "Cell: parameters must map names to values, not 7",
    ),
}


def test_refuses_a_part_of_a_network(path):
    path.write_bytes(pack(Flatten(in_shape=(2,), type=U3)))
    refused(path, "the file holds a part of a network, not a network")


@pytest.mark.parametrize("name", CHANGES)
def test_refuses_changed_graphs(path, name):
    change, message = CHANGES[name]
    rewrite(path, change)
    refused(path, message)


TEXTS = {
    "no JSON": "nonsense",
    "cut off": '{"format":1,"network":{"kind":',
    "a number": "1",
    "deep lists": '{"format":1,"network":' + "[" * 100_000 + "]" * 100_000 + "}",
    "deep objects": '{"format":1,"network":' + '{"a":' * 50_000 + "1" + "}" * 50_000 + "}",
    "digits": '{"format":1,"network":' + "1" * 100_000 + "}",
    "not a number": '{"format":NaN,"network":1}',
    "a name twice": '{"format":1,"format":1,"network":3}',
}


@pytest.mark.parametrize("name", TEXTS)
def test_refuses_hostile_text(path, name):
    rewrite(path, tensors=dict.clear, text=TEXTS[name])
    refused(path, ".*")


def swap(name, make):
    return lambda tensors: tensors.update({name: make(tensors[name])})


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda tensors: tensors.pop(TENSOR),
            f"the network file lacks the tensor '{TENSOR}', or uses it twice",
        ),
        (
            lambda tensors: tensors.update(more=np.zeros(2)),
            "the network file has tensors that no layer uses: more",
        ),
        (
            swap(TENSOR, lambda codes: codes.astype(np.float32)),
            "Dense: codes must hold integers, not float32",
        ),
        (
            swap(TENSOR, lambda codes: codes.astype(bool)),
            "Dense: codes must hold integers, not bool",
        ),
        (
            swap(TENSOR, lambda codes: codes[0]),
            "Dense: codes must be an array of 4 axes with at least one entry, .*",
        ),
        (
            swap(TENSOR, lambda codes: codes[:, :, :0]),
            "Dense: codes must be an array of 4 axes with at least one entry, .*",
        ),
        (
            swap(TENSOR, lambda codes: codes[:, :1]),
            "Dense: codes must have 2 devices a weight in scheme 'pair', not 1",
        ),
        (
            swap(TENSOR, lambda codes: codes + 1000),
            r"Dense: codes must lie in 0\.\.7 for cell_bits = 3, not reach .*",
        ),
        (
            swap("net.nodes.1.layer.bias", lambda bias: bias.astype(np.int64) << 40),
            "Dense: bias must lie in -2147483648..2147483647, not in .*",
        ),
    ],
)
def test_refuses_changed_tensors(path, change, message):
    rewrite(path, tensors=change)
    refused(path, message)


def test_refuses_formats_of_numbers_that_numpy_lacks(path):
    rewrite(path)
    data = path.read_bytes()
    for other in (b"BF16", b"F8_E4M3", b"F16"):
        path.write_bytes(data.replace(b'"dtype":"U16"', b'"dtype":"%s"' % other, 1))
        refused(path, ".*")
