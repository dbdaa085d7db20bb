"""Distributions: densities, moments, entropies and divergences against PyTorch; samples against their own theory."""

import math

import lamina
import numpy as np
import pytest
from conftest import needs_torch, torch
from lamina import distributions as dist
from lamina.distributions import _gamma_math

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
}


def make(module, name, dtype=np.float64, grad=False):
    parameters, values = CASES[name]
    given = {k: module.tensor(np.array(v, dtype), requires_grad=grad) for k, v in parameters.items()}
    x = module.tensor(np.array(values, np.int64 if "Categorical" in name else dtype))
    return getattr(module.distributions, name.split("_")[0])(**given), x, given


def get(d, name):
    value = getattr(d, name)
    value = value() if callable(value) else value
    return value.detach().numpy()


@needs_torch
@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_everything_equals_torch(name, dtype):
    (ours, x, mine), (theirs, tx, other) = make(lamina, name, dtype, True), make(torch, name, dtype, True)
    tight = {"rtol": 1e-9, "atol": 1e-12} if dtype == np.float64 else {"rtol": 2e-5, "atol": 2e-5}
    assert ours.batch_shape == tuple(theirs.batch_shape) and ours.event_shape == tuple(theirs.event_shape)
    y, ty = ours.log_prob(x), theirs.log_prob(tx)
    np.testing.assert_allclose(y.detach().numpy(), ty.detach().numpy(), **tight)
    y.sum().backward()
    ty.sum().backward()
    for key in mine:
        np.testing.assert_allclose(mine[key].grad.numpy(), other[key].grad.numpy(), **tight, err_msg=key)
    for what in ("mean", "variance", "stddev", "mode", "entropy", "perplexity"):
        np.testing.assert_allclose(get(ours, what), get(theirs, what), **tight, err_msg=what)
    for what in ("probs", "logits", "scale_tril", "covariance_matrix", "precision_matrix"):
        if hasattr(theirs, what):
            np.testing.assert_allclose(get(ours, what), get(theirs, what), **tight, err_msg=what)
    if name in ("Normal", "Uniform", "Gamma", "Exponential", "Laplace", "LogNormal"):
        loose = {"rtol": 1e-7, "atol": 1e-9} if dtype == np.float64 else tight
        np.testing.assert_allclose(ours.cdf(x).detach().numpy(), theirs.cdf(tx).detach().numpy(), **loose)
    if name in ("Normal", "Uniform", "Exponential", "Laplace", "LogNormal"):
        p = np.array([0.01, 0.7], dtype)
        np.testing.assert_allclose(
            ours.icdf(lamina.tensor(p)).detach().numpy(), theirs.icdf(torch.tensor(p)).detach().numpy(), **tight
        )
    if theirs.has_enumerate_support:
        for wide in (True, False):
            assert ours.enumerate_support(wide).tolist() == theirs.enumerate_support(wide).tolist()


@needs_torch
@pytest.mark.parametrize("name", CASES)
def test_expand_and_shapes(name):
    (ours, _, _), (theirs, _, _) = make(lamina, name), make(torch, name)
    batch = (4, *ours.batch_shape)
    wide, twide = ours.expand(batch), theirs.expand(batch)
    lamina.manual_seed(0)
    x = wide.sample((5,))
    assert x.shape == (5, *batch, *ours.event_shape) and not x.requires_grad
    np.testing.assert_allclose(
        wide.log_prob(x).numpy(), twide.log_prob(torch.tensor(x.numpy())).numpy(), rtol=1e-6, atol=1e-6
    )
    assert wide.mean.shape == tuple(twide.mean.shape) and wide.entropy().shape == batch
    lamina.manual_seed(0)
    assert wide.sample((5,)).tolist() == x.tolist()
    assert type(ours).__name__ in repr(ours) and ours.has_rsample == theirs.has_rsample


@pytest.mark.parametrize("name", CASES)
def test_samples_have_the_moments(name):
    d, _, _ = make(lamina, name)
    lamina.manual_seed(1)
    x = d.sample((20000,)).to(lamina.float64)
    if "Categorical" in name:
        counts = lamina.nn.functional.one_hot(x.long(), d.probs.shape[-1]).to(lamina.float64)
        mean, expected, spread = counts.mean(0), d.probs, (d.probs * (1 - d.probs)).sqrt()
    else:
        mean, expected, spread = x.mean(0), d.mean, d.stddev
    assert ((mean - expected).abs() <= 5 * spread / math.sqrt(20000) + 1e-12).all().item()
    if "Categorical" not in name:
        ratio = x.var(0) / d.variance
        assert ((ratio - 1).abs() < (0.5 if name == "Gamma" else 0.1)).all().item()


@pytest.mark.parametrize("name", [n for n in CASES if getattr(dist, n.split("_")[0]).has_rsample])
def test_gradients_of_samples(name):
    """The mean of x^2 over samples and its gradient: the pathwise gradient against that of mean^2 + variance."""
    d, _, given = make(lamina, name, grad=True)
    lamina.manual_seed(2)
    x = d.rsample((20000,))
    weights = lamina.tensor(np.linspace(0.5, 1.5, int(np.prod(x.shape[1:]))).reshape(x.shape[1:]))
    (x.square().mean(0) * weights).sum().backward()
    found = {k: v.grad.numpy() for k, v in given.items()}
    d, _, given = make(lamina, name, grad=True)
    ((d.mean.square() + d.variance) * weights).sum().backward()
    for key, value in given.items():
        expected = value.grad.numpy()
        scale = np.abs(expected).max()
        np.testing.assert_allclose(found[key] / scale, expected / scale, atol=0.1, err_msg=key)


def test_gamma_mathematics():
    special = pytest.importorskip("scipy.special")
    a, p = np.meshgrid([1e-3, 0.1, 0.9, 1.0, 1.5, 10, 1000, 1e5], [1e-4, 0.1, 0.5, 0.99, 0.9999])
    z = special.gammaincinv(a, p)
    keep = special.gammaincinv(a * (1 - 1e-5), p) > 1e-290
    a, z = a[keep], z[keep]
    found = _gamma_math.distribution_function(lamina.tensor(a), lamina.tensor(z)).numpy()
    np.testing.assert_allclose(found, special.gammainc(a, z), rtol=1e-8, atol=1e-10)
    h, q = a * 1e-5, special.gammainc(a, z)
    slope = np.log(special.gammaincinv(a + h, q) / special.gammaincinv(a - h, q)) / (2 * h)
    found = _gamma_math.log_gradient(lamina.tensor(a), lamina.tensor(np.log(z))).numpy()
    np.testing.assert_allclose(found, slope, rtol=1e-8)
    x = np.concatenate([10.0 ** np.linspace(-8, 8, 60), [1, 1.5, 2]])
    np.testing.assert_allclose(lamina.lgamma(lamina.tensor(x)).numpy(), special.gammaln(x), rtol=1e-13, atol=1e-14)
    np.testing.assert_allclose(lamina.digamma(lamina.tensor(x)).numpy(), special.digamma(x), rtol=1e-13, atol=1e-14)
    y = np.array([-1, -1 + 1e-16, -0.7, 0, 1e-9, 0.5, 1 - 1e-12, 1, 2])
    np.testing.assert_allclose(lamina.erfinv(lamina.tensor(y)).numpy(), special.erfinv(y), rtol=1e-14)


@needs_torch
def test_gradient_of_the_gamma_cdf():
    c, x = np.array([0.5, 2.0, 30.0]), np.array([0.3, 5.0, 25.0])
    value = lamina.tensor(x, requires_grad=True)
    dist.Gamma(lamina.tensor(c), 2.0).cdf(value).sum().backward()
    t = torch.tensor(x, requires_grad=True)
    torch.distributions.Gamma(torch.tensor(c), 2.0).cdf(t).sum().backward()
    np.testing.assert_allclose(value.grad.numpy(), t.grad.numpy(), rtol=1e-9)


def test_small_concentrations_give_no_nan():
    lamina.manual_seed(0)
    c = lamina.full((1000, 3), 1e-3, requires_grad=True)
    x = dist.Dirichlet(c).rsample()
    assert ((x.sum(-1) - 1).abs() < 1e-5).all().item()
    (x * lamina.tensor([1.0, 2.0, 3.0])).sum().backward()
    assert c.grad.isfinite().all().item()
    assert (dist.Gamma(c.detach(), 1.0).sample() > 0).all().item()


def test_samples_do_not_depend_on_their_neighbours():
    lamina.manual_seed(3)
    a = dist.Gamma(lamina.tensor([0.5, 2.0, 0.1, 9.0]), 1.0).sample()
    lamina.manual_seed(3)
    b = dist.Gamma(lamina.tensor([0.5, 7.0, 3.0, 9.0]), 1.0).sample()
    assert a[0].item() == b[0].item() and a[3].item() == b[3].item()


# -- divergences ------------------------------------------------------------------------------------------------------
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


@needs_torch
@pytest.mark.parametrize("name", OTHER)
def test_divergences_equal_torch(name):
    found = []
    for module in (lamina, torch):
        p, _, _ = make(module, name)
        parameters = {k: module.tensor(np.array(v, np.float64)) for k, v in OTHER[name].items()}
        q = getattr(module.distributions, name)(**parameters)
        found.append([module.distributions.kl_divergence(*pair).numpy() for pair in ((p, q), (q, p), (p, p))])
    for ours, theirs in zip(*found, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-9, atol=1e-12)


@needs_torch
@pytest.mark.parametrize(
    "pair",
    [("Uniform", "Normal"), ("Beta", "Normal"), ("Gamma", "Normal"), ("Beta", "Uniform"), ("Beta", "Gamma")]
    + [("Normal", "Uniform"), ("Normal", "Beta"), ("Normal", "Gamma"), ("Gamma", "Uniform"), ("Gamma", "Beta")],
)
def test_mixed_divergences_equal_torch(pair):
    scalars = {"Normal": (0.5, 2.0), "Uniform": (-1.0, 2.0), "Beta": (2.5, 0.5), "Gamma": (1.5, 3.0)}
    found = []
    for module in (lamina, torch):
        p, q = (
            getattr(module.distributions, name)(*(module.tensor(v, dtype=module.float64) for v in scalars[name]))
            for name in pair
        )
        found.append(module.distributions.kl_divergence(p, q).item())
    assert found[0] == pytest.approx(found[1], rel=1e-9)


def test_register_kl():
    class Mine(dist.Normal):
        pass

    p = Mine(0.0, 1.0)
    assert dist.kl_divergence(p, p).item() == 0  # by its base class

    @dist.register_kl(Mine, Mine)
    def _(p, q):
        return lamina.tensor(7.0)

    assert dist.kl_divergence(p, p).item() == 7
    with pytest.raises(NotImplementedError, match="register_kl"):
        dist.kl_divergence(p, dist.Bernoulli(0.5))
    with pytest.raises(TypeError):
        dist.register_kl(Mine, int)


# -- errors -----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "call",
    [
        lambda: dist.Normal(0.0, -1.0),
        lambda: dist.Normal(lamina.tensor([0.0, math.nan]), 1.0),
        lambda: dist.Normal(lamina.zeros(2), lamina.ones(3)),
        lambda: dist.Uniform(1.0, 1.0),
        lambda: dist.Bernoulli(),
        lambda: dist.Bernoulli(0.5, 0.5),
        lambda: dist.Bernoulli(1.5),
        lambda: dist.Categorical(lamina.tensor(1.0)),
        lambda: dist.Categorical(lamina.tensor([-1.0, 2.0])),
        lambda: dist.Gamma(0.0, 1.0),
        lambda: dist.Dirichlet(lamina.tensor(1.0)),
        lambda: dist.MultivariateNormal(lamina.zeros(2)),
        lambda: dist.MultivariateNormal(lamina.zeros(2), lamina.eye(3)),
        lambda: dist.MultivariateNormal(lamina.zeros(2), -lamina.eye(2)),
        lambda: dist.MultivariateNormal(lamina.zeros(2), scale_tril=lamina.ones(2, 2)),
        lambda: dist.Normal(0.0, 1.0).log_prob(3.0),
        lambda: dist.Uniform(0.0, 1.0).log_prob(lamina.tensor(2.0)),
        lambda: dist.Bernoulli(0.5).log_prob(lamina.tensor(0.5)),
        lambda: dist.Categorical(lamina.ones(3)).log_prob(lamina.tensor(3)),
        lambda: dist.Dirichlet(lamina.ones(3)).log_prob(lamina.ones(3)),
        lambda: dist.Dirichlet(lamina.ones(3)).log_prob(lamina.ones(2) / 2),
        lambda: dist.Normal(lamina.zeros(3), 1.0).log_prob(lamina.zeros(2)),
        lambda: dist.Distribution.set_default_validate_args(2),
    ],
)
def test_bad_arguments(call):
    with pytest.raises(ValueError):
        call()


def test_validation_can_be_turned_off():
    assert dist.Normal(0.0, -1.0, validate_args=False).scale.item() == -1
    assert dist.Uniform(0.0, 1.0, validate_args=False).log_prob(lamina.tensor(2.0)).item() == -math.inf
    dist.Distribution.set_default_validate_args(False)
    try:
        dist.Normal(0.0, -1.0)
    finally:
        dist.Distribution.set_default_validate_args(True)
    with pytest.raises(NotImplementedError, match="log_prob"):
        dist.Bernoulli(0.5).rsample()


@needs_torch
@pytest.mark.parametrize("dims", [0, 1, 2])
def test_independent_equals_torch(dims):
    found = []
    for module in (lamina, torch):
        d = module.distributions
        values = [module.tensor(np.random.default_rng(i).uniform(0.5, 2, (4, 3, 2))) for i in range(5)]
        p, q = (d.Independent(d.Normal(*values[i : i + 2]), dims) for i in (0, 2))
        assert tuple(p.batch_shape) == (4, 3, 2)[: 3 - dims] and tuple(p.event_shape) == (4, 3, 2)[3 - dims :]
        assert tuple(p.sample((5,)).shape) == (5, 4, 3, 2) and p.has_rsample
        wide = p.expand((7, *p.batch_shape))
        assert tuple(wide.batch_shape) == (7, *p.batch_shape) and wide.event_shape == p.event_shape
        both = [p.log_prob(values[4]), p.entropy(), d.kl_divergence(p, q), p.mean, p.variance, p.mode, p.stddev]
        found.append([*both, wide.log_prob(values[4]), p.support.check(values[4])])
    for ours, theirs in zip(*found, strict=True):
        np.testing.assert_allclose(ours.numpy(), theirs.numpy(), rtol=1e-12)


def test_independent_refuses():
    normal = dist.Normal(lamina.zeros(3, 2), 1.0)
    with pytest.raises(ValueError, match=r"between 0 and the 2 dims of the batch \(3, 2\), got 3"):
        dist.Independent(normal, 3)
    with pytest.raises(NotImplementedError, match="the same reinterpreted_batch_ndims, got 1 and 2"):
        dist.kl_divergence(dist.Independent(normal, 1), dist.Independent(normal, 2))
    with pytest.raises(ValueError, match="expected it to end with event_shape"):
        dist.Independent(normal, 1)._validate_sample(lamina.zeros(3))
    assert repr(dist.Independent(normal, 1)) == "Independent(Normal(loc: (3, 2), scale: (3, 2)), 1)"
