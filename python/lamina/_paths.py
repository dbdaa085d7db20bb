"""Import paths of PyTorch that lead to one file here: lamina.cuda.amp is lamina.amp, lamina.nn.modules.conv is nn.modules."""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from importlib.machinery import ModuleSpec
    from types import ModuleType


def _table() -> dict[str, str]:
    files = {
        "nn.modules": "activation adaptive batchnorm channelshuffle container conv distance dropout flatten fold "
        "instancenorm lazy linear loss module normalization padding pixelshuffle pooling rnn sparse transformer "
        "upsampling utils",
        "distributions": "bernoulli beta binomial categorical chi2 continuous_bernoulli dirichlet exp_family "
        "exponential fishersnedecor generalized_pareto geometric gumbel half_cauchy half_normal "
        "inverse_gamma kumaraswamy laplace lkj_cholesky log_normal logistic_normal "
        "lowrank_multivariate_normal mixture_same_family multinomial multivariate_normal "
        "negative_binomial normal one_hot_categorical pareto poisson relaxed_bernoulli "
        "relaxed_categorical studentT uniform von_mises weibull wishart",
        "utils.data": "dataloader",
        "optim": "adadelta adagrad adamax nadam radam rmsprop rprop",
    }
    same = {f"lamina.{home}.{name}": f"lamina.{home}" for home, names in files.items() for name in names.split()}
    return same | {"lamina.cuda.amp": "lamina.amp"}


_SAME = _table()


class _Loader:
    def create_module(self, spec: ModuleSpec) -> None:
        """The usual empty module, which exec_module replaces."""

    def exec_module(self, module: ModuleType) -> None:
        import importlib

        sys.modules[module.__name__] = importlib.import_module(_SAME[module.__name__])


class PathFinder:
    """Asked last, for names that have no file of their own."""

    @staticmethod
    def find_spec(name: str, path: object = None, target: object = None) -> ModuleSpec | None:
        if name not in _SAME or __spec__ is None:
            return None
        return type(__spec__)(name, _Loader())  # type: ignore[arg-type]


sys.meta_path.append(PathFinder)
