"""Figures of a training in MLflow, where that is installed."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from spintron_ir import ToolError

from .progress import Progress

__all__ = ["mlflow_run"]


@contextmanager
def mlflow_run(
    experiment: str,
    *,
    parameters: Mapping[str, Any] | None = None,
    client: Any = None,
) -> Iterator[Callable[[Progress], None]]:
    """Record a training as a run of an MLflow experiment; yield the ``progress`` of a ``Fit``.

    Parameters
    ----------
    experiment : str
        Name of the experiment.
    parameters : mapping or None
        Settings to record at the start.
    client : Any
        Module or object with ``set_experiment``, ``start_run``, ``log_params`` and ``log_metrics``;
        None imports mlflow.

    Raises
    ------
    ToolError
        If mlflow is not installed.

    Examples
    --------
    >>> from unittest.mock import MagicMock
    >>> client = MagicMock()
    >>> with mlflow_run("digits", parameters={"seed": 0}, client=client) as record:
    ...     record(Progress(1, 2, 0.5, learning_rate=0.01))
    >>> client.log_metrics.call_args.args
    ({'loss': 0.5, 'learning_rate': 0.01, 'seconds': 0.0},)
    """
    if client is None:
        try:
            client = importlib.import_module("mlflow")
        except ImportError as error:
            raise ToolError(
                "mlflow is not installed; install it with: pip install 'spintron-nn-kit[mlflow]'"
            ) from error
    client.set_experiment(experiment)
    with client.start_run():
        client.log_params(dict(parameters or {}))

        def record(state: Progress) -> None:
            client.log_metrics(state.figures(), step=state.epoch)

        yield record
