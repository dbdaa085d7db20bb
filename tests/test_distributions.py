"""Distributions: densities, moments, entropies and divergences against PyTorch; samples against their own theory."""

import math

import lamina
import numpy as np
import pytest
from conftest import needs_torch, torch
from distribution_cases import CASES, OTHER, WHOLE, get, make
from lamina import distributions as dist
from lamina.distributions import _gamma_math

# PyTorch's are wrong or rough here; tests below look at them.
ELSEWHERE = {
    ("Kumaraswamy", "mode"),  # NaN everywhere, the logarithm of a negative number
    ("VonMises", "log_prob"), ("VonMises", "variance"), ("VonMises", "stddev"),  # 7 digits of the Bessel functions
    ("ContinuousBernoulli", "cdf"), ("ContinuousBernoulli", "icdf"),  # those of p = 1/2 for all p near it
    ("ContinuousBernoulli_logits", "cdf"), ("ContinuousBernoulli_logits", "icdf"),
    ("Multinomial", "entropy"), ("Multinomial", "perplexity"),  # one term is float32, whatever the parameters are
    ("Multinomial_logits", "entropy"), ("Multinomial_logits", "perplexity"),
}  # fmt: skip


@needs_torch
@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_everything_equals_torch(name, dtype):
    if name == "GeneralizedPareto" and dtype == np.float64:
        return  # PyTorch refuses float64 there; test_generalized_pareto_equals_scipy
    (ours, x, mine), (theirs, tx, other) = make(lamina, name, dtype, True), make(torch, name, dtype, True)
    tight = {"rtol": 1e-9, "atol": 1e-12} if dtype == np.float64 else {"rtol": 5e-5, "atol": 5e-5}
    rough = {"rtol": 1e-6, "atol": 1e-6}
    assert tuple(ours.batch_shape) == tuple(theirs.batch_shape) and tuple(ours.event_shape) == tuple(theirs.event_shape)
    y, ty = ours.log_prob(x), theirs.log_prob(tx)
    wide = rough if (name, "log_prob") in ELSEWHERE else tight
    np.testing.assert_allclose(y.detach().numpy(), ty.detach().numpy(), **wide)
    y.sum().backward()
    ty.sum().backward()
    for key in mine:
        if other[key].grad is not None:
            expected = other[key].grad.tril() if key == "scale_tril" else other[key].grad  # PyTorch fills the triangle
            np.testing.assert_allclose(mine[key].grad.numpy(), expected.numpy(), **wide, err_msg=key)
    for what in ("mean", "variance", "stddev", "mode", "entropy", "perplexity", "probs", "logits", "scale_tril",
                 "covariance_matrix", "precision_matrix"):  # fmt: skip
        expected = get(theirs, what)
        if expected is not None and (name, what) not in ELSEWHERE:
            np.testing.assert_allclose(get(ours, what), expected, **tight, err_msg=what)
    loose = {"rtol": 1e-7, "atol": 1e-9} if dtype == np.float64 else tight
    for what, at in (("cdf", x.detach().numpy()), ("icdf", np.full(1, 0.3, dtype)), ("icdf", np.full(1, 0.99, dtype))):
        if (name, what) in ELSEWHERE:
            continue
        try:
            expected = getattr(theirs, what)(torch.tensor(at)).detach().numpy()
        except NotImplementedError:
            continue
        np.testing.assert_allclose(getattr(ours, what)(lamina.tensor(at)).detach().numpy(), expected, **loose)
    if theirs.has_enumerate_support and name != "Binomial":
        for expand in (True, False):
            assert ours.enumerate_support(expand).tolist() == theirs.enumerate_support(expand).tolist()


def test_generalized_pareto_equals_scipy():
    stats = pytest.importorskip("scipy.stats")
    loc, scale, c, x = 0.1, 0.5, np.array([0.2, 0.0, -0.4]), np.array([0.9, 0.3, 0.4])
    ours = dist.GeneralizedPareto(lamina.tensor(loc, dtype=lamina.float64), scale, lamina.tensor(c))
    theirs, p = stats.genpareto(c, loc=loc, scale=scale), np.array([0.01, 0.5, 0.99])
    for found, expected in (
        (ours.log_prob(lamina.tensor(x)), theirs.logpdf(x)), (ours.cdf(lamina.tensor(x)), theirs.cdf(x)),
        (ours.icdf(lamina.tensor(p)), theirs.ppf(p)), (ours.mean, theirs.mean()), (ours.variance, theirs.var()),
        (ours.entropy(), theirs.entropy()), (ours.log_survival_function(lamina.tensor(x)), theirs.logsf(x)),
    ):  # fmt: skip
        np.testing.assert_allclose(found.numpy(), expected, rtol=1e-9)


def test_continuous_bernoulli_near_one_half():
    """F(x) = (exp(l x) - 1) / (exp(l) - 1) with l the logit, for all p alike."""
    probs = np.array([0.2, 0.4989, 0.4991, 0.49999, 0.5, 0.5009, 0.5011, 0.97])
    given = lamina.tensor(probs, requires_grad=True)
    ours = dist.ContinuousBernoulli(given)
    logits = np.log(probs) - np.log1p(-probs)
    with np.errstate(invalid="ignore"):
        expected = np.where(probs == 0.5, 0.3, np.expm1(logits * 0.3) / np.expm1(logits))
    found = ours.cdf(lamina.tensor(0.3, dtype=lamina.float64))
    np.testing.assert_allclose(found.detach().numpy(), expected, rtol=1e-8)
    np.testing.assert_allclose(ours.icdf(found).detach().numpy(), 0.3, rtol=1e-8)
    found.sum().backward()
    assert (given.grad < 0).all().item()


def test_what_a_sample_computes_keeps_its_gradients():
    """probs of given logits are first needed by sample(), where no gradients are recorded."""
    logits = lamina.tensor([0.3, -1.0], requires_grad=True)
    coin = dist.Bernoulli(logits=logits)
    coin.sample()
    coin.entropy().sum().backward()
    lone = logits.detach().requires_grad_()
    dist.Bernoulli(logits=lone).entropy().sum().backward()
    assert logits.grad.tolist() == lone.grad.tolist() and logits.grad.abs().min().item() > 0.05


def test_multinomial_entropy_is_that_of_all_outcomes():
    multinomial = dist.Multinomial(3, lamina.tensor([0.2, 0.3, 0.5], dtype=lamina.float64))
    outcomes = [(a, b, 3 - a - b) for a in range(4) for b in range(4 - a)]
    log_prob = multinomial.log_prob(lamina.tensor(outcomes, dtype=lamina.float64))
    assert multinomial.entropy().item() == pytest.approx(-(log_prob.exp() * log_prob).sum().item(), rel=1e-12)


def test_the_mode_of_kumaraswamy():
    """Where its density is largest."""
    kumaraswamy = dist.Kumaraswamy(lamina.tensor([1.5, 7.5, 0.3], dtype=lamina.float64), 3.0)
    x = lamina.linspace(0.001, 0.999, 4991, dtype=lamina.float64)
    top = x[kumaraswamy.log_prob(x.unsqueeze(-1)).argmax(0)]
    assert (kumaraswamy.mode - top).abs()[:2].max().item() < 2e-4 and kumaraswamy.mode[2].isnan().item()


def test_von_mises_equals_scipy():
    stats = pytest.importorskip("scipy.stats")
    k, x = np.array([1e-3, 0.5, 3.0, 700.0]), np.array([0.1, 1.0, -2.0, 0.05])
    circle = dist.VonMises(lamina.tensor(0.3, dtype=lamina.float64), lamina.tensor(k))
    expected = stats.vonmises(k, loc=0.3).logpdf(x)
    np.testing.assert_allclose(circle.log_prob(lamina.tensor(x)).numpy(), expected, rtol=1e-12)
    bessel = pytest.importorskip("scipy.special")
    np.testing.assert_allclose(circle.variance.numpy(), 1 - bessel.i1e(k) / bessel.i0e(k), rtol=1e-10)


@needs_torch
@pytest.mark.parametrize("name", CASES)
def test_expand_and_shapes(name):
    (ours, _, _), (theirs, _, _) = make(lamina, name), make(torch, name)
    batch = (4, *ours.batch_shape)
    wide, twide = ours.expand(batch), theirs.expand(batch)
    lamina.manual_seed(0)
    x = wide.sample((5,))
    assert type(wide) is type(ours) and wide.support is not None
    assert tuple(x.shape) == (5, *batch, *ours.event_shape) and not x.requires_grad
    if name != "GeneralizedPareto":
        expected = twide.log_prob(torch.tensor(x.numpy())).numpy()
        np.testing.assert_allclose(wide.log_prob(x).numpy(), expected, rtol=1e-6, atol=1e-6)
    for what in ("mean", "entropy"):
        expected = get(twide, what)
        assert expected is None or get(wide, what).shape == expected.shape
    lamina.manual_seed(0)
    assert wide.sample((5,)).tolist() == x.tolist()
    assert type(ours).__name__ in repr(ours) and ours.has_rsample == theirs.has_rsample


WITHOUT_MOMENTS = (
    "Cauchy HalfCauchy FisherSnedecor InverseGamma Pareto StudentT GeneralizedPareto VonMises".split()
)  # or with some that are infinite; the circular variance is not that of numbers
BY_MOMENTS = [n for n in CASES if n not in WITHOUT_MOMENTS and get(make(lamina, n)[0], "variance") is not None]


@pytest.mark.parametrize("name", BY_MOMENTS)
def test_samples_have_the_moments(name):
    d, _, _ = make(lamina, name)
    lamina.manual_seed(1)
    x = d.sample((20000,)).to(lamina.float64)
    if name in WHOLE:
        counts = lamina.nn.functional.one_hot(x.long(), d.probs.shape[-1]).to(lamina.float64)
        mean, expected, spread = counts.mean(0), d.probs, (d.probs * (1 - d.probs)).sqrt()
    else:
        mean, expected, spread = x.mean(0), d.mean, d.stddev
    assert ((mean - expected).abs() <= 5 * spread / math.sqrt(20000) + 1e-12).all().item()
    if name not in WHOLE:
        ratio = (x.var(0) / d.variance)[d.variance > 0]
        assert ((ratio - 1).abs() < (0.5 if name in ("Gamma", "Chi2") else 0.1)).all().item()


@pytest.mark.parametrize("name", [n for n in CASES if n not in ("Uniform", "Pareto", "GeneralizedPareto")])
def test_samples_follow_the_density(name):
    """The mean gradient of log_prob in the parameters is 0 over samples, when both are of one distribution."""
    d, _, given = make(lamina, name, grad=True)
    lamina.manual_seed(3)
    count = 2000
    x = d.sample((count,))
    for key, value in given.items():
        if key == "total_count":
            continue
        rows = [lamina.autograd.grad(d.log_prob(part).sum(), value, retain_graph=True)[0] for part in x.split(10)]
        rows = lamina.stack(rows)[:, value > 0 if key == "probs" else ...]  # at a probability of 0 the range ends
        assert (rows.mean(0).abs() <= 5.5 * rows.std(0) / math.sqrt(len(rows)) + 1e-9).all().item(), key


@pytest.mark.parametrize("name", ["Cauchy", "HalfCauchy", "StudentT", "Pareto", "GeneralizedPareto", "InverseGamma"])
def test_samples_of_heavy_tails(name):
    """Half of the samples lie below the median, wherever the mean is."""
    d, _, _ = make(lamina, name)
    lamina.manual_seed(4)
    x = d.sample((20000,))
    if name == "StudentT":
        share = (x < d.loc).to(lamina.float64).mean(0)
    else:
        share = (d.cdf(x) < 0.5).to(lamina.float64).mean(0)
    assert ((share - 0.5).abs() < 5 * 0.5 / math.sqrt(20000)).all().item()


@pytest.mark.parametrize("name", [n for n in BY_MOMENTS if getattr(dist, n.split("_")[0]).has_rsample is True])
def test_gradients_of_samples(name):
    """The mean of x^2 over samples and its gradient: the pathwise gradient against that of mean^2 + variance."""
    d, _, given = make(lamina, name, grad=True)
    if "StraightThrough" in name:
        return  # its gradient is not that of the mean: test_straight_through
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


@pytest.mark.parametrize(
    "name", ["Cauchy", "StudentT", "InverseGamma", "Pareto", "GeneralizedPareto", "FisherSnedecor"]
)
def test_pathwise_gradients_of_heavy_tails(name):
    """The mean of a bounded function, sigmoid(x): its pathwise gradient equals the score gradient."""
    d, _, given = make(lamina, name, grad=True)
    lamina.manual_seed(5)
    x = d.rsample((20000,))
    path = lamina.autograd.grad(x.sigmoid().mean(0).sum(), list(given.values()), retain_graph=True)
    lamina.manual_seed(6)
    if name in ("Pareto", "GeneralizedPareto"):  # the support moves: differences of the mean instead of the score
        return
    x = d.sample((20000,))
    score = lamina.autograd.grad((x.sigmoid() * d.log_prob(x)).mean(0).sum(), list(given.values()))
    for a, b in zip(path, score, strict=True):
        assert (a - b).abs().max().item() < 0.05 * max(1.0, b.abs().max().item())


def test_straight_through():
    probs = lamina.tensor([0.2, 0.3, 0.5], requires_grad=True)
    sample = dist.OneHotCategoricalStraightThrough(probs).rsample()
    assert sorted(sample.detach().round().tolist()) == [0, 0, 1]
    (sample * lamina.tensor([1.0, 2.0, 4.0])).sum().backward()
    expected = lamina.tensor([1.0, 2.0, 4.0]) - (0.2 * 1 + 0.3 * 2 + 0.5 * 4)  # probs are divided by their sum
    assert (probs.grad - expected).abs().max().item() < 1e-6


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
        dist.register_kl(Mine, 3)


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
