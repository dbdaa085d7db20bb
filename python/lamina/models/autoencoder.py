"""Autoencoder: a code of few numbers from which the input is made again; with noise, a denoising one."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .. import _C, nn
from .._C import Tensor
from .._C import functional as F
from . import _checks
from ._model import Model

if TYPE_CHECKING:
    from ..metrics import Metric


@dataclass
class AutoencoderConfig:
    """Sizes of an Autoencoder; noise or mask make it a denoising one (Vincent et al. 2008)."""

    shape: tuple[int, ...] = (1, 8, 8)  # of one sample; (C, H, W) for kind "conv"
    latent: int = 16
    kind: str = "dense"  # or "conv"
    hidden: tuple[int, ...] = (128, 64)  # widths of the layers, or channels of the convolutions with stride 2
    loss: str = "mse"  # or "bce", for values in [0, 1]
    noise: float = 0.0  # standard deviation of what is added to the inputs in training
    mask: float = 0.0  # share of the inputs that training sets to zero

    def __post_init__(self) -> None:
        check_coder(self)
        _checks.number("AutoencoderConfig", 0, noise=self.noise)
        _checks.number("AutoencoderConfig", 0, 1, mask=self.mask)


def check_coder(config: Any) -> None:
    """The fields that configs of autoencoders share."""
    name = type(config).__name__
    _checks.wholes(name, shape=config.shape, hidden=config.hidden)
    config.shape, config.hidden = tuple(config.shape), tuple(config.hidden)
    _checks.whole(name, latent=config.latent)
    _checks.choice(name, ("dense", "conv"), kind=config.kind)
    _checks.choice(name, ("mse", "bce"), loss=config.loss)
    if config.kind == "conv" and len(config.shape) != 3:
        raise ValueError(f"{name}: kind 'conv' needs shape (C, H, W), got {config.shape}")


def sides(shape: tuple[int, ...], count: int) -> list[tuple[int, int]]:
    """(H, W) before and after each of `count` convolutions with stride 2, which round up."""
    out = [(shape[1], shape[2])]
    for _ in range(count):
        out.append(((out[-1][0] + 1) // 2, (out[-1][1] + 1) // 2))
    return out


def encoder_net(config: Any) -> tuple[nn.Sequential, int]:
    """(layers from (N, *shape) to (N, F), F)."""
    layers: list[nn.Module] = []
    if config.kind == "dense":
        layers.append(nn.Flatten())
        width = math.prod(config.shape)
        for hidden in config.hidden:
            layers += [nn.Linear(width, hidden), nn.ReLU()]
            width = hidden
        return nn.Sequential(*layers), width
    channels = config.shape[0]
    for hidden in config.hidden:
        layers += [nn.Conv2d(channels, hidden, 3, 2, 1), nn.ReLU()]
        channels = hidden
    last = sides(config.shape, len(config.hidden))[-1]
    return nn.Sequential(*layers, nn.Flatten()), channels * last[0] * last[1]


def decoder_net(config: Any) -> nn.Sequential:
    """Layers from (N, latent) to (N, *shape), the mirror of encoder_net; the last has no activation."""
    widths = list(reversed(config.hidden))
    layers: list[nn.Module] = []
    if config.kind == "dense":
        width = config.latent
        for hidden in widths:
            layers += [nn.Linear(width, hidden), nn.ReLU()]
            width = hidden
        return nn.Sequential(*layers, nn.Linear(width, math.prod(config.shape)), nn.Unflatten(1, config.shape))
    size = list(reversed(sides(config.shape, len(widths))))
    layers = [nn.Linear(config.latent, widths[0] * size[0][0] * size[0][1]), nn.ReLU()]
    layers.append(nn.Unflatten(1, (widths[0], *size[0])))
    outputs = [*widths[1:], config.shape[0]]
    for i, (a, b) in enumerate(zip(widths, outputs, strict=True)):
        extra = (size[i + 1][0] - 2 * size[i][0] + 1, size[i + 1][1] - 2 * size[i][1] + 1)  # 1 where the side is even
        layers.append(nn.ConvTranspose2d(a, b, 3, 2, 1, extra))
        if i + 1 < len(widths):
            layers.append(nn.ReLU())
    return nn.Sequential(*layers)


def row_errors(raw: Tensor, x: Tensor, loss: str) -> Tensor:
    """What the decoder gives against the values: (N, *), (N, *) -> (N, F), squared or in nats."""
    if loss == "mse":
        return (raw - x).square().flatten(1)
    return F.binary_cross_entropy_with_logits(raw, x, reduction="none").flatten(1)


def check_probabilities(owner: str, x: Tensor, loss: str) -> None:
    """Cross entropies have no meaning for values outside of [0, 1]."""
    if loss == "bce" and x.numel():
        least, most = float(x.min().item()), float(x.max().item())
        if least < 0 or most > 1:
            raise ValueError(
                f"{owner}: loss 'bce' needs values in [0, 1], the data reaches from {least:g} to {most:g}; "
                "scale it, or use loss='mse'"
            )


class Autoencoder(Model):
    """(N, *shape) -> reconstruction (N, *shape), through a code (N, latent) (Hinton and Salakhutdinov 2006).

    fit takes rows alone or (rows, labels), whose labels it does not read; predict gives reconstructions. `kind` "dense"
    has linear layers, "conv" convolutions with stride 2 and their transposes. With loss "bce" outputs are in (0, 1).

    >>> import lamina
    >>> net = lamina.models.Autoencoder(latent=3)
    >>> x = lamina.zeros(5, 1, 8, 8)
    >>> net.encode(x).shape, net.predict(x).shape
    ((5, 3), (5, 1, 8, 8))
    """

    def __init__(self, config: AutoencoderConfig | None = None, **overrides: Any) -> None:
        super().__init__()
        self.config = config = Model.configure(AutoencoderConfig, config, overrides)
        body, width = encoder_net(config)
        self.encoder = nn.Sequential(*body, nn.Linear(width, config.latent))
        self.decoder = decoder_net(config)

    def encode(self, x: Tensor) -> Tensor:
        """(N, *shape) -> codes (N, latent)."""
        _checks.check_rows("Autoencoder", x, self.config.shape)
        code: Tensor = self.encoder(x)
        return code

    def decode(self, z: Tensor) -> Tensor:
        """Codes (N, latent) -> (N, *shape)."""
        raw: Tensor = self.decoder(z)
        return raw.sigmoid() if self.config.loss == "bce" else raw

    def forward(self, x: Tensor) -> Tensor:
        return self.decode(self.encode(x))

    def training_loss(self, *batch: Any) -> Tensor:
        """Mean error of the reconstruction, in training of spoilt inputs against whole ones: (N, *shape) -> ()."""
        x = batch[0]
        check_probabilities("Autoencoder", x, self.config.loss)
        seen = self._spoilt(x) if self.training else x
        return row_errors(self.decoder(self.encode(seen)), x, self.config.loss).mean()

    def _spoilt(self, x: Tensor) -> Tensor:
        if self.config.noise:
            x = x + self.config.noise * _C.randn_like(x)
        if self.config.mask:
            x = x * _C.empty_like(x).bernoulli_(1 - self.config.mask)
        return x

    def reconstruction_error(self, x: Tensor) -> Tensor:
        """Mean error of each row, squared or (loss "bce") in nats: (N, *shape) -> (N)."""
        return row_errors(self.decoder(self.encode(x)), x, self.config.loss).mean(1)

    def metrics(self) -> dict[str, Metric]:
        """None: the loss says it all."""
        return {}

    def prediction(self, x: Any) -> Any:
        """The reconstruction: (N, *shape) -> (N, *shape)."""
        return self(x)
