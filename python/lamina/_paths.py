"""Import paths of PyTorch that lead to one file here: lamina.cuda.amp is lamina.amp, lamina.nn.modules.conv is nn.modules."""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from importlib.machinery import ModuleSpec
    from types import FrameType, ModuleType


def _table() -> dict[str, str]:
    files = {
        "nn.parallel": "data_parallel distributed",
        "nn.modules": "activation adaptive batchnorm channelshuffle container conv distance dropout flatten fold "
        "instancenorm lazy linear loss module normalization padding pixelshuffle pooling rnn sparse transformer "
        "upsampling utils",
        "distributions": "bernoulli beta binomial categorical chi2 continuous_bernoulli dirichlet exp_family "
        "exponential fishersnedecor generalized_pareto geometric gumbel half_cauchy half_normal "
        "inverse_gamma kumaraswamy laplace lkj_cholesky log_normal logistic_normal "
        "lowrank_multivariate_normal mixture_same_family multinomial multivariate_normal "
        "negative_binomial normal one_hot_categorical pareto poisson relaxed_bernoulli "
        "relaxed_categorical studentT uniform von_mises weibull wishart",
        "optim": "adadelta adagrad adamax nadam radam rmsprop rprop",
    }
    same = {f"lamina.{home}.{name}": f"lamina.{home}" for home, names in files.items() for name in names.split()}
    return same | {"lamina.cuda.amp": "lamina.amp"}


_SAME = _table()


def leads_somewhere(name: str) -> bool:
    """Whether `lamina.x.y` is an import path without a file of its own."""
    return name in _SAME or _compat(name) != ""


def _compat(name: str) -> str:
    """The file of lamina.compat that is the module of that name."""
    from .compat.names import MODULES

    return MODULES.get(name.removeprefix("lamina."), "") if name.startswith("lamina.") else ""


def only_asks() -> bool:
    """Whether importlib.util.find_spec asks a finder, which wants None for what is not there.

    An import wants the reason: an error whose `name` is another one goes through `from package import name`, too.
    """
    frame: FrameType | None = sys._getframe(2)
    while frame is not None and "importlib._bootstrap" in frame.f_code.co_filename:
        frame = frame.f_back
    return frame is not None and frame.f_code.co_name == "find_spec"


class _Loader:
    def create_module(self, spec: ModuleSpec) -> None:
        """The usual empty module, which exec_module replaces."""

    def exec_module(self, module: ModuleType) -> None:
        import importlib

        sys.modules[module.__name__] = importlib.import_module(
            _SAME.get(module.__name__) or f"lamina.compat.{_compat(module.__name__)}"
        )


class PathFinder:
    """Asked last, for names that have no file of their own."""

    @staticmethod
    def find_spec(name: str, path: object = None, target: object = None) -> ModuleSpec | None:
        if not name.startswith("lamina.") or __spec__ is None:
            return None
        home, _, leaf = name.rpartition(".")
        if not leads_somewhere(name):
            if home not in sys.modules or only_asks():
                return None
            from ._missing import missing

            raise ModuleNotFoundError(f"import {name}: {missing(sys.modules[home], leaf)}", name=f"{leaf} of {home}")
        return type(__spec__)(name, _Loader())  # type: ignore[arg-type]


sys.meta_path.append(PathFinder)
