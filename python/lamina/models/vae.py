"""VAE: the variational autoencoder (Kingma and Welling, arXiv:1312.6114), with beta (Higgins et al. 2017)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .. import _C, nn
from .._C import Tensor
from . import _checks
from ._model import Model
from ._sampling import noise, sampling
from .autoencoder import check_coder, check_probabilities, decoder_net, encoder_net, row_errors

if TYPE_CHECKING:
    from .._C import Generator
    from ..metrics import Metric


@dataclass
class VAEConfig:
    """Sizes of a VAE."""

    shape: tuple[int, ...] = (1, 8, 8)  # of one sample; (C, H, W) for kind "conv"
    latent: int = 8
    kind: str = "dense"  # or "conv"
    hidden: tuple[int, ...] = (128, 64)  # widths of the layers, or channels of the convolutions with stride 2
    loss: str = "bce"  # for values in [0, 1]; or "mse": a Gaussian of variance 1 around the output
    beta: float = 1.0  # weight of the divergence from the prior

    def __post_init__(self) -> None:
        check_coder(self)
        _checks.number("VAEConfig", 0, beta=self.beta)


class VAE(Model):
    """(N, *shape) -> reconstruction (N, *shape), mean (N, latent), logvar (N, latent).

    The loss is the mean over rows of -ELBO: -log p(x | z) summed over the values (for "mse" half the squared error,
    without its constant) plus beta KL(q(z | x) || N(0, 1)), with one z drawn per row. fit takes rows alone or
    (rows, labels), whose labels it does not read; predict gives reconstructions from the mean code.

    >>> import lamina
    >>> net = lamina.models.VAE(latent=2)
    >>> net.sample(4, seed=1).shape
    (4, 1, 8, 8)
    >>> mean, logvar = net.encode(lamina.zeros(5, 1, 8, 8))
    >>> mean.shape, logvar.shape
    ((5, 2), (5, 2))
    """

    def __init__(self, config: VAEConfig | None = None, **overrides: Any) -> None:
        super().__init__()
        self.config = config = Model.configure(VAEConfig, config, overrides)
        self.encoder, width = encoder_net(config)
        self.mean = nn.Linear(width, config.latent)
        self.logvar = nn.Linear(width, config.latent)
        self.decoder = decoder_net(config)

    def encode(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """(N, *shape) -> mean and logarithm of the variance of q(z | x): (N, latent), (N, latent)."""
        _checks.check_rows("VAE", x, self.config.shape)
        features = self.encoder(x)
        return self.mean(features), self.logvar(features)

    def reparameterize(self, mean: Tensor, logvar: Tensor, generator: Generator | None = None) -> Tensor:
        """mean + exp(logvar / 2) times normal noise: (N, latent), (N, latent) -> (N, latent)."""
        return mean + (0.5 * logvar).exp() * _C.randn_like(mean, generator=generator)

    def decode(self, z: Tensor) -> Tensor:
        """Codes (N, latent) -> (N, *shape), in (0, 1) with loss "bce"."""
        raw: Tensor = self.decoder(z)
        return raw.sigmoid() if self.config.loss == "bce" else raw

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        mean, logvar = self.encode(x)
        z = self.reparameterize(mean, logvar) if self.training else mean
        return self.decode(z), mean, logvar

    def terms(self, x: Tensor, generator: Generator | None = None) -> tuple[Tensor, Tensor]:
        """-log p(x | z) for one z drawn per row, and KL(q(z | x) || N(0, 1)): (N, *shape) -> (N), (N)."""
        check_probabilities("VAE", x, self.config.loss)
        mean, logvar = self.encode(x)
        raw = self.decoder(self.reparameterize(mean, logvar, generator))
        errors = row_errors(raw, x, self.config.loss).sum(1)
        divergence = 0.5 * (mean.square() + logvar.exp() - 1 - logvar).sum(1)
        return errors if self.config.loss == "bce" else 0.5 * errors, divergence

    def elbo(self, x: Tensor, *, samples: int = 1, generator: Generator | None = None) -> Tensor:
        """The evidence lower bound in nats (beta 1), the mean of `samples` draws: (N, *shape) -> (N)."""
        _checks.whole("VAE.elbo", samples=samples)
        total: Tensor | None = None
        for _ in range(samples):
            errors, divergence = self.terms(x, generator)
            total = -errors - divergence if total is None else total - errors - divergence
        assert total is not None
        return total / samples

    def training_loss(self, *batch: Any) -> Tensor:
        """Mean over rows of -log p(x | z) + beta KL: (N, *shape) -> ()."""
        errors, divergence = self.terms(batch[0])
        return (errors + self.config.beta * divergence).mean()

    def reconstruction_error(self, x: Tensor) -> Tensor:
        """Mean error of each row from its mean code, squared or (loss "bce") in nats: (N, *shape) -> (N)."""
        return row_errors(self.decoder(self.encode(x)[0]), x, self.config.loss).mean(1)

    def sample(self, n: int, *, seed: int | None = None, generator: Generator | None = None) -> Tensor:
        """Draws from the model, without gradients: -> (n, *shape); the same ones for the same seed."""
        with sampling(self):
            return self.decode(noise("VAE", n, self.config.latent, self.mean.weight, seed, generator))

    def metrics(self) -> dict[str, Metric]:
        """None: the loss says it all."""
        return {}

    def prediction(self, x: Any) -> Any:
        """The reconstruction from the mean code: (N, *shape) -> (N, *shape)."""
        return self.decode(self.encode(x)[0])
