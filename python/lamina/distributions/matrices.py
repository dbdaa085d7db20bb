"""Random matrices, and normal vectors with a covariance of low rank: LKJCholesky, Wishart, LowRankMultivariateNormal."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import lamina

from .._C import Tensor
from . import constraints
from .constraints import Constraint
from .continuous import MultivariateNormal, cholesky_factor, one_matrix, solve_lower
from .distribution import Distribution
from .gamma import Beta
from .gamma_kin import Chi2
from .utils import broadcast_all, lazy_property


class LowRankMultivariateNormal(MultivariateNormal):
    """MultivariateNormal with covariance W W^T + diag(d); W = cov_factor (*, N, R), d = cov_diag (*, N).

    Samples take O(N R) numbers; densities use the Woodbury identity, with a Cholesky factor of R x R alone.

    >>> import lamina
    >>> normal = lamina.distributions.LowRankMultivariateNormal(lamina.zeros(2), lamina.ones(2, 1), lamina.ones(2))
    >>> normal.covariance_matrix.tolist()
    [[2.0, 1.0], [1.0, 2.0]]
    """

    arg_constraints = {
        "loc": constraints.real_vector,
        "cov_factor": constraints.independent(constraints.real, 2),
        "cov_diag": constraints.independent(constraints.positive, 1),
    }
    _tails = {"loc": 1, "cov_factor": 2, "cov_diag": 1, "_inner": 2}

    def __init__(self, loc: Tensor, cov_factor: Tensor, cov_diag: Tensor, validate_args: bool | None = None) -> None:
        name = "LowRankMultivariateNormal"
        if loc.ndim < 1:
            raise lamina.ShapeError(f"{name}: loc must be at least one-dimensional, got shape ()")
        size = loc.shape[-1]
        if cov_factor.ndim < 2 or cov_factor.shape[-2] != size:
            raise lamina.ShapeError(
                f"{name}: cov_factor must have a shape ending in ({size}, rank), got {tuple(cov_factor.shape)}"
            )
        if cov_diag.ndim < 1 or cov_diag.shape[-1] != size:
            raise lamina.ShapeError(f"{name}: cov_diag must end in ({size},), got {tuple(cov_diag.shape)}")
        batch = lamina.broadcast_shapes(tuple(loc.shape[:-1]), tuple(cov_factor.shape[:-2]), tuple(cov_diag.shape[:-1]))
        self.loc, self.cov_diag = loc.expand((*batch, size)), cov_diag.expand((*batch, size))
        self.cov_factor = cov_factor.expand((*batch, size, cov_factor.shape[-1]))
        Distribution.__init__(self, batch, (size,), validate_args)
        scaled = cov_factor.mT / cov_diag.unsqueeze(-2)
        identity = lamina.eye(cov_factor.shape[-1], dtype=loc.dtype, device=loc.device)
        inner = lamina.linalg.cholesky(scaled @ cov_factor + identity)  # of I + W^T D^-1 W
        self._inner = inner.expand((*batch, *inner.shape[-2:]))

    @lazy_property
    def covariance_matrix(self) -> Tensor:
        found: Tensor = self.cov_factor @ self.cov_factor.mT + self.cov_diag.diag_embed()
        return found

    @lazy_property
    def _lower(self) -> Tensor:
        return lamina.linalg.cholesky(self.covariance_matrix)

    @property
    def variance(self) -> Tensor:
        return self.cov_factor.square().sum(-1) + self.cov_diag

    def rsample(self, sample_shape: Sequence[int] = ()) -> Tensor:
        shape = self._extended_shape(sample_shape)
        rank = (*shape[:-1], self.cov_factor.shape[-1])
        normal, noise = (lamina.randn(s, dtype=self.loc.dtype, device=self.loc.device) for s in (rank, shape))
        return self.loc + (self.cov_factor @ normal.unsqueeze(-1)).squeeze(-1) + self.cov_diag.sqrt() * noise

    def _half_log_det(self) -> Tensor:
        return self._inner.diagonal(dim1=-2, dim2=-1).log().sum(-1) + 0.5 * self.cov_diag.log().sum(-1)

    def log_prob(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        apart = value - self.loc
        weighted = apart / self.cov_diag
        inner = solve_lower(self._inner, (self.cov_factor.mT @ weighted.unsqueeze(-1))).squeeze(-1)
        distance = (apart * weighted).sum(-1) - inner.square().sum(-1)
        return -0.5 * (self._event_shape[0] * math.log(2 * math.pi) + distance) - self._half_log_det()


class LKJCholesky(Distribution):
    """Cholesky factors of dim x dim correlation matrices R with density ~ det(R)^(concentration - 1).

    Samples by the onion method (Lewandowski, Kurowicka and Joe 2009): row by row, the squared length of what is
    beside the diagonal is a Beta number, its direction is uniform on the sphere.

    >>> import lamina
    >>> factor = lamina.distributions.LKJCholesky(3, 0.5).sample()
    >>> [round(v, 4) for v in factor.square().sum(-1).tolist()]
    [1.0, 1.0, 1.0]
    """

    arg_constraints = {"concentration": constraints.positive}
    support = constraints.corr_cholesky
    _tails = {"concentration": 0}

    def __init__(self, dim: int, concentration: Any = 1.0, validate_args: bool | None = None) -> None:
        if dim < 2:
            raise ValueError(f"LKJCholesky: dim must be at least 2, got {dim}")
        self.dim = dim
        (self.concentration,) = broadcast_all(concentration)
        super().__init__(self.concentration.shape, (dim, dim), validate_args)

    def sample(self, sample_shape: Sequence[int] = ()) -> Tensor:
        shape = self._extended_shape(sample_shape)
        with lamina.no_grad():
            like = self.concentration
            row = lamina.arange(self.dim - 1, dtype=like.dtype, device=like.device)  # of the rows after the first
            shares = Beta(row / 2 + 0.5, (like + 0.5 * (self.dim - 2)).unsqueeze(-1) - row / 2, validate_args=False)
            share = shares.sample(sample_shape).unsqueeze(-1)
            normal = lamina.randn(shape, dtype=like.dtype, device=like.device).tril(-1)[..., 1:, :]
            beside = share.sqrt() * normal / normal.square().sum(-1, keepdim=True).sqrt()
            first = lamina.zeros((*shape[:-2], 1, self.dim), dtype=like.dtype, device=like.device)
            below = lamina.cat([first, beside], -2)
            tiny = float(lamina.finfo(like.dtype).tiny)
            return below + (1 - below.square().sum(-1)).clamp(min=tiny).sqrt().diag_embed()

    def log_prob(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        concentration, dim = self.concentration, self.dim
        row = lamina.arange(2, dim + 1, dtype=concentration.dtype, device=concentration.device)
        power = 2 * (concentration - 1).unsqueeze(-1) + dim - row
        density = (power * value.diagonal(dim1=-1, dim2=-2)[..., 1:].log()).sum(-1)
        alpha = concentration + 0.5 * (dim - 1)
        normal = 0.5 * (dim - 1) * math.log(math.pi) + lamina.mvlgamma(alpha - 0.5, dim - 1)
        return density - (normal - (dim - 1) * lamina.lgamma(alpha))


class Wishart(Distribution):
    """X X^T for df columns of MultivariateNormal(0, covariance_matrix): positive definite (N, N); df > N - 1.

    Samples by Bartlett's decomposition: L A A^T L^T with chi-squared numbers on A's diagonal and normal ones below.

    >>> import lamina
    >>> lamina.distributions.Wishart(lamina.tensor(2.0), lamina.eye(2)).mean.tolist()
    [[2.0, 0.0], [0.0, 2.0]]
    """

    support = constraints.positive_definite
    has_rsample = True
    _tails = {"df": 0, "covariance_matrix": 2, "precision_matrix": 2, "scale_tril": 2, "_lower": 2}

    def __init__(
        self,
        df: Any,
        covariance_matrix: Tensor | None = None,
        precision_matrix: Tensor | None = None,
        scale_tril: Tensor | None = None,
        validate_args: bool | None = None,
    ) -> None:
        name, matrix = one_matrix("Wishart", covariance_matrix, precision_matrix, scale_tril)
        if matrix.ndim < 2 or matrix.shape[-1] != matrix.shape[-2]:
            raise lamina.ShapeError(f"Wishart: {name} must be a batch of square matrices, got {tuple(matrix.shape)}")
        size = matrix.shape[-1]
        count = df if isinstance(df, Tensor) else lamina.tensor(df, dtype=matrix.dtype, device=matrix.device)
        batch = lamina.broadcast_shapes(tuple(count.shape), tuple(matrix.shape[:-2]))
        self.df = count.expand(batch)
        self.__dict__[name] = matrix.expand((*batch, size, size))
        if not bool((count > size - 1).all()):
            raise ValueError(f"Wishart: df must be above {size - 1}, the size of the matrices minus 1, got {df}")
        super().__init__(batch, (size, size), validate_args)
        self._lower = cholesky_factor(name, matrix).expand((*batch, size, size))

    @property
    def arg_constraints(self) -> Mapping[str, Constraint]:
        return {
            "df": constraints.greater_than(self._event_shape[-1] - 1),
            "covariance_matrix": constraints.positive_definite,
            "precision_matrix": constraints.positive_definite,
            "scale_tril": constraints.lower_cholesky,
        }

    @lazy_property
    def scale_tril(self) -> Tensor:
        return self._lower

    @lazy_property
    def covariance_matrix(self) -> Tensor:
        found: Tensor = self._lower @ self._lower.mT
        return found

    @lazy_property
    def precision_matrix(self) -> Tensor:
        identity = lamina.eye(self._event_shape[-1], dtype=self._lower.dtype, device=self._lower.device)
        inverse = solve_lower(self._lower, identity.expand(tuple(self._lower.shape)))
        found: Tensor = inverse.mT @ inverse
        return found

    @property
    def mean(self) -> Tensor:
        return self.df[..., None, None] * self.covariance_matrix

    @property
    def mode(self) -> Tensor:
        """NaN for df up to N + 1."""
        factor = self.df - self.covariance_matrix.shape[-1] - 1
        found: Tensor = factor.masked_fill(factor <= 0, math.nan)[..., None, None] * self.covariance_matrix
        return found

    @property
    def variance(self) -> Tensor:
        v = self.covariance_matrix
        diagonal = v.diagonal(dim1=-2, dim2=-1)
        return self.df[..., None, None] * (v.square() + diagonal.unsqueeze(-1) * diagonal.unsqueeze(-2))

    def rsample(self, sample_shape: Sequence[int] = ()) -> Tensor:
        shape, size = self._extended_shape(sample_shape), self._event_shape[-1]
        row = lamina.arange(size, dtype=self.df.dtype, device=self.df.device)
        diagonal = Chi2(self.df.unsqueeze(-1) - row, validate_args=False).rsample(sample_shape).sqrt()
        normal = lamina.randn(shape, dtype=self.df.dtype, device=self.df.device).tril(-1)
        factor = self._lower @ (normal + diagonal.diag_embed())
        found: Tensor = factor @ factor.mT
        return found

    def _log_det(self, lower: Tensor) -> Tensor:
        return lower.diagonal(dim1=-2, dim2=-1).log().sum(-1)

    def log_prob(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        df, size = self.df, self._event_shape[-1]
        lower = lamina.linalg.cholesky(value)
        batch = lamina.broadcast_shapes(tuple(value.shape[:-2]), tuple(self._lower.shape[:-2]))
        white = solve_lower(self._lower.expand((*batch, size, size)), lower.expand((*batch, size, size)))
        normal = df * (size * math.log(2) / 2 + self._log_det(self._lower)) + lamina.mvlgamma(df / 2, size)
        return (df - size - 1) * self._log_det(lower) - white.square().sum((-2, -1)) / 2 - normal

    def entropy(self) -> Tensor:
        df, size = self.df, self._event_shape[-1]
        half = df.unsqueeze(-1) / 2 - lamina.arange(size, dtype=df.dtype, device=df.device) / 2
        spread = (df - size - 1) / 2 * lamina.digamma(half).sum(-1)
        scale = (size + 1) * (size * math.log(2) / 2 + self._log_det(self._lower))
        return scale + lamina.mvlgamma(df / 2, size) - spread + df * size / 2
