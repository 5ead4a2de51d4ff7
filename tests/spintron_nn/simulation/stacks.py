"""Other chips of a network: the same graph with other numbers."""

from dataclasses import replace

import numpy as np

from spintron_ir import Network, Table

__all__ = ["chips_of", "expected", "frames_of", "same"]


def shuffled(rng, values, axis):
    return None if values is None else rng.permutation(values, axis=axis)


def other_requantiser(rng, requantise):
    if requantise is None:
        return None
    if isinstance(requantise, Table):
        code = other_requantiser(rng, requantise.code)
        return replace(requantise, code=code, table=rng.permutation(requantise.table))
    order = rng.permutation(requantise.cols)
    names = {"thresholds": ("thresholds", "sign")}.get(requantise.kind, ("multiplier", "shift"))
    return replace(requantise, **{name: getattr(requantise, name)[order] for name in names})


def other_dense(rng, layer):
    changed = {
        "codes": rng.permuted(layer.codes, axis=2),
        "reference": shuffled(rng, layer.reference, 1),
        "bias": shuffled(rng, layer.bias, 0),
        "requantise": other_requantiser(rng, layer.requantise),
    }
    if layer.adc is not None and layer.adc.transitions is not None:
        changed["adc"] = replace(layer.adc, transitions=shuffled(rng, layer.adc.transitions, 3))
    elif layer.adc is not None:
        gain, offset = (shuffled(rng, each, 3) for each in (layer.adc.gain, layer.adc.offset))
        changed["adc"] = replace(layer.adc, gain=gain, offset=offset + 1)
    if layer.noise is not None:
        amplitude = layer.noise.amplitude // 2 + 3
        changed["noise"] = replace(
            layer.noise, seed=int(rng.integers(1 << 63)), amplitude=amplitude
        )
    return replace(layer, **changed)


def other_layer(rng, layer):
    if layer.kind == "dense":
        return other_dense(rng, layer)
    if layer.kind in ("quantise", "join"):
        changed = {"requantise": other_requantiser(rng, layer.requantise)}
        if layer.kind == "join" and layer.tables is not None:
            changed["tables"] = shuffled(rng, layer.tables, 1)
        return replace(layer, **changed)
    if layer.kind == "softmax":
        return replace(
            layer,
            exponential=layer.exponential
            - ((layer.exponential < 1 << 30) & (layer.exponential > 0)),
        )
    return layer


def chips_of(network, count, seed=0):
    """The network, and others of its structure with other devices, converters and requantisers."""
    found = [network]
    rng = np.random.default_rng(seed)
    while len(found) < count:
        nodes, types = [], {port.name: port.type for port in network.inputs}
        for node in network.nodes:
            layer = other_layer(rng, node.layer)
            if layer.kind == "argmax":  # sums that nothing requantises differ in width
                layer = replace(layer, input=types[node.inputs[0]])
            nodes.append(replace(node, layer=layer))
            types[node.name] = layer.type
        found.append(
            Network(
                name=f"chip{len(found)}", inputs=network.inputs, nodes=tuple(nodes),
                outputs=network.outputs,
            )
        )  # fmt: skip
    return found


def frames_of(network, count, seed=0):
    """Random inputs of the whole range of every port, with both ends among them."""
    rng, found = np.random.default_rng(seed), {}
    for port in network.inputs:
        x = rng.integers(port.type.low, port.type.high, (count, *port.shape), endpoint=True)
        if count:
            x[0], x[-1] = port.type.low, port.type.high
        found[port.name] = x
    return found


def expected(networks, frames, first_frame=0):
    """Results of ``Network.run`` by output name, with a leading axis of the networks."""
    found = [network.run(frames, first_frame) for network in networks]
    if len(networks[0].outputs) == 1:
        found = [{networks[0].outputs[0].name: each} for each in found]
    return {name: np.stack([each[name] for each in found]) for name in found[0]}


def same(found, wanted):
    """Whether results of torch are these, of this type, to the last bit."""
    if not isinstance(found, dict):
        (name,) = wanted
        found = {name: found}
    assert list(found) == list(wanted)
    for name, values in wanted.items():
        np.testing.assert_array_equal(found[name].numpy(), values, err_msg=name, strict=True)
