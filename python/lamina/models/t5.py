"""T5 (arXiv 1910.10683): an encoder and a decoder of text with the names of the published weights."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import lamina

from .. import nn
from .._C import Tensor
from .._C import functional as F
from ..metrics._denominator import classes_counted
from . import _activations, _checks
from ._beam import beam_search
from ._language import check_ids, generating, prompt
from ._model import Model
from ._pretrained import either, follow, layers_in, load_into, need, read_weights


@dataclass
class T5Config:
    """Sizes of a T5; the default is a small one."""

    vocab: int = 256
    width: int = 128
    layers: int = 2  # of the encoder and of the decoder
    heads: int = 4
    head_width: int = 32  # of one head; heads * head_width need not be width
    hidden: int = 256  # of the feed-forward part
    gated: bool = False  # feed-forward with a gate, as in T5 1.1
    buckets: int = 32  # of relative positions
    max_distance: int = 128
    dropout: float = 0.1
    tie: bool = True  # the output layer is the embedding
    scaled: bool | None = None  # its input is divided by sqrt(width); None: where it is tied
    pad: int = 0  # fills up rows, and begins the decoder's
    end: int = 1
    eps: float = 1e-6
    activation: str | None = None  # of the feed-forward part; None: ReLU, with a gate tanh's GELU

    def __post_init__(self) -> None:
        names = ("vocab", "width", "layers", "heads", "head_width", "hidden")
        _checks.whole("T5Config", **{n: getattr(self, n) for n in names})
        _checks.number("T5Config", 0, 1, dropout=self.dropout)
        if self.activation is not None:
            _checks.choice("T5Config", _activations.NAMES, activation=self.activation)
        for name in ("pad", "end"):
            if not 0 <= getattr(self, name) < self.vocab:
                raise ValueError(f"T5Config: {name} {getattr(self, name)} is outside of the vocab of {self.vocab}")
        if self.pad == self.end:
            raise ValueError(f"T5Config: pad and end must differ, both are {self.pad}")

    @classmethod
    def small(cls, **overrides: Any) -> T5Config:
        """The published t5-small (61 million parameters).

        >>> import lamina
        >>> lamina.models.T5Config.small().parameters()
        60506624
        """
        sizes = {"vocab": 32128, "width": 512, "layers": 6, "heads": 8, "head_width": 64, "hidden": 2048}
        return cls(**{**sizes, **overrides})

    def parameters(self) -> int:
        """How many parameters the model has, tied ones once."""
        w, attention = self.width, 4 * self.width * self.heads * self.head_width
        feed = (3 if self.gated else 2) * w * self.hidden
        layers = self.layers * (attention + feed + 2 * w) + self.layers * (2 * attention + feed + 3 * w)
        return self.vocab * w * (1 if self.tie else 2) + layers + 2 * w + 2 * self.buckets * self.heads


class Memory:
    """What the layers of a decoder keep while it writes: keys and values of its own tokens and of the encoder's."""

    def __init__(self) -> None:
        self.own: list[nn.KVCache] = []
        self.cross: list[tuple[Tensor, Tensor]] = []


class Attention(nn.Module):
    """Attention without scaling: x (N, T, width), of the places of `source` (N, S, width) -> (N, T, width)."""

    def __init__(self, config: T5Config, biased: bool = False, bidirectional: bool = True) -> None:
        super().__init__()
        self.heads, self.rate = config.heads, config.dropout
        w, inner = config.width, config.heads * config.head_width
        self.q, self.k, self.v = (nn.Linear(w, inner, bias=False) for _ in range(3))
        self.o = nn.Linear(inner, w, bias=False)
        nn.init.normal_(self.q.weight, 0.0, (w * config.head_width) ** -0.5)
        for layer, inputs in ((self.k, w), (self.v, w), (self.o, inner)):
            nn.init.normal_(layer.weight, 0.0, inputs**-0.5)
        self._positions: tuple[nn.T5RelativeBias, ...] = ()  # in a tuple: only its table is a part of this module
        if biased:
            positions = nn.T5RelativeBias(config.heads, config.buckets, config.max_distance, bidirectional)
            nn.init.normal_(positions.relative_attention_bias.weight, 0.0, w**-0.5)
            self._positions = (positions,)
            self.relative_attention_bias = positions.relative_attention_bias

    def bias(self, queries: int, keys: int, offset: int) -> Tensor:
        """What each distance adds to the scores: (heads, T, S)."""
        bias: Tensor = self._positions[0](queries, keys, offset)
        return bias

    def keys_values(self, source: Tensor) -> tuple[Tensor, Tensor]:
        """(N, S, width) -> (N, heads, S, head_width) each."""
        return self._heads(self.k(source)), self._heads(self.v(source))

    def _heads(self, x: Tensor) -> Tensor:
        n, t, _ = x.shape
        return x.reshape(n, t, self.heads, -1).transpose(1, 2)

    def forward(self, x: Tensor, k: Tensor, v: Tensor, mask: Tensor | None) -> Tensor:
        rate = self.rate if self.training else 0.0
        y = F.scaled_dot_product_attention(self._heads(self.q(x)), k, v, mask, rate, scale=1.0)
        out: Tensor = self.o(y.transpose(1, 2).flatten(2))
        return out


class SelfLayer(nn.Module):
    def __init__(self, config: T5Config, biased: bool, bidirectional: bool) -> None:
        super().__init__()
        self.SelfAttention = Attention(config, biased, bidirectional)
        self.layer_norm = nn.RMSNorm(config.width, config.eps)
        self.dropout = nn.Dropout(config.dropout)

    def forward(self, x: Tensor, mask: Tensor | None, cache: nn.KVCache | None = None) -> Tensor:
        y = self.layer_norm(x)
        k, v = self.SelfAttention.keys_values(y)
        if cache is not None:
            k, v = cache.append(k, v)
        out: Tensor = x + self.dropout(self.SelfAttention(y, k, v, mask))
        return out


class CrossLayer(nn.Module):
    def __init__(self, config: T5Config) -> None:
        super().__init__()
        self.EncDecAttention = Attention(config)
        self.layer_norm = nn.RMSNorm(config.width, config.eps)
        self.dropout = nn.Dropout(config.dropout)

    def forward(self, x: Tensor, kv: tuple[Tensor, Tensor], mask: Tensor | None) -> Tensor:
        out: Tensor = x + self.dropout(self.EncDecAttention(self.layer_norm(x), *kv, mask))
        return out


class DenseReluDense(nn.Module):
    """(*, width) -> (*, width) through `hidden`: an activation, with a gate or without."""

    wi: nn.Linear
    wi_0: nn.Linear
    wi_1: nn.Linear

    def __init__(self, config: T5Config) -> None:
        super().__init__()
        names = ("wi_0", "wi_1") if config.gated else ("wi",)
        for name in names:
            layer = nn.Linear(config.width, config.hidden, bias=False)
            nn.init.normal_(layer.weight, 0.0, config.width**-0.5)
            setattr(self, name, layer)
        self.gated = config.gated
        self.act = _activations.activation(config.activation or ("gelu_tanh" if config.gated else "relu"))
        self.wo = nn.Linear(config.hidden, config.width, bias=False)
        nn.init.normal_(self.wo.weight, 0.0, config.hidden**-0.5)
        self.dropout = nn.Dropout(config.dropout)

    def forward(self, x: Tensor) -> Tensor:
        inner: Tensor = self.act(self.wi_0(x)) * self.wi_1(x) if self.gated else self.act(self.wi(x))
        out: Tensor = self.wo(self.dropout(inner))
        return out


class FeedForward(nn.Module):
    def __init__(self, config: T5Config) -> None:
        super().__init__()
        self.DenseReluDense = DenseReluDense(config)
        self.layer_norm = nn.RMSNorm(config.width, config.eps)
        self.dropout = nn.Dropout(config.dropout)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = x + self.dropout(self.DenseReluDense(self.layer_norm(x)))
        return out


class Block(nn.Module):
    """Self-attention, in the decoder attention to the encoder, feed-forward: layers 0, (1,) and last."""

    def __init__(self, config: T5Config, decoder: bool, biased: bool) -> None:
        super().__init__()
        layers: list[nn.Module] = [SelfLayer(config, biased, not decoder)]
        layers += [CrossLayer(config)] if decoder else []
        self.layer = nn.ModuleList([*layers, FeedForward(config)])


class Stack(nn.Module):
    """All blocks of the encoder or the decoder: ids int64 (N, T) -> (N, T, width)."""

    def __init__(self, config: T5Config, embedding: nn.Embedding, decoder: bool) -> None:
        super().__init__()
        self.embed_tokens, self.decoder = embedding, decoder
        self.block = nn.ModuleList([Block(config, decoder, i == 0) for i in range(config.layers)])
        self.final_layer_norm = nn.RMSNorm(config.width, config.eps)
        self.dropout = nn.Dropout(config.dropout)

    def forward(
        self,
        ids: Tensor,
        source_mask: Tensor | None,
        source: Tensor | None = None,
        memory: Memory | None = None,
    ) -> Tensor:
        """source_mask bool (N, 1, 1, S): which of the encoder's places are real; source (N, S, width): for a decoder."""
        offset = memory.own[0].length if memory is not None and memory.own else 0
        x = self.dropout(self.embed_tokens(ids))
        mask = self._self_mask(int(ids.shape[1]), offset, source_mask)
        blocks: Any = self.block
        for i, block in enumerate(blocks):
            x = block.layer[0](x, mask, memory.own[i] if memory is not None and memory.own else None)
            if source is not None:
                kv = memory.cross[i] if memory is not None else block.layer[1].EncDecAttention.keys_values(source)
                x = block.layer[1](x, kv, source_mask)
            x = block.layer[-1](x)
        out: Tensor = self.dropout(self.final_layer_norm(x))
        return out

    def _self_mask(self, length: int, offset: int, source_mask: Tensor | None) -> Tensor:
        """What is added to the scores of self-attention: (1 or N, heads, T, S)."""
        keys = offset + length
        first: Any = self.block[0]
        bias: Tensor = first.layer[0].SelfAttention.bias(length, keys, offset).unsqueeze(0)
        if self.decoder:
            seen = lamina.ones(length, keys, dtype=lamina.bool, device=bias.device).tril(offset)
            return bias.masked_fill(~seen, -math.inf)
        return bias if source_mask is None else bias.masked_fill(~source_mask, -math.inf)


class T5(Model):
    """Text to text: ids int64 (N, S), decoder ids int64 (N, T) -> logits (N, T, vocab) of the token after each place.

    Its state_dict has the names of Hugging Face's T5ForConditionalGeneration. attention_mask (N, S), 1 where a token is
    real (default: where ids are not `pad`). Batches are (ids, labels), rows filled up with `pad`; the decoder reads the
    labels moved on by one behind a `pad`. `predict` gives greedy outputs of up to 32 tokens.

    >>> import lamina
    >>> model = lamina.models.T5(vocab=20, width=16, heads=2, head_width=8, hidden=32)
    >>> model(lamina.tensor([[3, 4, 1]]), lamina.tensor([[0, 5]])).shape
    (1, 2, 20)
    >>> model.generate(lamina.tensor([[3, 4, 1]]), max_length=4, beams=2).shape[0]
    1
    """

    def __init__(self, config: T5Config | None = None, **overrides: Any) -> None:
        super().__init__()
        self.config = config = Model.configure(T5Config, config, overrides)
        self.shared = nn.Embedding(config.vocab, config.width)
        self.encoder = Stack(config, self.shared, decoder=False)
        self.decoder = Stack(config, self.shared, decoder=True)
        self.lm_head = nn.Linear(config.width, config.vocab, bias=False)
        if config.tie:
            self.lm_head.weight = self.shared.weight

    def forward(self, ids: Tensor, decoder_ids: Tensor, attention_mask: Tensor | None = None) -> Tensor:
        source, mask = self.encode(ids, attention_mask)
        check_ids("T5 (decoder)", decoder_ids)
        if decoder_ids.shape[0] != ids.shape[0]:
            raise lamina.ShapeError(f"T5: {ids.shape[0]} rows of ids, but {decoder_ids.shape[0]} of decoder_ids")
        return self._logits(self.decoder(decoder_ids, mask, source))

    def encode(self, ids: Tensor, attention_mask: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """(hidden (N, S, width), mask bool (N, 1, 1, S)) of the inputs."""
        check_ids("T5", ids)
        if attention_mask is not None and tuple(attention_mask.shape) != tuple(ids.shape):
            raise lamina.ShapeError(
                f"T5: attention_mask must be {tuple(ids.shape)} like ids, got {tuple(attention_mask.shape)}"
            )
        real = ids != self.config.pad if attention_mask is None else attention_mask != 0
        mask = real.unsqueeze(1).unsqueeze(1)
        return self.encoder(ids, mask), mask

    def _logits(self, hidden: Tensor) -> Tensor:
        config = self.config
        scaled = config.tie if config.scaled is None else config.scaled
        out: Tensor = self.lm_head(hidden * config.width**-0.5 if scaled else hidden)
        return out

    def shift(self, labels: Tensor) -> Tensor:
        """What the decoder reads to write `labels`: pad, then all but the last; -100 becomes pad."""
        first = lamina.full((labels.shape[0], 1), self.config.pad, dtype=labels.dtype, device=labels.device)
        return lamina.cat([first, labels[:, :-1].masked_fill(labels[:, :-1] == -100, self.config.pad)], 1)

    def training_loss(self, *batch: Any) -> Tensor:
        """The mean cross entropy a token: (ids, labels) -> (); labels of `pad` or -100 do not count."""
        if len(batch) != 2:
            raise ValueError(f"T5.training_loss: a batch should be (ids, labels), got {len(batch)} fields")
        ids, labels = batch
        logits = self(ids, self.shift(labels))
        targets = labels.masked_fill(labels == self.config.pad, -100).reshape(-1)
        return F.cross_entropy(logits.reshape(-1, logits.shape[-1]), targets)

    def loss_denominator(self, *batch: Any) -> float | None:
        """The labels that count in training_loss."""
        return classes_counted(batch[1].masked_fill(batch[1] == self.config.pad, -100))

    def metrics(self) -> dict[str, Any]:
        return {}

    def evaluate(self, data: Any, *, batch_size: int = 64) -> dict[str, float]:
        """{"loss": nats a token, "perplexity": exp of it}."""
        found = super().evaluate(data, batch_size=batch_size)
        found["perplexity"] = math.exp(min(found["loss"], 700.0))
        return found

    def prediction(self, x: Tensor) -> Any:
        """Greedy outputs of up to 32 tokens, filled up with `pad`: (N, S) -> (N, 32)."""
        out = self.generate(x, max_length=32)
        return F.pad(out, [0, 32 - int(out.shape[1])], value=self.config.pad)

    def generate(
        self,
        ids: Any,
        max_length: int = 32,
        beams: int = 1,
        length_penalty: float = 1.0,
        attention_mask: Tensor | None = None,
        cache: bool = True,
    ) -> Tensor:
        """The most likely outputs found: (N, S) -> (N, T'), (S) -> (T'), T' <= max_length; `end` and then `pad` fill up.

        One beam is greedy; more keep that many candidates, compared by log probability / length^length_penalty.
        cache=False computes everything anew for each token, with the same bits. Runs in eval mode and gives it back.
        """
        _checks.whole("T5.generate", max_length=max_length, beams=beams)
        if not math.isfinite(length_penalty):
            raise ValueError(f"T5.generate: length_penalty must be finite, got {length_penalty}")
        given, single = prompt("T5.generate", ids, self.config.vocab, self)
        with generating(self):
            source, mask = self.encode(given, attention_mask)
            rows = lamina.arange(given.shape[0], device=given.device).repeat_interleave(beams)
            source, mask = source.index_select(0, rows), mask.index_select(0, rows)
            step = self._stepper(source, mask, max_length, cache)
            config, device = self.config, given.device
            count = int(given.shape[0])
            found = beam_search(step, count, config.pad, config.end, beams, max_length, length_penalty, device)
        longest = max(len(out) for _, out in found)
        filled = [out + [self.config.pad] * (longest - len(out)) for _, out in found]
        out = lamina.tensor(filled, dtype=lamina.int64, device=given.device)
        return out[0] if single else out

    def _stepper(self, source: Tensor, mask: Tensor, length: int, cache: bool) -> Callable[[Tensor, Tensor], Tensor]:
        config = self.config
        memory = Memory()
        if cache:
            sizes = (int(source.shape[0]), config.heads, length, config.head_width)
            memory.own = [nn.KVCache(*sizes, source.dtype, source.device) for _ in range(config.layers)]
        blocks: Any = self.decoder.block
        memory.cross = [block.layer[1].EncDecAttention.keys_values(source) for block in blocks]

        def step(ids: Tensor, origin: Tensor) -> Tensor:
            # Beams of one input share its keys and values, so only those of the decoder's own tokens follow `origin`.
            if not cache:
                return self._logits(self.decoder(ids, mask, source)[:, -1])
            for own in memory.own:
                own.reorder(origin)
            return self._logits(self.decoder(ids[:, memory.own[0].length :], mask, source, memory)[:, -1])

        return step

    @classmethod
    def load_pretrained(cls, source: Any, config: T5Config | None = None, **overrides: Any) -> T5:
        """A model with published weights: a state_dict, a safetensors file, or a directory with its config.json.

        Sizes are read from the shapes; tied weights may be in the file once or several times. Settings of config.json
        are followed or, where T5 does not have them, refused by name.
        """
        owner = "T5.load_pretrained"
        weights, settings = read_weights(owner, source)
        either(weights, "shared.weight", "encoder.embed_tokens.weight", "decoder.embed_tokens.weight")
        if config is None:
            bias = need(owner, weights, "encoder.block.0.layer.0.SelfAttention.relative_attention_bias.weight")
            inner = need(owner, weights, "encoder.block.0.layer.0.SelfAttention.q.weight").shape[0]
            words = need(owner, weights, "shared.weight")
            wide = "encoder.block.0.layer.1.DenseReluDense."
            gated = wide + "wi_0.weight" in weights
            head = weights.get("lm_head.weight")
            sizes = {
                "vocab": words.shape[0],
                "width": words.shape[1],
                "layers": layers_in(owner, weights, "encoder.block."),
                "heads": bias.shape[1],
                "head_width": inner // bias.shape[1],
                "hidden": need(owner, weights, wide + "wo.weight").shape[1],
                "gated": gated,
                "buckets": bias.shape[0],
                "max_distance": settings.get("relative_attention_max_distance", 128),
                "tie": head is None or settings.get("tie_word_embeddings") is True or bool((head == words).all()),
                "scaled": settings.get("scale_decoder_outputs", settings.get("tie_word_embeddings")),
            }
            depth = layers_in(owner, weights, "decoder.block.")
            if depth != sizes["layers"]:
                raise ValueError(f"{owner}: {sizes['layers']} layers in the encoder, but {depth} in the decoder")
            sizes.update(_settings(owner, settings, gated, overrides))
            config, overrides = T5Config(**{**sizes, **overrides}), {}
        model = cls(config, **overrides)
        ties = {"encoder.embed_tokens.weight": "shared.weight", "decoder.embed_tokens.weight": "shared.weight"}
        if model.config.tie:
            ties["lm_head.weight"] = "shared.weight"
        load_into(model, weights, lambda name: "EncDecAttention.relative_attention_bias" in name, ties)
        return model


_FIELDS = {
    "eps": ("layer_norm_epsilon",),
    "activation": ("feed_forward_proj",),
    "pad": ("pad_token_id", "decoder_start_token_id"),
    "end": ("eos_token_id",),
    "dropout": ("dropout_rate",),
}


def _settings(owner: str, settings: Mapping[str, Any], gated: bool, overrides: Mapping[str, Any]) -> dict[str, Any]:
    """Fields of a T5Config that a config.json says."""
    fields = {f: n for f, n in _FIELDS.items() if f not in overrides}
    found = follow(owner, settings, ("t5", "mt5"), fields, {"is_encoder_decoder": (True, None)})
    if "activation" in found:
        *gate, kind = str(found["activation"]).split("-")
        if gate not in ([], ["gated"]) or bool(gate) != gated:
            has = "two input layers, a gate" if gated else "one input layer"
            raise ValueError(
                f"{owner}: config.json says feed_forward_proj {found['activation']!r}, the weights have {has}"
            )
        gelu = bool(gate) and kind == "gelu"  # what "gated-gelu" has always meant
        found["activation"] = "gelu_tanh" if gelu else _activations.theirs(owner, "feed_forward_proj", kind)
    return found
