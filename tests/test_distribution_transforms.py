"""Transforms of vectors and matrices, constraints and their registries: against PyTorch and by their definitions."""

import lamina
import numpy as np
import pytest
from conftest import needs_torch, torch
from lamina import distributions as dist
from lamina.distributions import constraints
from lamina.distributions.utils import tril_matrix_to_vec, vec_to_tril_matrix

R = np.random.default_rng(0)
EVENTS = {
    "StickBreakingTransform": (lambda d: d.StickBreakingTransform(), R.normal(size=(5, 3))),
    "CorrCholeskyTransform": (lambda d: d.CorrCholeskyTransform(), R.normal(size=(5, 6))),
    "ReshapeTransform": (lambda d: d.ReshapeTransform((6,), (2, 3)), R.normal(size=(5, 6))),
    "StackTransform": (lambda d: d.StackTransform([d.ExpTransform(), d.AffineTransform(1.0, 2.0)], dim=1), R.normal(size=(5, 2))),
    "CatTransform": (
        lambda d: d.CatTransform([d.ExpTransform(), d.AffineTransform(0.0, -2.0)], dim=1, lengths=[2, 1]),
        R.normal(size=(5, 3)),
    ),
    "CumulativeDistributionTransform": (
        lambda d: d.CumulativeDistributionTransform(d.Laplace(0.5, 2.0)), R.normal(size=(5,))
    ),
}  # fmt: skip
WITHOUT_JACOBIAN = {
    "SoftmaxTransform": (lambda d: d.SoftmaxTransform(), R.normal(size=(5, 3))),
    "LowerCholeskyTransform": (lambda d: d.LowerCholeskyTransform(), R.normal(size=(5, 3, 3))),
    "PositiveDefiniteTransform": (lambda d: d.PositiveDefiniteTransform(), R.normal(size=(5, 3, 3))),
}


@needs_torch
@pytest.mark.parametrize("name", [*EVENTS, *WITHOUT_JACOBIAN])
def test_transforms_equal_torch(name):
    make, x = {**EVENTS, **WITHOUT_JACOBIAN}[name]
    ours, theirs = make(dist), make(torch.distributions)
    a, b = lamina.tensor(x), torch.tensor(x)
    y, ty = ours(a), theirs(b)
    np.testing.assert_allclose(y.numpy(), ty.numpy(), rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(ours.inv(y).numpy(), theirs.inv(ty).numpy(), rtol=1e-7, atol=1e-9)
    assert tuple(ours.forward_shape(x.shape)) == tuple(y.shape) and tuple(ours.inverse_shape(y.shape)) == x.shape
    assert bool(ours.codomain.check(y).all()) and ours.bijective == theirs.bijective
    assert (ours.domain.event_dim, ours.codomain.event_dim) == (theirs.domain.event_dim, theirs.codomain.event_dim)
    assert ours == make(dist) or name == "CumulativeDistributionTransform"
    if name in EVENTS:
        found, expected = ours.log_abs_det_jacobian(a, y), theirs.log_abs_det_jacobian(b, ty)
        np.testing.assert_allclose(found.numpy(), expected.numpy(), rtol=1e-8, atol=1e-10)


@pytest.mark.parametrize("name", ["StickBreakingTransform", "CorrCholeskyTransform"])
def test_jacobians_by_definition(name):
    """log |det| of the derivatives of the free outputs."""
    make, x = EVENTS[name]
    t, row = make(dist), lamina.tensor(x[0])

    def free(v):
        y = t(v)
        return y[:-1] if name == "StickBreakingTransform" else tril_matrix_to_vec(y, -1)

    jacobian = lamina.func.jacrev(free)(row)
    expected = lamina.linalg.slogdet(jacobian)[1].item()
    assert t.log_abs_det_jacobian(row, t(row)).item() == pytest.approx(expected, rel=1e-9)


def test_transforms_keep_pairs():
    t = dist.StickBreakingTransform(cache_size=1)
    x = lamina.zeros(3)
    assert t.inv(t(x)) is x
    assert dist.CatTransform([t], cache_size=1).with_cache(0).transforms[0]._cache_size in (0, 1)


@pytest.mark.parametrize(
    ("call", "match"),
    [
        (lambda: dist.ReshapeTransform((2,), (3,)), "differ in elements"),
        (lambda: dist.ReshapeTransform((2,), (2, 1)).forward_shape((3,)), "does not end with"),
        (lambda: dist.CorrCholeskyTransform().forward_shape((4,)), "fill no triangle"),
        (lambda: dist.CorrCholeskyTransform().inverse_shape((2, 3)), "square"),
        (lambda: dist.StackTransform([dist.ExpTransform()])(lamina.zeros(2)), "size 1"),
        (lambda: dist.CatTransform([dist.ExpTransform()], lengths=[1])(lamina.zeros(2)), "size 1"),
        (lambda: dist.CatTransform([dist.ExpTransform()], lengths=[1, 2]), "1 transforms but 2 lengths"),
        (lambda: dist.SoftmaxTransform().forward_shape(()), "at least 1"),
        (lambda: vec_to_tril_matrix(lamina.zeros(4)), "fill no triangle"),
        (lambda: tril_matrix_to_vec(lamina.zeros(2, 2), 5), "outside"),
    ],
)
def test_transforms_refuse(call, match):
    with pytest.raises(ValueError, match=match):
        call()


@needs_torch
@pytest.mark.parametrize("diag", [-2, -1, 0, 1])
def test_triangles_equal_torch(diag):
    from torch.distributions import utils

    matrix = R.normal(size=(2, 4, 4))
    vector = tril_matrix_to_vec(lamina.tensor(matrix), diag)
    assert vector.tolist() == utils.tril_matrix_to_vec(torch.tensor(matrix), diag).tolist()
    back = utils.vec_to_tril_matrix(torch.tensor(vector.numpy()), diag)
    assert vec_to_tril_matrix(vector, diag).tolist() == back.tolist()


SETS = {
    "real": lambda c: c.real, "positive": lambda c: c.positive, "nonnegative": lambda c: c.nonnegative,
    "interval": lambda c: c.interval(-1.0, 3.0), "half_open": lambda c: c.half_open_interval(-1.0, 3.0),
    "unit": lambda c: c.unit_interval, "greater": lambda c: c.greater_than(2.0), "less": lambda c: c.less_than(2.0),
    "greater_eq": lambda c: c.greater_than_eq(-1.0), "simplex": lambda c: c.simplex,
    "real_vector": lambda c: c.real_vector, "independent": lambda c: c.independent(c.positive, 1),
    "stack": lambda c: c.stack([c.positive, c.real, c.unit_interval], 1),
    "cat": lambda c: c.cat([c.positive, c.real], 1, [1, 2]), "corr": lambda c: c.corr_cholesky,
    "lower": lambda c: c.lower_cholesky, "definite": lambda c: c.positive_definite,
}  # fmt: skip


@needs_torch
@pytest.mark.parametrize("which", ["biject_to", "transform_to"])
@pytest.mark.parametrize("name", SETS)
def test_registries_equal_torch(name, which):
    x = R.normal(size=(4, 3, 3) if name in ("lower", "definite") else (4, 3))
    registry, theirs = getattr(dist, which), getattr(torch.distributions, which)
    try:
        other = theirs(SETS[name](torch.distributions.constraints))
    except NotImplementedError:
        with pytest.raises(NotImplementedError, match="no transform for"):
            registry(SETS[name](constraints))
        return
    t = registry(SETS[name](constraints))
    y = t(lamina.tensor(x))
    np.testing.assert_allclose(y.numpy(), other(torch.tensor(x)).numpy(), rtol=1e-9, atol=1e-12)
    assert bool(SETS[name](constraints).check(y).all())


def test_a_constraint_of_ones_own():
    class Even(constraints.Constraint):
        def check(self, value):
            return value % 2 == 0

    registry = dist.constraint_registry.ConstraintRegistry("mine")
    with pytest.raises(NotImplementedError, match="mine has no transform for Even"):
        registry(Even())
    registry.register(Even)(lambda c: dist.AffineTransform(0.0, 2.0))
    assert registry(Even())(lamina.tensor(1.5)).item() == 3.0
    with pytest.raises(TypeError, match="expected a Constraint"):
        registry.register(int, lambda c: None)


CHECKS = {
    "one_hot": [[0.0, 1.0, 0.0], [1.0, 1.0, 0.0], [0.0, 0.0, 0.0], [0.5, 0.5, 0.0]],
    "positive_integer": [1.0, 0.0, 2.5, 7.0], "nonnegative_integer": [1.0, 0.0, 2.5, -7.0],
    "symmetric": [[[1.0, 2.0], [2.0, 3.0]], [[1.0, 2.0], [0.0, 3.0]]],
    "positive_semidefinite": [[[1.0, 1.0], [1.0, 1.0]], [[1.0, 2.0], [2.0, 1.0]], [[2.0, 0.0], [0.0, 1.0]]],
    "lower_triangular": [[[1.0, 0.0], [2.0, -3.0]], [[1.0, 2.0], [0.0, 3.0]]],
    "corr_cholesky": [[[1.0, 0.0], [0.6, 0.8]], [[1.0, 0.0], [0.5, 0.5]], [[1.0, 0.1], [0.6, 0.8]]],
    "square": [[[1.0, 0.0], [0.6, 0.8]]],
}  # fmt: skip


@needs_torch
@pytest.mark.parametrize("name", CHECKS)
def test_constraints_equal_torch(name):
    ours, theirs = getattr(constraints, name), getattr(torch.distributions.constraints, name)
    found = ours.check(lamina.tensor(CHECKS[name])).tolist()
    assert found == theirs.check(torch.tensor(CHECKS[name])).tolist()
    assert (ours.is_discrete, ours.event_dim) == (theirs.is_discrete, theirs.event_dim)


def test_dependent_properties():
    """As libraries write them: bare, with arguments, and asked on the class."""

    class Mine(dist.Distribution):
        arg_constraints = {"top": constraints.positive}

        def __init__(self, top):
            self.top = top
            super().__init__(top.shape)

        @constraints.dependent_property(is_discrete=False, event_dim=0)
        def support(self):
            return constraints.interval(0.0, self.top)

        def log_prob(self, value):
            self._validate_sample(value)
            return -self.top.log()

    assert constraints.is_dependent(Mine.support) and not constraints.is_dependent(constraints.real)
    mine = Mine(lamina.tensor(2.0))
    assert mine.support.upper_bound.item() == 2.0
    with pytest.raises(ValueError, match="to satisfy the constraint"):
        mine.log_prob(lamina.tensor(3.0))
    with pytest.raises(ValueError, match="cannot be checked"):
        constraints.dependent.check(lamina.zeros(1))


def test_expand_of_subclasses():
    """PyTorch's protocol: a constructor of one's own needs an expand of one's own, or _get_checked_instance."""

    class Shifted(dist.Normal):
        def __init__(self, loc):
            super().__init__(loc, 1.0)

        def expand(self, batch_shape, _instance=None):
            new = self._get_checked_instance(Shifted, _instance)
            new.loc, new.scale = self.loc.expand(batch_shape), self.scale.expand(batch_shape)
            super(dist.Normal, new).__init__(batch_shape, validate_args=False)
            return new

    wide = Shifted(lamina.tensor(1.0)).expand((3,))
    assert type(wide) is Shifted and wide.sample((2,)).shape == (2, 3)

    class Bare(Shifted):
        def __init__(self):
            super().__init__(lamina.tensor(0.0))

    with pytest.raises(NotImplementedError, match="must define expand"):
        Bare().expand((2,))


def test_mixture_equals_torch_and_refuses():
    if torch is not None:
        found = []
        for module in (lamina, torch):
            d = module.distributions
            weights = module.tensor([[0.2, 0.8], [0.5, 0.5]], dtype=module.float64, requires_grad=True)
            loc = module.tensor([[[-1.0, 0.0], [1.0, 2.0]], [[0.0, 1.0], [3.0, 1.0]]], dtype=module.float64)
            mixture = d.MixtureSameFamily(d.Categorical(weights), d.Independent(d.Normal(loc, 0.5), 1))
            value = module.tensor([[0.3, -0.2], [1.0, 1.0]], dtype=module.float64)
            plain = d.MixtureSameFamily(d.Categorical(weights), d.Normal(loc[..., 0], 0.5))
            log_prob = mixture.log_prob(value)
            log_prob.sum().backward()
            found.append([log_prob, weights.grad, mixture.mean, mixture.variance, plain.cdf(value[:, 0])])
            assert tuple(mixture.expand((3, 2)).sample((4,)).shape) == (4, 3, 2, 2)
        for ours, theirs in zip(*found, strict=True):
            np.testing.assert_allclose(ours.detach().numpy(), theirs.detach().numpy(), rtol=1e-9)
    lamina.manual_seed(0)
    two = dist.MixtureSameFamily(
        dist.Categorical(lamina.tensor([0.3, 0.7])), dist.Normal(lamina.tensor([-4.0, 4.0]), 1.0)
    )
    x = two.sample((20000,))
    assert abs((x < 0).float().mean().item() - 0.3) < 0.02 and abs(x.mean().item() - two.mean.item()) < 0.15
    for bad in (
        lambda: dist.MixtureSameFamily(dist.Bernoulli(0.5), dist.Normal(lamina.zeros(2), 1.0)),
        lambda: dist.MixtureSameFamily(dist.Categorical(lamina.ones(3)), dist.Normal(lamina.zeros(2), 1.0)),
        lambda: dist.MixtureSameFamily(dist.Categorical(lamina.ones(3)), 2),
        lambda: dist.MixtureSameFamily(dist.Categorical(lamina.ones(4, 2)), dist.Normal(lamina.zeros(3, 2), 1.0)),
    ):
        with pytest.raises(ValueError, match="MixtureSameFamily"):
            bad()


@pytest.mark.parametrize(
    ("count", "p"), [(0, 0.5), (10, 0.3), (257, 0.01), (100_000, 0.37), (1_000_000, 1.0), (5000, 0.0)]
)
def test_binomial_samples(count, p):
    """Small and large counts of trials, and the ends."""
    lamina.manual_seed(0)
    binomial = dist.Binomial(count, probs=lamina.tensor(p, dtype=lamina.float64))
    x = binomial.sample((4000,))
    assert bool(((x >= 0) & (x <= count) & (x % 1 == 0)).all())
    spread = (count * p * (1 - p)) ** 0.5
    assert abs(x.mean().item() - count * p) <= 5 * spread / 4000**0.5 + 1e-9
    if spread:
        assert abs(x.std().item() / spread - 1) < 0.06
