"""lamina: a small, exact, fast tensor and autograd engine with PyTorch's names."""

from __future__ import annotations

import copyreg as _copyreg
import math as _math

from . import _C
from . import _methods as _methods
from . import _paths as _paths
from ._C import *  # noqa: F403
from ._grad_mode import enable_grad as enable_grad
from ._grad_mode import inference_mode as inference_mode
from ._grad_mode import no_grad as no_grad
from ._grad_mode import set_grad_enabled as set_grad_enabled

TYPE_CHECKING = False
if TYPE_CHECKING:  # what __getattr__ loads, for editors and type checkers
    from collections.abc import Callable

    from . import amp as amp
    from . import array_api as array_api
    from . import audio as audio
    from . import autograd as autograd
    from . import backends as backends
    from . import cuda as cuda
    from . import datasets as datasets
    from . import distributions as distributions
    from . import func as func
    from . import jit as jit
    from . import linalg as linalg
    from . import lora as lora
    from . import metrics as metrics
    from . import models as models
    from . import nn as nn
    from . import optim as optim
    from . import plot as plot
    from . import random as random
    from . import sklearn as sklearn
    from . import special as special
    from . import tabular as tabular
    from . import testing as testing
    from . import text as text
    from . import timeseries as timeseries
    from . import torch_file as torch_file
    from . import training as training
    from . import transfer as transfer
    from . import tuning as tuning
    from . import utils as utils
    from . import vision as vision
    from ._functions import corrcoef as corrcoef
    from ._functions import cov as cov
    from ._functions import dist as dist
    from ._functions import frombuffer as frombuffer
    from ._functions import get_default_device as get_default_device
    from ._functions import get_device as get_device
    from ._functions import range as range
    from ._functions import set_default_device as set_default_device
    from ._functions import unravel_index as unravel_index
    from ._inplace import *  # noqa: F403
    from ._legacy import BFloat16Tensor as BFloat16Tensor
    from ._legacy import BoolTensor as BoolTensor
    from ._legacy import ByteTensor as ByteTensor
    from ._legacy import CharTensor as CharTensor
    from ._legacy import DoubleTensor as DoubleTensor
    from ._legacy import FloatTensor as FloatTensor
    from ._legacy import HalfTensor as HalfTensor
    from ._legacy import IntTensor as IntTensor
    from ._legacy import LongTensor as LongTensor
    from ._legacy import ShortTensor as ShortTensor
    from ._legacy import are_deterministic_algorithms_enabled as are_deterministic_algorithms_enabled
    from ._legacy import compile as compile
    from ._legacy import get_float32_matmul_precision as get_float32_matmul_precision
    from ._legacy import is_nonzero as is_nonzero
    from ._legacy import set_default_tensor_type as set_default_tensor_type
    from ._legacy import set_float32_matmul_precision as set_float32_matmul_precision
    from ._legacy import use_deterministic_algorithms as use_deterministic_algorithms
    from ._limits import finfo as finfo
    from ._limits import iinfo as iinfo
    from ._placeholder import Placeholder as Placeholder
    from ._printing import get_printoptions as get_printoptions
    from ._printing import printoptions as printoptions
    from ._printing import set_printoptions as set_printoptions
    from ._summary import summary as summary
    from .amp.autocast import autocast as autocast
    from .audio.fourier import bartlett_window as bartlett_window
    from .audio.fourier import blackman_window as blackman_window
    from .audio.fourier import hamming_window as hamming_window
    from .audio.fourier import hann_window as hann_window
    from .audio.fourier import istft as istft
    from .audio.fourier import kaiser_window as kaiser_window
    from .audio.fourier import stft as stft
    from .compat import torch_import as as_torch  # noqa: F401
    from .func import vmap as vmap
    from .linalg.classic import cholesky as cholesky
    from .linalg.classic import cholesky_inverse as cholesky_inverse
    from .linalg.classic import cholesky_solve as cholesky_solve
    from .linalg.classic import det as det
    from .linalg.classic import inverse as inverse
    from .linalg.classic import logdet as logdet
    from .linalg.classic import lu_solve as lu_solve
    from .linalg.classic import lu_unpack as lu_unpack
    from .linalg.classic import matrix_exp as matrix_exp
    from .linalg.classic import matrix_power as matrix_power
    from .linalg.classic import pinverse as pinverse
    from .linalg.classic import qr as qr
    from .linalg.classic import slogdet as slogdet
    from .linalg.classic import svd as svd
    from .serialization import load as load
    from .serialization import save as save
    from .training import Checkpoint as Checkpoint
    from .training import Trainer as Trainer
    from .training import fit as fit
    from .tuning import lr_find as lr_find

__version__: str = _C.__version__

Size = tuple  # type: ignore[type-arg]  # what `shape` and `size()` are
newaxis = None
e, inf, nan, pi = _math.e, _math.inf, _math.nan, _math.pi

strided = "strided"
contiguous_format = "contiguous_format"
channels_last = "channels_last"
channels_last_3d = "channels_last_3d"
preserve_format = "preserve_format"


def _reduce_operation(op: object) -> tuple[Callable[..., object], tuple[str, str]]:
    """Operations are copied and pickled by name, so that a layer may hold one as its activation."""
    from ._copying import reduce_operation

    return reduce_operation(op)


_operation: type[object] = type(_C.add)
_copyreg.pickle(_operation, _reduce_operation)

_SUBMODULES = frozenset(
    (
        "nn optim distributions amp jit utils models datasets autograd func linalg cuda random cli array_api special "
        "audio backends lora metrics plot serialization sklearn tabular testing text timeseries torch_file training transfer "
        "tuning vision"
    ).split()
)
_LAZY = {
    "autocast": "amp",
    "save": "serialization",
    "load": "serialization",
    "Placeholder": "_placeholder",
    "set_printoptions": "_printing",
    "get_printoptions": "_printing",
    "printoptions": "_printing",
    **dict.fromkeys(
        (
            "BFloat16Tensor BoolTensor ByteTensor CharTensor DoubleTensor FloatTensor HalfTensor IntTensor LongTensor "
            "ShortTensor compile set_float32_matmul_precision get_float32_matmul_precision "
            "use_deterministic_algorithms are_deterministic_algorithms_enabled set_default_tensor_type is_nonzero"
        ).split(),
        "_legacy",
    ),
    **dict.fromkeys(
        ("corrcoef cov dist frombuffer get_default_device get_device range set_default_device unravel_index").split(),
        "_functions",
    ),
    **dict.fromkeys(
        (
            "abs_ acos_ acosh_ addmv_ arccos_ arccosh_ arcsin_ arcsinh_ arctan_ arctanh_ asin_ asinh_ atan_ "
            "atanh_ ceil_ celu_ clamp_ clamp_max_ clamp_min_ clip_ cos_ cosh_ deg2rad_ detach_ erf_ erfc_ exp2_ "
            "exp_ expm1_ fill_ fix_ floor_ frac_ gcd_ i0_ lcm_ ldexp_ log10_ log1p_ log2_ log_ logit_ nan_to_num_ "
            "neg_ negative_ rad2deg_ reciprocal_ relu_ resize_as_ round_ rsqrt_ selu_ sigmoid_ sin_ sinc_ sinh_ sqrt_ "
            "square_ tan_ tanh_ threshold_ trunc_ xlogy_ zero_"
        ).split(),
        "_inplace",
    ),
    "finfo": "_limits",
    "iinfo": "_limits",
    "vmap": "func",
    "fit": "training",
    "Trainer": "training",
    "Checkpoint": "training",
    "summary": "_summary",
    "lr_find": "tuning",
    "stft": "audio.fourier",
    "istft": "audio.fourier",
    "bartlett_window": "audio.fourier",
    "blackman_window": "audio.fourier",
    "hamming_window": "audio.fourier",
    "hann_window": "audio.fourier",
    "kaiser_window": "audio.fourier",
    "cholesky": "linalg.classic",
    "cholesky_inverse": "linalg.classic",
    "cholesky_solve": "linalg.classic",
    "det": "linalg.classic",
    "inverse": "linalg.classic",
    "logdet": "linalg.classic",
    "lu_solve": "linalg.classic",
    "lu_unpack": "linalg.classic",
    "matrix_exp": "linalg.classic",
    "matrix_power": "linalg.classic",
    "pinverse": "linalg.classic",
    "qr": "linalg.classic",
    "slogdet": "linalg.classic",
    "svd": "linalg.classic",
}


def __getattr__(name: str) -> object:
    """Submodules load on first use, so that importing lamina stays cheap."""
    import importlib

    if name in _SUBMODULES:
        return importlib.import_module("." + name, __name__)
    if name in _LAZY:
        return getattr(importlib.import_module("." + _LAZY[name], __name__), name)
    if name == "as_torch":  # without what `import lamina.as_torch` does
        return importlib.import_module(".compat.torch_import", __name__)
    from ._missing import later

    return later(__name__, name)


def __dir__() -> list[str]:
    return sorted({*globals(), *_SUBMODULES, *_LAZY})
