"""Optimizers with PyTorch's names and state; SGD, Adam and AdamW make one fused call per group and step."""

from . import lr_scheduler as lr_scheduler
from .adafactor import Adafactor
from .adam import Adam, AdamW
from .adaptive import Adadelta, Adagrad, RMSprop, Rprop
from .lbfgs import LBFGS
from .moments import ASGD, Adamax, Lion, NAdam, RAdam, SparseAdam
from .muon import Muon
from .optimizer import Optimizer
from .sgd import SGD

__all__ = [
    "ASGD",
    "Adadelta",
    "Adafactor",
    "Adagrad",
    "Adam",
    "AdamW",
    "Adamax",
    "LBFGS",
    "Lion",
    "Muon",
    "NAdam",
    "Optimizer",
    "RAdam",
    "RMSprop",
    "Rprop",
    "SGD",
    "SparseAdam",
    "lr_scheduler",
    "swa_utils",
]


def __getattr__(name: str) -> object:
    """swa_utils needs nn, so it loads on first use."""
    if name == "swa_utils":
        import importlib

        return importlib.import_module(".swa_utils", __name__)
    from .._missing import later

    return later(__name__, name)
