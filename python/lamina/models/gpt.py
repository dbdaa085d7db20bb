"""GPT: a decoder-only transformer of GPT-2's shape (Radford et al. 2019), with the names of its published weights."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import lamina

from .. import nn
from .._C import Tensor
from .._C import functional as F
from . import _activations, _checks
from ._language import LanguageModel, check_context, check_ids
from ._model import Model
from ._pretrained import Weights, either, follow, layers_in, load_into, need, read_weights, setting


@dataclass
class GPTConfig:
    """Sizes of a GPT; the default is a small model of bytes or characters."""

    vocab: int = 256
    context: int = 128  # tokens a window; learned positions end there
    width: int = 128
    layers: int = 4
    heads: int = 4
    hidden: int | None = None  # of the feed-forward part; None: 4 * width
    dropout: float = 0.1
    bias: bool = True  # in linear layers and norms
    positions: str = "learned"  # or "rotary" (arXiv 2104.09864) or "alibi" (arXiv 2108.12409)
    tie: bool = True  # the output layer is the token embedding
    eps: float = 1e-5
    activation: str = "gelu_tanh"  # of the feed-forward part
    scaled: bool = True  # attention scores are divided by the root of a head's width
    layer_scaled: bool = False  # and by the number of the layer, from 1

    def __post_init__(self) -> None:
        sizes = {n: getattr(self, n) for n in ("vocab", "context", "width", "layers", "heads")}
        _checks.whole("GPTConfig", **sizes)
        if self.hidden is not None:
            _checks.whole("GPTConfig", hidden=self.hidden)
        _checks.number("GPTConfig", 0, 1, dropout=self.dropout)
        _checks.choice("GPTConfig", ("learned", "rotary", "alibi"), positions=self.positions)
        _checks.choice("GPTConfig", _activations.NAMES, activation=self.activation)
        _checks.flag("GPTConfig", scaled=self.scaled, layer_scaled=self.layer_scaled)
        if self.width % self.heads:
            raise ValueError(f"GPTConfig: width {self.width} does not divide into {self.heads} heads")
        if self.positions == "rotary" and self.width // self.heads % 2:
            raise ValueError(f"GPTConfig: rotary positions need heads of even width, got {self.width // self.heads}")

    @classmethod
    def gpt2(cls, size: str = "small", **overrides: Any) -> GPTConfig:
        """The published GPT-2 "small" (124 million parameters), "medium", "large" or "xl".

        >>> import lamina
        >>> lamina.models.GPTConfig.gpt2().parameters()
        124439808
        """
        known = {"small": (12, 12, 768), "medium": (24, 16, 1024), "large": (36, 20, 1280), "xl": (48, 25, 1600)}
        _checks.choice("GPTConfig.gpt2", tuple(known), size=size)
        layers, heads, width = known[size]
        published = {"vocab": 50257, "context": 1024, "width": width, "layers": layers, "heads": heads}
        return cls(**{**published, **overrides})

    def parameters(self) -> int:
        """How many parameters the model has, tied ones once."""
        w, h, bias = self.width, self.hidden or 4 * self.width, int(self.bias)
        block = 4 * w * w + 2 * w * h + 2 * w + bias * (4 * w + h + w + 2 * w)
        tables = self.vocab * w * (1 if self.tie else 2) + (self.context * w if self.positions == "learned" else 0)
        return tables + self.layers * block + w + bias * w


@dataclass
class Places:
    """Where the tokens of one call stand, for the attention of all layers."""

    offset: int  # tokens before the first one
    mask: Tensor | None = None
    causal: bool = False
    rotary: nn.RotaryEmbedding | None = None


class Conv1D(nn.Module):
    """A linear layer with its weight as (inputs, outputs), as GPT-2 stores it: (*, inputs) -> (*, outputs)."""

    bias: nn.Parameter | None

    def __init__(self, inputs: int, outputs: int, bias: bool, std: float) -> None:
        super().__init__()
        self.weight = nn.Parameter(lamina.empty(inputs, outputs))
        nn.init.normal_(self.weight, 0.0, std)
        self.register_parameter("bias", nn.Parameter(lamina.zeros(outputs)) if bias else None)

    def forward(self, x: Tensor) -> Tensor:
        return F.linear(x, self.weight.t(), self.bias)

    def extra_repr(self) -> str:
        inputs, outputs = self.weight.shape
        return f"{inputs}, {outputs}, bias={self.bias is not None}"


class Attention(nn.Module):
    """Causal self-attention: (N, T, width) -> (N, T, width)."""

    def __init__(self, config: GPTConfig, number: int = 0) -> None:
        super().__init__()
        self.heads, self.dropout, w = config.heads, config.dropout, config.width
        self.scale: float | None = None  # 1 / sqrt(head width)
        if not config.scaled or config.layer_scaled:
            root = math.sqrt(w // config.heads) if config.scaled else 1.0
            self.scale = 1 / (root * (number + 1 if config.layer_scaled else 1))
        self.c_attn = Conv1D(w, 3 * w, config.bias, 0.02)
        self.c_proj = Conv1D(w, w, config.bias, 0.02 / math.sqrt(2 * config.layers))
        self.drop = nn.Dropout(config.dropout)

    def forward(self, x: Tensor, places: Places, cache: nn.KVCache | None) -> Tensor:
        n, t, w = x.shape
        q, k, v = (p.reshape(n, t, self.heads, -1).transpose(1, 2) for p in self.c_attn(x).split(w, 2))
        if places.rotary is not None:
            q, k = places.rotary(q, k, places.offset)
        if cache is not None:
            k, v = cache.append(k, v)
        rate = self.dropout if self.training else 0.0
        y = F.scaled_dot_product_attention(q, k, v, places.mask, rate, places.causal, scale=self.scale)
        out: Tensor = self.drop(self.c_proj(y.transpose(1, 2).reshape(n, t, w)))
        return out


class MLP(nn.Module):
    """Two linear layers around an activation: (*, width) -> (*, width)."""

    def __init__(self, config: GPTConfig) -> None:
        super().__init__()
        hidden = config.hidden or 4 * config.width
        self.c_fc = Conv1D(config.width, hidden, config.bias, 0.02)
        self.c_proj = Conv1D(hidden, config.width, config.bias, 0.02 / math.sqrt(2 * config.layers))
        self.act = _activations.activation(config.activation)
        self.drop = nn.Dropout(config.dropout)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.drop(self.c_proj(self.act(self.c_fc(x))))
        return out


class Block(nn.Module):
    """Attention and feed-forward, each behind a norm and added to its input: (N, T, width) -> (N, T, width)."""

    def __init__(self, config: GPTConfig, number: int = 0) -> None:
        super().__init__()
        self.ln_1 = nn.LayerNorm(config.width, config.eps, bias=config.bias)
        self.attn = Attention(config, number)
        self.ln_2 = nn.LayerNorm(config.width, config.eps, bias=config.bias)
        self.mlp = MLP(config)

    def forward(self, x: Tensor, places: Places, cache: nn.KVCache | None = None) -> Tensor:
        x = x + self.attn(self.ln_1(x), places, cache)
        out: Tensor = x + self.mlp(self.ln_2(x))
        return out


class Transformer(nn.Module):
    """Embeddings, blocks and the last norm: ids int64 (N, T) -> (N, T, width)."""

    def __init__(self, config: GPTConfig) -> None:
        super().__init__()
        self.config, w = config, config.width
        self.wte = nn.Embedding(config.vocab, w)
        nn.init.normal_(self.wte.weight, 0.0, 0.02)
        if config.positions == "learned":
            self.wpe = nn.Embedding(config.context, w)
            nn.init.normal_(self.wpe.weight, 0.0, 0.02)
        self.rotary = nn.RotaryEmbedding(w // config.heads) if config.positions == "rotary" else None
        self.alibi = nn.ALiBi(config.heads, causal=True) if config.positions == "alibi" else None
        self.drop = nn.Dropout(config.dropout)
        self.h = nn.ModuleList([Block(config, i) for i in range(config.layers)])
        self.ln_f = nn.LayerNorm(w, config.eps, bias=config.bias)

    def forward(self, ids: Tensor, caches: list[nn.KVCache] | None = None) -> Tensor:
        offset = caches[0].length if caches else 0
        length = int(ids.shape[1])
        x = self.wte(ids)
        if self.config.positions == "learned":
            check_context("GPT", offset + length, self.config.context)
            x = x + self.wpe(lamina.arange(offset, offset + length, device=ids.device))
        x = self.drop(x)
        places = self._places(offset, length, x)
        for i, block in enumerate(self.h):
            x = block(x, places, caches[i] if caches else None)
        out: Tensor = self.ln_f(x)
        return out

    def _places(self, offset: int, length: int, x: Tensor) -> Places:
        places = Places(offset, rotary=self.rotary)
        if self.alibi is not None:
            places.mask = self.alibi(length, offset + length, offset, dtype=x.dtype, device=x.device)
        elif offset == 0:
            places.causal = length > 1
        elif length > 1:
            places.mask = lamina.ones(length, offset + length, dtype=lamina.bool, device=x.device).tril(offset)
        return places


class GPT(LanguageModel):
    """A language model: ids int64 (N, T) -> logits (N, T, vocab) of the token after each place.

    Its state_dict has the names and shapes of Hugging Face's GPT2LMHeadModel. T is at most config.context with learned
    positions; windows of that length train it whatever the positions are, and `generate` looks back that far.

    >>> import lamina
    >>> model = lamina.models.GPT(vocab=50, width=32, layers=2)
    >>> model(lamina.tensor([[1, 2, 3]])).shape
    (1, 3, 50)
    >>> model.generate([1, 2, 3], 4, temperature=0.8, top_k=10, seed=0).shape
    (7,)
    """

    def __init__(self, config: GPTConfig | None = None, **overrides: Any) -> None:
        super().__init__()
        self.config = config = Model.configure(GPTConfig, config, overrides)
        self.transformer = Transformer(config)
        self.lm_head = nn.Linear(config.width, config.vocab, bias=False)
        if config.tie:
            self.lm_head.weight = self.transformer.wte.weight
        else:
            nn.init.normal_(self.lm_head.weight, 0.0, 0.02)

    def forward(self, ids: Tensor) -> Tensor:
        check_ids("GPT", ids)
        logits: Tensor = self.lm_head(self.transformer(ids))
        return logits

    def _stepper(self, rows: int, length: int, cache: bool) -> Callable[[Tensor], Tensor]:
        config, weight = self.config, self.transformer.wte.weight
        room = min(length, config.context)
        sizes = (rows, config.heads, room, config.width // config.heads)
        caches = [nn.KVCache(*sizes, weight.dtype, weight.device) for _ in range(config.layers)] if cache else []

        def step(ids: Tensor) -> Tensor:
            # Past the context the window slides and every token stands elsewhere: nothing kept is valid any more.
            if ids.shape[1] > config.context or not caches:
                hidden = self.transformer(ids[:, -config.context :])
            else:
                hidden = self.transformer(ids[:, caches[0].length :], caches)
            logits: Tensor = self.lm_head(hidden[:, -1])
            return logits

        return step

    @classmethod
    def load_pretrained(cls, source: Any, config: GPTConfig | None = None, **overrides: Any) -> GPT:
        """A model with published weights: a state_dict, a file of one, or a directory with its config.json.

        Known are the names of Hugging Face's GPT-2, with and without "transformer.", and nanoGPT's, whose linear layers
        store (outputs, inputs): the shape of c_attn tells which. Sizes are read from the shapes; the number of heads
        comes from config.json, from nanoGPT's model_args, or `heads=`. Positions are learned. The other settings of a
        config.json are followed or, where GPT does not have them, refused by name.

        >>> import lamina
        >>> small = lamina.models.GPT(vocab=50, width=32, layers=2)
        >>> lamina.models.GPT.load_pretrained(small.state_dict(), heads=4).config.layers
        2
        """
        owner = "GPT.load_pretrained"
        given, settings = read_weights(owner, source)
        weights = {_full_name(name): value for name, value in given.items()}
        either(weights, "transformer.wte.weight", "lm_head.weight")
        words = need(owner, weights, "transformer.wte.weight")
        first = need(owner, weights, "transformer.h.0.attn.c_attn.weight")
        if first.shape[0] == 3 * first.shape[1]:
            weights = {n: w.t() if _is_linear(n) else w for n, w in weights.items()}
        if config is None:
            sizes = _sizes(owner, weights)
            if "heads" not in overrides:
                sizes["heads"] = setting(owner, settings, ("n_head",), "heads")
            head = weights.get("lm_head.weight")
            sizes["tie"] = head is None or settings.get("tie_word_embeddings") is True or bool((head == words).all())
            sizes.update(
                follow(owner, settings, ("gpt2",), {f: n for f, n in _FIELDS.items() if f not in overrides}, _ONLY)
            )
            if "activation" in sizes:
                sizes["activation"] = _activations.theirs(owner, "activation_function", sizes["activation"])
            config, overrides = GPTConfig(**{**sizes, **overrides}), {}
        model = cls(config, **overrides)
        ties = {"lm_head.weight": "transformer.wte.weight"} if model.config.tie else {}
        load_into(model, weights, lambda n: n.endswith((".attn.bias", ".attn.masked_bias")), ties)
        return model


_FIELDS = {
    "eps": ("layer_norm_epsilon",),
    "activation": ("activation_function",),
    "scaled": ("scale_attn_weights",),
    "layer_scaled": ("scale_attn_by_inverse_layer_idx",),
    "dropout": ("embd_pdrop", "attn_pdrop", "resid_pdrop", "dropout"),
}
# The order of products in attention (reorder_and_upcast_attn) changes roundings of 16-bit types alone.
_ONLY = {"add_cross_attention": (False, None), "is_encoder_decoder": (False, None)}


def _full_name(name: str) -> str:
    return name if name.startswith(("transformer.", "lm_head.")) else "transformer." + name


def _is_linear(name: str) -> bool:
    return name.endswith((".c_attn.weight", ".c_proj.weight", ".c_fc.weight"))


def _sizes(owner: str, weights: Weights) -> dict[str, Any]:
    vocab, width = need(owner, weights, "transformer.wte.weight").shape
    return {
        "vocab": vocab,
        "width": width,
        "context": need(owner, weights, "transformer.wpe.weight").shape[0],
        "layers": layers_in(owner, weights, "transformer.h."),
        "hidden": need(owner, weights, "transformer.h.0.mlp.c_fc.weight").shape[1],
        "bias": "transformer.ln_f.bias" in weights,
    }
