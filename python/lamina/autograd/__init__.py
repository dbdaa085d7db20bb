"""Automatic differentiation: backward, grad, custom functions, gradient checks."""

from __future__ import annotations

from .._C import RemovableHandle, is_grad_enabled
from .._grad_mode import enable_grad, inference_mode, no_grad, set_grad_enabled
from .anomaly import detect_anomaly, set_detect_anomaly
from .backward import backward, grad
from .function import Function, FunctionCtx, once_differentiable
from .gradcheck import GradcheckError, gradcheck, gradgradcheck

TYPE_CHECKING = False
if TYPE_CHECKING:  # what __getattr__ loads
    from . import functional as functional
    from . import graph as graph
    from .variable import Variable as Variable

__all__ = [
    "Function",
    "FunctionCtx",
    "GradcheckError",
    "RemovableHandle",
    "backward",
    "detect_anomaly",
    "enable_grad",
    "grad",
    "gradcheck",
    "gradgradcheck",
    "inference_mode",
    "is_grad_enabled",
    "no_grad",
    "once_differentiable",
    "set_detect_anomaly",
    "set_grad_enabled",
]


def __getattr__(name: str) -> object:
    import importlib

    if name in ("functional", "graph"):
        return importlib.import_module("." + name, __name__)
    if name == "Variable":
        return importlib.import_module(".variable", __name__).Variable
    from .._missing import later

    return later(__name__, name)
