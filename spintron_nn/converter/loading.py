"""Models as they come: a module, an exported program or a ``.pt2`` file."""

from __future__ import annotations

import copy
import io
import json
import logging
import re
import warnings
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from spintron_ir.errors import ConversionError, ParameterError

if TYPE_CHECKING:
    from torch.export import ExportedProgram

__all__ = ["export_of", "load_pt2", "program_of", "quiet"]

MAX_BYTES = 1 << 31
"""Largest archive that is read, unpacked."""

WAY_OUT = "save it again with torch.export.save of torch 2.9 or later"

_ENTRY = re.compile(
    r"(archive_format|archive_version|byteorder|\.data/(version|serialization_id)|version"
    r"|models/model\.json|data/sample_inputs/model\.pt"
    r"|data/(weights|constants)/(model_(weights|constants)_config\.json|(weight|tensor)_\d+))"
)
_TARGET = re.compile(r"torch\.ops\.aten\.\w+\.\w+|_operator\.\w+")
_SYMBOL = re.compile(
    r"[A-Za-z]{1,8}\d{1,8}|-?\d{1,18}|-?int_oo"
    r"|Symbol\('[A-Za-z]{1,8}\d{1,8}'(, (positive|nonnegative|integer)=True)*\)"
)


@contextmanager
def quiet() -> Iterator[None]:
    """Keep what torch logs and warns about to itself: what matters comes as an exception."""
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)


def _refuse(path: Path, why: str) -> ConversionError:
    return ConversionError([f"{path.name}: {why}; {WAY_OUT}"])


def _check_json(path: Path, value: Any) -> None:
    """Refuse what the reader of torch would evaluate as Python, wherever it stands."""
    stack = [value]
    while stack:
        item = stack.pop()
        if isinstance(item, list):
            stack.extend(item)
        if not isinstance(item, dict):
            continue
        stack.extend(item.values())
        # torch gives these texts to sympy, which evaluates them.
        expression = item.get("expr_str")
        if expression is not None and not _SYMBOL.fullmatch(str(expression)):
            raise ConversionError(
                [
                    f"{path.name}: has the size {expression!r}, and sizes must be numbers or "
                    "single symbols; export it with a fixed batch size"
                ]
            )
        if item.get("use_pickle"):
            raise _refuse(path, "holds pickled objects, which are never read")
        target = item.get("target")
        if target is not None and "inputs" in item and not _TARGET.fullmatch(str(target)):
            raise ConversionError(
                [f"{target}: not supported; only operations of PyTorch's ATen are converted"]
            )


def load_pt2(path: str | Path) -> ExportedProgram:
    """Read a ``.pt2`` file without unpickling or evaluating anything of it.

    The archive is checked entry by entry and handed to :func:`torch.export.load` as a copy without
    the sample inputs, the one pickled part that every file has.

    Raises
    ------
    ConversionError
        If the file is no such archive, or holds anything but numbers, texts and a graph.
    """
    path = Path(path)
    if not path.is_file():
        raise ParameterError(f"load_pt2: path must name a file, and there is no {str(path)!r}")
    clean = io.BytesIO()
    try:
        with zipfile.ZipFile(path) as source, zipfile.ZipFile(clean, "w") as target:
            entries = source.infolist()
            if sum(entry.file_size for entry in entries) > MAX_BYTES:
                raise _refuse(path, f"unpacks to more than {MAX_BYTES >> 30} GiB")
            seen: set[str] = set()
            for entry in entries:
                _, _, name = entry.filename.partition("/")
                if not _ENTRY.fullmatch(name) or name in seen:
                    raise _refuse(path, f"holds {entry.filename!r}, which no exported model needs")
                seen.add(name)
                data = b"" if name.startswith("data/sample_inputs/") else source.read(entry)
                if name.endswith(".json"):
                    _check_json(path, json.loads(data))
                target.writestr(f"model/{name}", data)
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError, RuntimeError) as error:
        raise _refuse(path, f"is not an archive of torch.export ({error})") from error
    if "models/model.json" not in seen:
        raise _refuse(path, "is not an archive of torch.export (it holds no models/model.json)")
    clean.seek(0)
    try:
        with quiet():
            return torch.export.load(clean)
    except Exception as error:  # torch raises anything at all on a damaged graph
        first = (str(error).splitlines() or [type(error).__name__])[0]
        raise _refuse(path, f"cannot be read by torch {torch.__version__} ({first})") from error


def export_of(model: torch.nn.Module, example: Any) -> ExportedProgram:
    """Export :py:`model` as it evaluates; the module itself is left as it is.

    Parameters
    ----------
    model : torch.nn.Module
        Module of tensors.
    example : array of shape ``(batch, *input)``, or tuple or dictionary of them
        Inputs of the right shapes: of one argument, of several in their order, or by their names.

    Raises
    ------
    ConversionError
        If torch cannot trace the module.
    """
    module = copy.deepcopy(model).cpu().eval()
    kinds = [value.dtype for value in module.parameters() if value.is_floating_point()]
    kind = kinds[0] if kinds else torch.float32
    named = example if isinstance(example, dict) else {}
    placed = example if isinstance(example, tuple) else () if named else (example,)
    args = tuple(_pair_of(values, kind) for values in placed)
    kwargs = {name: _pair_of(values, kind) for name, values in named.items()}
    try:
        with quiet(), torch.no_grad():
            return torch.export.export(module, args, kwargs)
    except Exception as error:  # torch raises anything at all on what it cannot trace
        first = (str(error).splitlines() or [type(error).__name__])[0]
        shapes = [str(tuple(tensor.shape[1:])) for tensor in (*args, *kwargs.values())]
        given = "an input of shape" if len(shapes) == 1 else "inputs of shapes"
        raise ConversionError(
            [
                f"{type(model).__name__} (torch.export): cannot be traced with {given} "
                f"{', '.join(shapes)}: {first}; make forward() a fixed sequence of operations on "
                "tensors, or give calibration data of the right shape"
            ]
        ) from error


def _pair_of(values: Any, kind: torch.dtype) -> torch.Tensor:
    """A batch of two: one would be taken for a size that is always one."""
    batch = np.resize(np.asarray(values, dtype=np.float64), (2, *np.shape(values)[1:]))
    return torch.from_numpy(batch).to(kind)


def program_of(model: Any, example: Any) -> ExportedProgram:
    """Return the exported program of a module, of a ``.pt2`` file, or of itself.

    Parameters
    ----------
    model : torch.nn.Module, torch.export.ExportedProgram or path of a ``.pt2`` file
        Model.
    example : array, or tuple or dictionary of them
        Inputs for a module, as :func:`export_of` takes them.
    """
    if isinstance(model, torch.export.ExportedProgram):
        return model
    if isinstance(model, torch.nn.Module):
        return export_of(model, example)
    if isinstance(model, (str, Path)):
        if Path(model).suffix != ".pt2":
            raise ParameterError(
                "convert: model must be a .pt2 file of torch.export.save or an .onnx file, not "
                f"{str(model)!r}; pickled models are never read: load it yourself and pass the "
                "module; a .tflite file is for convert_quantised"
            )
        return load_pt2(model)
    raise ParameterError(
        "convert: model must be a torch.nn.Module, an exported program or the path of a .pt2 or "
        f".onnx file, not {type(model).__name__}"
    )
