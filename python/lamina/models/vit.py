"""ViT: the vision transformer (Dosovitskiy et al., arXiv:2010.11929) with torchvision's names."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from .. import _C, nn
from .._C import Tensor
from . import _checks
from ._model import Model


@dataclass
class ViTConfig:
    """Sizes of a ViT; the defaults are ViT-B/16."""

    size: int = 224  # side of the images
    patch: int = 16  # side of a patch
    channels: int = 3
    classes: int = 1000
    width: int = 768
    layers: int = 12
    heads: int = 12
    hidden: int = 3072  # of the MLP of a layer
    dropout: float = 0.0
    attention_dropout: float = 0.0

    def __post_init__(self) -> None:
        names = ("size", "patch", "channels", "classes", "width", "heads", "hidden")
        _checks.whole("ViTConfig", **{n: getattr(self, n) for n in names})
        _checks.whole("ViTConfig", most=9999, layers=self.layers)
        _checks.number("ViTConfig", 0, 1, dropout=self.dropout, attention_dropout=self.attention_dropout)
        if self.size % self.patch:
            raise ValueError(f"ViTConfig: patch {self.patch} must divide size {self.size}")
        if self.width % self.heads:
            raise ValueError(f"ViTConfig: heads {self.heads} must divide width {self.width}")


class EncoderLayer(nn.Module):
    """Self-attention and an MLP, each behind a layer norm and beside a shortcut: (N, T, width) -> (N, T, width)."""

    def __init__(self, config: ViTConfig) -> None:
        super().__init__()
        width = config.width
        self.ln_1 = nn.LayerNorm(width, eps=1e-6)
        self.self_attention = nn.MultiheadAttention(width, config.heads, config.attention_dropout, batch_first=True)
        self.dropout = nn.Dropout(config.dropout)
        self.ln_2 = nn.LayerNorm(width, eps=1e-6)
        self.mlp = nn.Sequential(
            *(nn.Linear(width, config.hidden), nn.GELU(), nn.Dropout(config.dropout)),
            *(nn.Linear(config.hidden, width), nn.Dropout(config.dropout)),
        )

    def forward(self, x: Tensor) -> Tensor:
        y = self.ln_1(x)
        y, _ = self.self_attention(y, y, y, need_weights=False)
        x = x + self.dropout(y)
        out: Tensor = x + self.mlp(self.ln_2(x))
        return out


class Encoder(nn.Module):
    """Positions, layers and a last layer norm: (N, T, width) -> (N, T, width)."""

    def __init__(self, config: ViTConfig, tokens: int) -> None:
        super().__init__()
        self.pos_embedding = nn.Parameter(_C.empty(1, tokens, config.width).normal_(0.0, 0.02))
        self.dropout = nn.Dropout(config.dropout)
        self.layers = nn.Sequential()
        for i in range(config.layers):
            self.layers.add_module(f"encoder_layer_{i}", EncoderLayer(config))
        self.ln = nn.LayerNorm(config.width, eps=1e-6)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.ln(self.layers(self.dropout(x + self.pos_embedding)))
        return out


class ViT(Model):
    """(N, channels, size, size) -> logits (N, classes).

    Patches become tokens; a class token is put before them, and what the encoder makes of it is classified. Keys are
    torchvision's vit_b_16: class_token, conv_proj, encoder.pos_embedding, encoder.layers.encoder_layer_0.ln_1 ...,
    heads.head.

    >>> import lamina
    >>> net = lamina.models.ViT(size=8, patch=4, channels=1, classes=10, width=16, layers=2, heads=2, hidden=32)
    >>> net(lamina.zeros(5, 1, 8, 8)).shape
    (5, 10)
    """

    def __init__(self, config: ViTConfig | None = None, **overrides: Any) -> None:
        super().__init__()
        self.config = config = Model.configure(ViTConfig, config, overrides)
        tokens = (config.size // config.patch) ** 2 + 1
        self.class_token = nn.Parameter(_C.zeros(1, 1, config.width))
        self.conv_proj = nn.Conv2d(config.channels, config.width, config.patch, config.patch)
        self.encoder = Encoder(config, tokens)
        self.heads = nn.Sequential()
        self.heads.add_module("head", nn.Linear(config.width, config.classes))
        self._start()

    def _start(self) -> None:
        fan_in = self.config.channels * self.config.patch**2
        nn.init.trunc_normal_(self.conv_proj.weight, std=math.sqrt(1 / fan_in))
        nn.init.zeros_(self.conv_proj.get_parameter("bias"))
        for module in self.encoder.modules():
            if isinstance(module, EncoderLayer):
                for place in ("mlp.0", "mlp.3"):
                    nn.init.xavier_uniform_(module.get_parameter(f"{place}.weight"))
                    nn.init.normal_(module.get_parameter(f"{place}.bias"), std=1e-6)
        for parameter in self.heads.parameters():
            nn.init.zeros_(parameter)

    def features(self, x: Tensor) -> Tensor:
        """The encoder's class token: (N, channels, size, size) -> (N, width)."""
        _checks.check_images("ViT", x, self.config.channels, side=self.config.size)
        patches = self.conv_proj(x).flatten(2).transpose(1, 2)  # (N, T - 1, width)
        first = self.class_token.expand(x.shape[0], 1, self.config.width)
        out: Tensor = self.encoder(_C.cat([first, patches], 1))[:, 0]
        return out

    def forward(self, x: Tensor) -> Tensor:
        logits: Tensor = self.heads(self.features(x))
        return logits


def vit_b_16(**overrides: Any) -> ViT:
    """ViT-B/16, 86,567,656 parameters: (N, 3, 224, 224) -> (N, 1000).

    >>> import lamina
    >>> lamina.models.vit_b_16(size=32, width=12, layers=1, hidden=8)(lamina.zeros(2, 3, 32, 32)).shape
    (2, 1000)
    """
    return ViT(**overrides)
