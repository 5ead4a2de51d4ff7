"""TFLite models built table by table, and what TFLite's own reference kernels compute."""

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter, OpResolverType

TYPES = {
    "int8": np.int8,
    "uint8": np.uint8,
    "int16": np.int16,
    "int32": np.int32,
    "int64": np.int64,
    "float32": np.float32,
    "int4": np.int8,
}


class Model:
    """A model under construction; tensors are numbers, and a batch of one is theirs to keep."""

    def __init__(self):
        self.tensors, self.operators, self.numbered = [], [], []
        self.buffers = [schema.BufferT()]
        self.inputs, self.outputs = [], []

    def tensor(self, shape, kind="int8", scale=None, zero=0, values=None, axis=0, name=None):
        made = schema.TensorT()
        made.shape = list(shape)
        made.type = getattr(schema.TensorType, kind.upper())
        made.name = name or f"t{len(self.tensors)}"
        made.buffer = 0
        if scale is not None:
            made.quantization = schema.QuantizationParametersT()
            made.quantization.scale = np.ravel(scale).astype(np.float32).tolist()
            count = len(made.quantization.scale)
            made.quantization.zeroPoint = np.broadcast_to(zero, count).astype(int).tolist()
            made.quantization.quantizedDimension = axis
        if values is not None:
            data = np.ascontiguousarray(values, dtype=TYPES[kind]).reshape(-1)
            if kind == "int4":
                data = np.append(data, np.zeros(len(data) % 2, dtype=np.int8)) & 15
                data = (data[::2] | data[1::2] << 4).astype(np.uint8)
            buffer = schema.BufferT()
            buffer.data = data.view(np.uint8)
            made.buffer = len(self.buffers)
            self.buffers.append(buffer)
        self.tensors.append(made)
        return len(self.tensors) - 1

    def numbers(self, values, kind="int32"):
        values = np.asarray(values)
        return self.tensor(values.shape, kind, values=values)

    def input(self, *given, **named):
        self.inputs.append(self.tensor(*given, **named))
        return self.inputs[-1]

    def add(self, kind, inputs, outputs, options=None, **fields):
        number = getattr(schema.BuiltinOperator, kind)
        if number not in self.numbered:
            self.numbered.append(number)
        made = schema.OperatorT()
        made.opcodeIndex = self.numbered.index(number)
        made.inputs, made.outputs = list(inputs), list(outputs)
        if options:
            made.builtinOptionsType = getattr(schema.BuiltinOptions, options)
            made.builtinOptions = getattr(schema, options + "T")()
            for name, value in fields.items():
                assert hasattr(made.builtinOptions, name), name
                setattr(made.builtinOptions, name, value)
        self.operators.append(made)
        return outputs[0]

    def pack(self, outputs):
        self.outputs = list(outputs)
        graph = schema.SubGraphT()
        graph.tensors, graph.operators = self.tensors, self.operators
        graph.inputs, graph.outputs = self.inputs, self.outputs
        graph.name = "main"
        made = schema.ModelT()
        made.version, made.subgraphs, made.buffers = 3, [graph], self.buffers
        made.description = "test"
        made.operatorCodes = []
        for number in self.numbered:
            code = schema.OperatorCodeT()
            code.builtinCode = number
            code.deprecatedBuiltinCode = min(number, 127)
            code.version = 1
            made.operatorCodes.append(code)
        builder = flatbuffers.Builder(1 << 12)
        builder.Finish(made.Pack(builder), b"TFL3")
        return bytes(builder.Output())


def reference(content, frames):
    """Outputs of the reference kernels, each ``(batch, *shape)``, of inputs ``(batch, *shape)``."""
    runtime = Interpreter(
        model_content=content, experimental_op_resolver_type=OpResolverType.BUILTIN_REF
    )
    runtime.allocate_tensors()
    inputs, outputs = runtime.get_input_details(), runtime.get_output_details()
    found = [[] for _ in outputs]
    for number in range(len(frames[0])):
        for detail, values in zip(inputs, frames, strict=True):
            one = values[number][None].astype(detail["dtype"])
            runtime.set_tensor(detail["index"], one)
        runtime.invoke()
        for detail, kept in zip(outputs, found, strict=True):
            kept.append(runtime.get_tensor(detail["index"]).copy())
    return [np.stack(kept) for kept in found]


def run(graph, frames):
    """Outputs of a graph of integers, without any chip."""
    held = {port.name: values.astype(np.int64) for port, values in zip(graph.inputs, frames)}
    for node in graph.nodes:
        inputs = [held[source] for source in node.inputs]
        op = node.op
        if not hasattr(op, "weights") or not hasattr(op, "total"):
            for (shape, kind), values in zip(op.in_ports, inputs, strict=True):
                assert values.shape[1:] == shape, (node.name, values.shape, shape)
                assert not values.size or (kind.low <= values.min() and values.max() <= kind.high)
            held[node.name] = op.run(*inputs)
            assert held[node.name].shape[1:] == op.shape, node.name
            continue
        x = inputs[0]
        assert x.shape[1:] == op.in_shape, node.name
        blocks = op.blocks or 1
        parts = x.reshape(len(x), -1, blocks, op.weights.shape[1])
        kernel = op.weights.reshape(blocks, -1, op.weights.shape[1])
        total = np.einsum("npbr,bcr->npbc", parts, kernel).reshape(len(x), -1, len(op.weights))
        made = op.requantise.run(total + op.bias)
        held[node.name] = made.reshape(len(x), *op.shape)
    return [held[output.node] for output in graph.outputs]
