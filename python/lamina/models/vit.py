"""ViT: the vision transformer (Dosovitskiy et al., arXiv:2010.11929) with torchvision's names."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from .. import _C, nn
from .._C import Tensor
from . import _activations, _checks
from ._model import Model
from ._pretrained import Weights, follow, layers_in, load_into, need, read_weights, setting


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
    eps: float = 1e-6  # of the norms
    activation: str = "gelu"  # of the MLP of a layer

    def __post_init__(self) -> None:
        names = ("size", "patch", "channels", "classes", "width", "heads", "hidden")
        _checks.whole("ViTConfig", **{n: getattr(self, n) for n in names})
        _checks.whole("ViTConfig", most=9999, layers=self.layers)
        _checks.number("ViTConfig", 0, 1, dropout=self.dropout, attention_dropout=self.attention_dropout, eps=self.eps)
        _checks.choice("ViTConfig", _activations.NAMES, activation=self.activation)
        if self.size % self.patch:
            raise ValueError(f"ViTConfig: patch {self.patch} must divide size {self.size}")
        if self.width % self.heads:
            raise ValueError(f"ViTConfig: heads {self.heads} must divide width {self.width}")


class EncoderLayer(nn.Module):
    """Self-attention and an MLP, each behind a layer norm and beside a shortcut: (N, T, width) -> (N, T, width)."""

    def __init__(self, config: ViTConfig) -> None:
        super().__init__()
        width = config.width
        self.ln_1 = nn.LayerNorm(width, config.eps)
        self.self_attention = nn.MultiheadAttention(width, config.heads, config.attention_dropout, batch_first=True)
        self.dropout = nn.Dropout(config.dropout)
        self.ln_2 = nn.LayerNorm(width, config.eps)
        self.mlp = nn.Sequential(
            *(nn.Linear(width, config.hidden), _activations.activation(config.activation), nn.Dropout(config.dropout)),
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
        self.ln = nn.LayerNorm(config.width, config.eps)

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

    @classmethod
    def load_pretrained(cls, source: Any, config: ViTConfig | None = None, **overrides: Any) -> ViT:
        """A classifier with published weights: a state_dict, a file of one, or a directory with its config.json.

        Known are torchvision's names and those of Hugging Face's ViTForImageClassification. Sizes are read from the
        shapes; the number of heads comes from config.json or `heads=`. Settings of config.json are followed or refused.
        """
        owner = "ViT.load_pretrained"
        weights, settings = read_weights(owner, source)
        if "conv_proj.weight" not in weights:
            weights = _from_hugging_face(owner, weights)
        if config is None:
            sizes = _sizes(owner, weights)
            if "heads" not in overrides:
                sizes["heads"] = setting(owner, settings, ("num_attention_heads",), "heads")
            fields = {f: n for f, n in _FIELDS.items() if f not in overrides}
            sizes.update(follow(owner, settings, ("vit",), fields, {}))
            if "activation" in sizes:
                sizes["activation"] = _activations.theirs(owner, "hidden_act", sizes["activation"])
            config, overrides = ViTConfig(**{**sizes, **overrides}), {}
        model = cls(config, **overrides)
        load_into(model, weights, lambda name: False, {})
        return model


_FIELDS = {
    "eps": ("layer_norm_eps",),
    "activation": ("hidden_act",),
    "size": ("image_size",),
    "dropout": ("hidden_dropout_prob",),
    "attention_dropout": ("attention_probs_dropout_prob",),
}
_PARTS = {
    "layernorm_before.": "ln_1.",
    "layernorm_after.": "ln_2.",
    "attention.output.dense.": "self_attention.out_proj.",
    "intermediate.dense.": "mlp.0.",
    "output.dense.": "mlp.3.",
}


def _from_hugging_face(owner: str, given: Weights) -> Weights:
    """torchvision's names; query, key and value become one matrix, with biases of 0 where there are none."""
    given = {name.removeprefix("vit."): value for name, value in given.items()}
    need(owner, given, "classifier.weight")
    out: Weights = {
        "class_token": given["embeddings.cls_token"],
        "encoder.pos_embedding": given["embeddings.position_embeddings"],
    }
    whole = {
        "embeddings.patch_embeddings.projection.": "conv_proj.",
        "layernorm.": "encoder.ln.",
        "classifier.": "heads.head.",
    }
    for theirs, ours in whole.items():
        out.update({f"{ours}{kind}": given[f"{theirs}{kind}"] for kind in ("weight", "bias")})
    for i in range(layers_in(owner, given, "encoder.layer.")):
        theirs, ours = f"encoder.layer.{i}.", f"encoder.layers.encoder_layer_{i}."
        for name, mine in _PARTS.items():
            out.update({f"{ours}{mine}{kind}": given[f"{theirs}{name}{kind}"] for kind in ("weight", "bias")})
        parts = [f"{theirs}attention.attention.{part}" for part in ("query", "key", "value")]
        out[ours + "self_attention.in_proj_weight"] = _C.cat([given[part + ".weight"] for part in parts])
        biases = [given.get(part + ".bias", _C.zeros(given[part + ".weight"].shape[0])) for part in parts]
        out[ours + "self_attention.in_proj_bias"] = _C.cat(biases)
    return out


def _sizes(owner: str, weights: Weights) -> dict[str, Any]:
    width, channels, patch, _ = weights["conv_proj.weight"].shape
    side = math.isqrt(int(weights["encoder.pos_embedding"].shape[1]) - 1)
    return {
        "width": width,
        "channels": channels,
        "patch": patch,
        "size": side * patch,
        "layers": layers_in(owner, weights, "encoder.layers.encoder_layer_"),
        "hidden": need(owner, weights, "encoder.layers.encoder_layer_0.mlp.0.weight").shape[0],
        "classes": need(owner, weights, "heads.head.weight").shape[0],
    }


def vit_b_16(**overrides: Any) -> ViT:
    """ViT-B/16, 86,567,656 parameters: (N, 3, 224, 224) -> (N, 1000).

    >>> import lamina
    >>> lamina.models.vit_b_16(size=32, width=12, layers=1, hidden=8)(lamina.zeros(2, 3, 32, 32)).shape
    (2, 1000)
    """
    return ViT(**overrides)
