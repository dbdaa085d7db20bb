"""GAN, DCGAN and WGAN-GP: a generator learns to make what a discriminator cannot tell from the data.

The classic loss is Goodfellow et al.'s (arXiv:1406.2661) in its form that does not saturate; "wasserstein_gp" is
Gulrajani et al.'s (arXiv:1704.00028): a critic without a sigmoid whose gradient is held at norm 1.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from .. import _C, nn, optim
from .._C import Tensor
from .._C import functional as F
from .._grad_mode import no_grad
from ..autograd import grad
from . import _checks
from ._model import Model
from ._sampling import noise, sampling

if TYPE_CHECKING:
    from .._C import Generator
    from ..metrics import Metric

_NORMS = ("none", "batch", "instance", "layer")


@dataclass
class AdversarialConfig:
    """What GAN and DCGAN have in common."""

    latent: int = 64  # numbers of noise that an image is made from
    loss: str = "bce"  # or "wasserstein_gp"
    norm: str | None = None  # of the discriminator; None: by model and loss
    penalty: float = 10.0  # weight of the gradient penalty of wasserstein_gp
    critic_steps: int | None = None  # steps of the discriminator for one of the generator; None: 1, wasserstein_gp 5
    betas: tuple[float, float] | None = None  # of Adam; None: (0.5, 0.999), wasserstein_gp (0, 0.9)
    value_range: tuple[float, float] = (-1.0, 1.0)  # of the data, and so of the samples

    def __post_init__(self) -> None:
        name = type(self).__name__
        _checks.whole(name, latent=self.latent)
        _checks.choice(name, ("bce", "wasserstein_gp"), loss=self.loss)
        _checks.number(name, 0, penalty=self.penalty)
        if self.norm is not None:
            _checks.choice(name, _NORMS, norm=self.norm)
        if self.loss == "wasserstein_gp" and self.norm == "batch":
            raise ValueError(f"{name}: the gradient penalty is per row, which batch norm mixes; use 'layer'")
        if self.critic_steps is not None:
            _checks.whole(name, critic_steps=self.critic_steps)
        if self.betas is not None:
            _checks.numbers(name, 0, 1, betas=self.betas)
            self.betas = (self.betas[0], self.betas[1])
        _checks.numbers(name, value_range=self.value_range)
        self.value_range = (low, high) = (self.value_range[0], self.value_range[1])
        if not -math.inf < low < high < math.inf:
            raise ValueError(f"{name}: value_range must be (low, high) with low < high, got {self.value_range}")


@dataclass
class GANConfig(AdversarialConfig):
    """Sizes of a GAN."""

    shape: tuple[int, ...] = (1, 8, 8)  # of one sample
    hidden: tuple[int, ...] = (128, 256)  # widths of the generator; the discriminator has them in reverse

    def __post_init__(self) -> None:
        super().__post_init__()
        _checks.wholes("GANConfig", shape=self.shape, hidden=self.hidden)
        self.shape, self.hidden = tuple(self.shape), tuple(self.hidden)
        if self.norm in ("batch", "instance"):
            raise ValueError(f"GANConfig: norm must be 'none' or 'layer', got {self.norm!r}; DCGAN has the others")


@dataclass
class DCGANConfig(AdversarialConfig):
    """Sizes of a DCGAN."""

    latent: int = 100
    channels: int = 3
    size: int = 64  # side of the images: 8, 16, 32, 64 ...
    width: int = 64  # channels next to the image, doubled by each layer away from it

    def __post_init__(self) -> None:
        super().__post_init__()
        _checks.whole("DCGANConfig", channels=self.channels, size=self.size, width=self.width)
        if self.size < 8 or self.size & (self.size - 1):
            raise ValueError(f"DCGANConfig: size must be a power of two of at least 8, got {self.size}")


class Scaled(nn.Module):
    """tanh, moved from (-1, 1) to (low, high): (*) -> (*)."""

    def __init__(self, value_range: tuple[float, float]) -> None:
        super().__init__()
        self.low, self.high = value_range

    def forward(self, x: Tensor) -> Tensor:
        y = x.tanh()
        return y if (self.low, self.high) == (-1, 1) else (y + 1) * ((self.high - self.low) / 2) + self.low

    def extra_repr(self) -> str:
        return f"{self.low:g}, {self.high:g}"


class Adversarial(Model):
    """Trains, draws from and asks a `generator` (N, latent) -> (N, *shape) and a `discriminator` (N, *shape) -> (N).

    The discriminator gives logits (loss "bce") or scores without bounds (loss "wasserstein_gp").
    """

    config: Any
    generator: nn.Module
    discriminator: nn.Module
    updates: Tensor

    def _start(self, shape: tuple[int, ...], generator: nn.Module, discriminator: nn.Module) -> None:
        self.shape, self.generator, self.discriminator = shape, generator, discriminator
        self._unwarned = True  # the first batch of the data is looked at
        self.register_buffer("updates", _C.tensor(0, dtype=_C.int64))  # of the discriminator, for critic_steps

    @property
    def _wasserstein(self) -> bool:
        return bool(self.config.loss == "wasserstein_gp")

    def forward(self, z: Tensor) -> Tensor:
        """Noise (N, latent) -> images (N, *shape)."""
        _checks.check_rows(type(self).__name__, z, (self.config.latent,))
        images: Tensor = self.generator(z)
        return images

    def sample(self, n: int, *, seed: int | None = None, generator: Generator | None = None) -> Tensor:
        """Images from fresh noise, without gradients: -> (n, *shape); the same ones for the same seed."""
        like = next(self.generator.parameters())
        with sampling(self):
            return self.forward(noise(type(self).__name__, n, self.config.latent, like, seed, generator))

    def prediction(self, x: Any) -> Any:
        """How real rows look to the discriminator: (N, *shape) -> (N), probabilities or, for wasserstein_gp, scores."""
        self._check_data(x)
        scores = self.discriminator(x)
        return scores if self._wasserstein else scores.sigmoid()

    def metrics(self) -> dict[str, Metric]:
        """None: samples have no targets."""
        return {}

    def training_loss(self, *batch: Any) -> Tensor:
        """The discriminator's loss on the rows and as many samples, without the penalty: (N, *shape) -> ()."""
        self._check_data(batch[0])
        return self._discriminator_loss(batch[0], self._fakes(batch[0]))

    def configure_optimizers(self, lr: float) -> dict[str, optim.Optimizer]:
        """Adam for each of the two nets."""
        betas = self.config.betas or ((0.0, 0.9) if self._wasserstein else (0.5, 0.999))
        nets = {"discriminator": self.discriminator, "generator": self.generator}
        return {name: optim.Adam(net.parameters(), lr, betas) for name, net in nets.items()}

    def training_step(self, batch: tuple[Any, ...], optimizers: dict[str, optim.Optimizer]) -> dict[str, Tensor]:
        """One step of the discriminator and, every `critic_steps` of them, one of the generator.

        The losses by name: "loss" is what the discriminator minimised, with the penalty.
        """
        real = batch[0]
        self._check_data(real)
        optimizers["discriminator"].zero_grad()
        with no_grad():
            fake = self._fakes(real)
        loss = self._discriminator_loss(real, fake)
        losses = {"discriminator": loss.detach()}
        if self._wasserstein:
            penalty = gradient_penalty(self.discriminator, real, fake)
            losses["penalty"] = penalty.detach()
            loss = loss + self.config.penalty * penalty
        losses["loss"] = loss.detach()
        loss.backward()
        optimizers["discriminator"].step()
        self.updates.add_(1)
        if int(self.updates.item()) % (self.config.critic_steps or (5 if self._wasserstein else 1)) == 0:
            optimizers["generator"].zero_grad()
            loss = self._generator_loss(self._fakes(real))
            loss.backward()
            optimizers["generator"].step()
            losses["generator"] = loss.detach()
        return losses

    def _fakes(self, real: Tensor) -> Tensor:
        return self.forward(_C.randn(real.shape[0], self.config.latent, dtype=real.dtype, device=real.device))

    def _discriminator_loss(self, real: Tensor, fake: Tensor) -> Tensor:
        true, false = self.discriminator(real), self.discriminator(fake)
        return false.mean() - true.mean() if self._wasserstein else _bce(true, 1.0) + _bce(false, 0.0)

    def _generator_loss(self, fake: Tensor) -> Tensor:
        scores: Tensor = self.discriminator(fake)
        return -scores.mean() if self._wasserstein else _bce(scores, 1.0)

    def _check_data(self, x: Tensor) -> None:
        name = type(self).__name__
        _checks.check_rows(name, x, self.shape)
        low, high = self.config.value_range
        slack = 1e-3 * (high - low)
        if x.numel():
            least, most = float(x.min().item()), float(x.max().item())
            if not low - slack <= least <= most <= high + slack:
                raise ValueError(
                    f"{name}: the data reaches from {least:g} to {most:g}, expected {low:g} to {high:g}; "
                    "scale it, or set value_range"
                )
            if least >= (low + high) / 2 - slack and most - least > slack and self._unwarned:
                import warnings

                from ..training import TrainingWarning

                warnings.warn(
                    f"{name}: the first batch reaches from {least:g} to {most:g}, in the upper half of value_range "
                    f"({low:g}, {high:g}) alone; hint: data in [0, 1] needs value_range=(0, 1), or x * 2 - 1",
                    TrainingWarning,
                    stacklevel=3,
                )
            self._unwarned = False


def _bce(logits: Tensor, label: float) -> Tensor:
    return F.binary_cross_entropy_with_logits(logits, _C.full_like(logits, label))


def gradient_penalty(critic: Any, real: Tensor, fake: Tensor, mix: Tensor | None = None) -> Tensor:
    """Mean of (|gradient of the critic| - 1)^2 at points between real and fake rows: (N, *), (N, *) -> ().

    `mix` (N) in [0, 1] says where between fake (0) and real (1); drawn unless given. Differentiable in the critic's
    parameters (Gulrajani et al., arXiv:1704.00028).

    >>> import lamina
    >>> x = lamina.rand(4, 3)
    >>> lamina.models.gan.gradient_penalty(lambda x: 3 * x[:, 0], x, x + 1).item()
    4.0
    """
    if mix is None:
        mix = _C.rand(real.shape[0], dtype=real.dtype, device=real.device)
    mix = mix.reshape(-1, *[1] * (len(real.shape) - 1))
    points = (mix * real + (1 - mix) * fake).detach().requires_grad_()
    (slope,) = grad(critic(points).sum(), points, create_graph=True)
    assert slope is not None
    return (slope.flatten(1).norm(2, 1) - 1).square().mean()


class GAN(Adversarial):
    """GAN of linear layers (Goodfellow et al., arXiv:1406.2661): noise (N, latent) -> samples (N, *shape).

    fit takes rows within `value_range`, alone or as (rows, labels), whose labels it does not read; sample draws;
    predict gives how real rows look. loss="wasserstein_gp" makes it a WGAN-GP.

    >>> import lamina
    >>> net = lamina.models.GAN(latent=4, hidden=(16,))
    >>> net.sample(3, seed=0).shape, net.predict(lamina.zeros(2, 1, 8, 8)).shape
    ((3, 1, 8, 8), (2,))
    """

    def __init__(self, config: GANConfig | None = None, **overrides: Any) -> None:
        super().__init__()
        self.config = config = Model.configure(GANConfig, config, overrides)
        count = math.prod(config.shape)
        make: list[nn.Module] = []
        width = config.latent
        for hidden in config.hidden:
            make += [nn.Linear(width, hidden), nn.ReLU()]
            width = hidden
        make += [nn.Linear(width, count), nn.Unflatten(1, config.shape), Scaled(config.value_range)]
        judge: list[nn.Module] = [nn.Flatten()]
        width, kind = count, config.norm or ("layer" if self._wasserstein else "none")
        for hidden in reversed(config.hidden):
            norm = [nn.LayerNorm(hidden)] if kind == "layer" else []
            judge += [nn.Linear(width, hidden), *norm, nn.LeakyReLU(0.2)]
            width = hidden
        judge += [nn.Linear(width, 1), nn.Flatten(0)]
        self._start(config.shape, nn.Sequential(*make), nn.Sequential(*judge))


class DCGAN(Adversarial):
    """GAN of convolutions (Radford, Metz and Chintala, arXiv:1511.06434): (N, latent) -> (N, channels, size, size).

    Transposed 4x4 convolutions with batch norm grow 4x4 images to size; the discriminator shrinks them again. As GAN
    otherwise. With loss="wasserstein_gp" the critic has layer norm.

    >>> import lamina
    >>> net = lamina.models.DCGAN(size=8, channels=1, width=4, latent=5)
    >>> net.sample(3, seed=0).shape
    (3, 1, 8, 8)
    """

    def __init__(self, config: DCGANConfig | None = None, **overrides: Any) -> None:
        super().__init__()
        self.config = config = Model.configure(DCGANConfig, config, overrides)
        widths = [config.width * 2**i for i in range(int(math.log2(config.size)) - 2)]  # from the image inwards
        top = widths[-1]
        make: list[nn.Module] = [nn.Unflatten(1, (config.latent, 1, 1))]
        make += [nn.ConvTranspose2d(config.latent, top, 4, bias=False), nn.BatchNorm2d(top), nn.ReLU()]
        for inner, outer in pairwise(reversed(widths)):
            make += [nn.ConvTranspose2d(inner, outer, 4, 2, 1, bias=False), nn.BatchNorm2d(outer), nn.ReLU()]
        make += [nn.ConvTranspose2d(widths[0], config.channels, 4, 2, 1, bias=False), Scaled(config.value_range)]
        judge: list[nn.Module] = [nn.Conv2d(config.channels, widths[0], 4, 2, 1, bias=False), nn.LeakyReLU(0.2)]
        side = config.size // 2
        for outer, inner in pairwise(widths):
            side //= 2
            judge += [nn.Conv2d(outer, inner, 4, 2, 1, bias=False), *self._norm(inner, side), nn.LeakyReLU(0.2)]
        judge += [nn.Conv2d(top, 1, 4, bias=False), nn.Flatten(0)]
        shape = (config.channels, config.size, config.size)
        self._start(shape, nn.Sequential(*make), nn.Sequential(*judge))
        for module in self.modules():
            if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
                nn.init.normal_(module.weight, 0.0, 0.02)
            elif isinstance(module, nn.BatchNorm2d):
                nn.init.normal_(module.get_parameter("weight"), 1.0, 0.02)

    def _norm(self, channels: int, side: int) -> list[nn.Module]:
        kind = self.config.norm or ("layer" if self._wasserstein else "batch")
        if kind == "batch":
            return [nn.BatchNorm2d(channels)]
        if kind == "instance":
            return [nn.InstanceNorm2d(channels, affine=True)]
        return [nn.LayerNorm((channels, side, side))] if kind == "layer" else []


def wgan_gp(**overrides: Any) -> DCGAN:
    """DCGAN with the Wasserstein loss and gradient penalty (arXiv:1704.00028): (N, latent) -> (N, C, size, size).

    >>> import lamina
    >>> lamina.models.wgan_gp(size=8, width=4).config.loss
    'wasserstein_gp'
    """
    return DCGAN(**{"loss": "wasserstein_gp", **overrides})
