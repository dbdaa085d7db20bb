"""One case or two of each distribution: parameters, values in its support, and parameters to compare with."""

from __future__ import annotations

import numpy as np

SPD = np.array([[2.0, 0.5, 0.1], [0.5, 1.0, -0.3], [0.1, -0.3, 0.7]])
LOC = np.array([[0.5, -1.0, 2.0], [1.0, 0.0, 0.0]])

# name -> (parameters, values in the support)
CASES = {
    "Normal": ({"loc": [0.5, -1.0], "scale": [[0.3], [2.0]]}, [[0.1, 3.0]]),
    "Uniform": ({"low": [-1.0, 0.0], "high": [[2.0], [3.0]]}, [[-0.5, 2.0], [0.0, 1.0]]),
    "Exponential": ({"rate": [[0.5], [3.0]]}, [0.0, 2.5]),
    "Laplace": ({"loc": [0.5, -1.0], "scale": [[0.3], [2.0]]}, [[0.1, 3.0]]),
    "LogNormal": ({"loc": [0.5, -1.0], "scale": [[0.1], [0.3]]}, [[0.1, 3.0]]),
    "Bernoulli": ({"probs": [0.2, 0.5, 0.9]}, [[0.0, 1.0, 1.0]]),
    "Bernoulli_logits": ({"logits": [-3.0, 0.5, 5.0]}, [[0.0], [1.0]]),
    "Categorical": ({"probs": [[0.2, 0.3, 0.5], [3.0, 0.0, 1.0]]}, [[0, 2], [1, 0]]),
    "Categorical_logits": ({"logits": [[0.2, -3.0, 0.5, 1.0]]}, [[3], [1], [0]]),
    "Gamma": ({"concentration": [0.05, 1.0, 7.5], "rate": [[0.5], [3.0]]}, [0.01, 2.5, 1.0]),
    "Beta": ({"concentration1": [0.3, 1.0, 7.5], "concentration0": [[0.5], [3.0]]}, [0.01, 0.25, 0.9]),
    "Dirichlet": ({"concentration": [[0.3, 1.0, 7.5], [0.1, 0.5, 0.9]]}, [[0.2, 0.3, 0.5]]),
    "MultivariateNormal": ({"loc": LOC, "covariance_matrix": SPD}, [[[0.1, 0.2, 0.3]], [[1.0, 0.0, -1.0]]]),
    "MultivariateNormal_precision": ({"loc": LOC[0], "precision_matrix": SPD}, [[0.1, 0.2, 0.3]]),
    "MultivariateNormal_tril": (
        {"loc": LOC, "scale_tril": np.stack([np.linalg.cholesky(SPD), np.eye(3)])},
        [[0.1, 0.2, 0.3]],
    ),
    "Binomial": ({"total_count": [4.0, 7.0, 1.0], "probs": [0.2, 0.5, 0.9]}, [[0.0, 7.0, 1.0], [4.0, 2.0, 0.0]]),
    "Binomial_logits": ({"total_count": [4.0, 4.0], "logits": [[-1.5], [0.5]]}, [1.0, 4.0]),
    "Cauchy": ({"loc": [0.5, -1.0], "scale": [[0.3], [2.0]]}, [[0.1, 3.0]]),
    "Chi2": ({"df": [0.5, 3.0, 12.0]}, [[0.01, 2.5, 1.0]]),
    "ContinuousBernoulli": ({"probs": [0.2, 0.5, 0.4995, 0.97]}, [[0.0, 0.3, 0.6, 1.0]]),
    "ContinuousBernoulli_logits": ({"logits": [-3.0, 0.001, 5.0]}, [[0.1], [0.8]]),
    "FisherSnedecor": ({"df1": [1.5, 3.0], "df2": [[5.0], [3.5]]}, [[0.1, 3.0]]),
    "GeneralizedPareto": (
        {"loc": [0.1, -1.0, 0.0], "scale": [[0.5], [2.0]], "concentration": [0.2, 0.0, -0.4]},
        [0.9, 0.3, 0.4],
    ),
    "Geometric": ({"probs": [0.2, 0.5, 0.9]}, [[0.0], [3.0]]),
    "Geometric_logits": ({"logits": [-1.0, 0.5]}, [[0.0], [3.0]]),
    "Gumbel": ({"loc": [0.5, -1.0], "scale": [[0.3], [2.0]]}, [[0.1, 3.0]]),
    "HalfCauchy": ({"scale": [[0.3], [2.0]]}, [[0.1, 3.0]]),
    "HalfNormal": ({"scale": [[0.3], [2.0]]}, [[0.1, 1.0]]),
    "InverseGamma": ({"concentration": [0.5, 2.5, 7.5], "rate": [[0.5], [3.0]]}, [0.4, 2.5, 1.0]),
    "Kumaraswamy": ({"concentration1": [0.3, 1.5, 7.5], "concentration0": [[0.5], [3.0]]}, [0.01, 0.25, 0.9]),
    "LKJCholesky": (
        {"concentration": [0.5, 2.0]},
        np.linalg.cholesky([[1.0, 0.3, 0.1], [0.3, 1.0, -0.2], [0.1, -0.2, 1.0]]),
    ),
    "LogisticNormal": ({"loc": [[0.5, -1.0], [0.0, 0.1]], "scale": [[0.3, 1.0]]}, [[0.2, 0.3, 0.5]]),
    "LowRankMultivariateNormal": (
        {"loc": LOC, "cov_factor": [[1.0, 0.1], [-0.5, 0.3], [0.2, 2.0]], "cov_diag": [0.3, 1.0, 0.5]},
        [[[0.1, 0.2, 0.3]], [[1.0, 0.0, -1.0]]],
    ),
    "Multinomial": ({"probs": [[0.2, 0.3, 0.5], [3.0, 0.0, 1.0]]}, [[2.0, 0.0, 3.0], [1.0, 0.0, 4.0]]),
    "Multinomial_logits": ({"logits": [[0.2, 0.3, 0.5]]}, [[2.0, 0.0, 3.0], [1.0, 4.0, 0.0]]),
    "NegativeBinomial": ({"total_count": [0.5, 3.0], "probs": [[0.2], [0.6]]}, [0.0, 4.0]),
    "NegativeBinomial_logits": ({"total_count": [0.5, 3.0], "logits": [[0.2], [-1.0]]}, [0.0, 4.0]),
    "OneHotCategorical": ({"probs": [[0.2, 0.3, 0.5], [3.0, 0.5, 1.0]]}, [[0.0, 1.0, 0.0], [1.0, 0.0, 0.0]]),
    "OneHotCategoricalStraightThrough": ({"logits": [[0.2, 0.3, 0.5]]}, [[0.0, 1.0, 0.0], [1.0, 0.0, 0.0]]),
    "Pareto": ({"scale": [0.5, 1.0], "alpha": [[0.7], [3.0]]}, [1.1, 3.0]),
    "Poisson": ({"rate": [0.5, 3.0]}, [[0.0], [4.0]]),
    "RelaxedBernoulli": ({"temperature": 0.7, "probs": [0.2, 0.5, 0.9]}, [[0.1, 0.4, 0.8]]),
    "RelaxedOneHotCategorical": ({"temperature": 0.7, "logits": [[0.2, -3.0, 0.5]]}, [[0.2, 0.3, 0.5]]),
    "StudentT": ({"df": [0.8, 1.5, 7.0], "loc": [[0.0], [1.0]], "scale": 0.5}, [0.1, -1.0, 3.0]),
    "VonMises": ({"loc": [0.5, -1.0], "concentration": [[0.3], [20.0]]}, [[0.1, -3.0]]),
    "Weibull": ({"scale": [0.5, 1.0], "concentration": [[1.0], [3.0]]}, [0.1, 3.0]),
    "Wishart": ({"df": [3.5, 8.0], "covariance_matrix": SPD}, SPD + np.eye(3)),
    "Wishart_tril": ({"df": 4.5, "scale_tril": np.linalg.cholesky(SPD)}, SPD + np.eye(3)),
}
PLAIN = {"LKJCholesky": {"dim": 3}, "Multinomial": {"total_count": 5}}  # further arguments, which are no tensors
WHOLE = ("Categorical", "Categorical_logits")  # values are int64


def make(module, name, dtype=np.float64, grad=False):
    parameters, values = CASES[name]
    given = {k: module.tensor(np.array(v, dtype), requires_grad=grad) for k, v in parameters.items()}
    x = module.tensor(np.array(values, np.int64 if name in WHOLE else dtype))
    kind = name.split("_")[0]
    return getattr(module.distributions, kind)(**PLAIN.get(kind, {}), **given), x, given


def get(d, name):
    """The moment or function of that name as an array; None where the distribution has none."""
    try:
        value = getattr(d, name)
        value = value() if callable(value) else value
    except (NotImplementedError, AttributeError):
        return None
    return value.detach().numpy()


OTHER = {
    "Normal": {"loc": [0.0, 1.0], "scale": [1.5, 0.2]},
    "Uniform": {"low": [-2.0, 0.5], "high": [[4.0], [3.0]]},
    "Exponential": {"rate": [2.0, 0.7]},
    "Laplace": {"loc": [0.0, 1.0], "scale": [1.5, 0.2]},
    "LogNormal": {"loc": [0.0, 1.0], "scale": [1.5, 0.2]},
    "Bernoulli": {"probs": [0.0, 0.25, 1.0]},
    "Categorical": {"probs": [[0.5, 0.0, 0.5], [1.0, 1.0, 1.0]]},
    "Gamma": {"concentration": [2.0, 0.5, 1.0], "rate": 2.0},
    "Beta": {"concentration1": [2.0, 0.5, 1.0], "concentration0": 2.0},
    "Dirichlet": {"concentration": [[2.0, 0.5, 1.0]]},
    "MultivariateNormal": {"loc": LOC[::-1], "scale_tril": np.diag([1.0, 2.0, 0.5]) + np.tril(np.ones((3, 3)), -1)},
}
