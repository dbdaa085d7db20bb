"""kl_divergence of every pair that PyTorch has: against PyTorch, and against averages over samples."""

import math

import lamina
import numpy as np
import pytest
from conftest import needs_torch, torch
from distribution_cases import CASES, PLAIN
from lamina import distributions as dist
from lamina.distributions.kl import _TABLE

# Numbers for which each pair of these has a finite or an infinite divergence worth looking at.
ONE = {
    "Bernoulli": {"probs": 0.3}, "Poisson": {"rate": 1.5}, "Beta": {"concentration1": 2.5, "concentration0": 0.7},
    "ContinuousBernoulli": {"probs": 0.3}, "Exponential": {"rate": 1.7}, "Gamma": {"concentration": 2.5, "rate": 3.0},
    "Gumbel": {"loc": 0.3, "scale": 0.7}, "Laplace": {"loc": 0.4, "scale": 1.2}, "Normal": {"loc": 0.5, "scale": 2.0},
    "Pareto": {"scale": 0.6, "alpha": 3.5}, "Uniform": {"low": 0.2, "high": 0.9}, "Cauchy": {"loc": 0.1, "scale": 2.0},
    "Geometric": {"probs": 0.3}, "HalfNormal": {"scale": 0.8}, "Binomial": {"total_count": 5.0, "probs": 0.3},
    "OneHotCategorical": {"probs": [0.2, 0.3, 0.5]},
}  # fmt: skip
TWO = {
    "Bernoulli": {"probs": 0.8}, "Poisson": {"rate": 0.5}, "Beta": {"concentration1": 0.5, "concentration0": 1.7},
    "ContinuousBernoulli": {"probs": 0.6}, "Exponential": {"rate": 0.7}, "Gamma": {"concentration": 0.5, "rate": 2.0},
    "Gumbel": {"loc": -0.3, "scale": 1.7}, "Laplace": {"loc": -0.4, "scale": 0.2}, "Normal": {"loc": 1.5, "scale": 1.0},
    "Pareto": {"scale": 0.1, "alpha": 1.5}, "Uniform": {"low": -0.2, "high": 1.9}, "Cauchy": {"loc": 3.1, "scale": 1.0},
    "Geometric": {"probs": 0.5}, "HalfNormal": {"scale": 1.8}, "Binomial": {"total_count": 5.0, "probs": 0.6},
    "OneHotCategorical": {"probs": [0.4, 0.5, 0.1]},
}  # fmt: skip
PAIRS = sorted((p.__name__, q.__name__) for p, q in _TABLE if p.__name__ in ONE and q.__name__ in ONE)


def made(module, name, values):
    kind = getattr(module.distributions, name)
    return kind(**{k: module.tensor(v, dtype=module.float64, requires_grad=True) for k, v in values[name].items()})


@needs_torch
@pytest.mark.parametrize(("p", "q"), PAIRS)
def test_pairs_equal_torch(p, q):
    for first, second in ((ONE, TWO), (TWO, ONE)):
        ours = dist.kl_divergence(made(lamina, p, first), made(lamina, q, second))
        theirs = torch.distributions.kl_divergence(made(torch, p, first), made(torch, q, second))
        assert ours.item() == pytest.approx(theirs.item(), rel=1e-8), (first[p], second[q])
        assert ours.shape == tuple(theirs.shape)


@needs_torch
def test_every_pair_of_torch_is_there():
    names = {(p.__name__, q.__name__) for p, q in _TABLE}
    theirs = {(p.__name__, q.__name__) for p, q in torch.distributions.kl._KL_REGISTRY}
    assert theirs - names == set()


@pytest.mark.parametrize(("p", "q"), [pair for pair in PAIRS if pair != ("Cauchy", "Cauchy")])
def test_pairs_equal_averages(p, q):
    """The definition, over samples: also where PyTorch might share a mistake."""
    first, second = made(lamina, p, ONE), made(lamina, q, TWO)
    found = dist.kl_divergence(first, second).item()
    lamina.manual_seed(0)
    x = first.sample((100_000,))
    if found == math.inf:
        inside = second.support.check(x)
        assert not bool(inside.all()) or bool((second.log_prob(x) == -math.inf).any())
        return
    logs = first.log_prob(x) - second.log_prob(x)
    assert abs(logs.mean().item() - found) < 6 * logs.std().item() / math.sqrt(len(logs)) + 1e-9


@needs_torch
def test_low_rank_normals():
    r = np.random.default_rng(0)
    values = [r.normal(size=(4,)), r.normal(size=(4, 2)), r.uniform(0.5, 1, 4), r.normal(size=(4,)), np.eye(4) * 1.5]
    found = []
    for module in (lamina, torch):
        loc, factor, diag, other, cov = map(module.tensor, values)
        low = module.distributions.LowRankMultivariateNormal(loc, factor, diag)
        low2 = module.distributions.LowRankMultivariateNormal(other, factor * 0.5, diag * 2)
        full, kl = module.distributions.MultivariateNormal(other, cov), module.distributions.kl_divergence
        found.append([kl(low, low2).item(), kl(low, full).item(), kl(full, low).item(), kl(low, low).item()])
    np.testing.assert_allclose(*found, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize(
    "name", ["Normal", "Exponential", "Gamma", "Beta", "Dirichlet", "Bernoulli", "Categorical", "Poisson"]
)
def test_exponential_families_equal_their_own_formula(name):
    """The Bregman divergence of the log-normalizer is the divergence of each of them."""
    kind = getattr(dist, name)
    general = _TABLE[dist.ExponentialFamily, dist.ExponentialFamily]
    values = {k: lamina.tensor(np.array(v, np.float64)) for k, v in CASES.get(name, CASES["Normal"])[0].items()}
    p = kind(**PLAIN.get(name, {}), **values)
    q = kind(**{k: (v * 0.9 + 0.05 if name != "Poisson" else v * 2) for k, v in values.items()})
    keep = (p.probs > 0).all(-1) if name == "Categorical" else ...
    ours, expected = general(p, q), dist.kl_divergence(p, q)
    np.testing.assert_allclose(ours.detach().numpy()[keep], expected.numpy()[keep], rtol=1e-8, atol=1e-12)


def test_an_exponential_family_of_ones_own():
    """Entropy by the gradient of the log-normalizer: here that of an exponential distribution."""

    class Mine(dist.ExponentialFamily):
        arg_constraints = {"rate": dist.constraints.positive}
        _mean_carrier_measure = 0

        def __init__(self, rate):
            self.rate = rate
            super().__init__(rate.shape)

        @property
        def _natural_params(self):
            return (-self.rate,)

        def _log_normalizer(self, x):
            return -(-x).log()

    rate = lamina.tensor([0.5, 2.0], requires_grad=True)
    assert (Mine(rate).entropy() - dist.Exponential(rate).entropy()).abs().max().item() < 1e-6
    both = (
        dist.kl_divergence(Mine(rate), Mine(rate * 2)),
        dist.kl_divergence(dist.Exponential(rate), dist.Exponential(rate * 2)),
    )
    assert (both[0] - both[1]).abs().max().item() < 1e-6
    with pytest.raises(NotImplementedError, match="register_kl"):
        dist.kl_divergence(Mine(rate), dist.Normal(0.0, 1.0))


def test_binomials_with_other_counts():
    p, q = dist.Binomial(3, probs=lamina.tensor(0.5)), dist.Binomial(5, probs=lamina.tensor(0.5))
    with pytest.raises(NotImplementedError, match="more trials"):
        dist.kl_divergence(p, q)
    assert dist.kl_divergence(q, p).item() == math.inf
