"""BERT (arXiv 1810.04805): an encoder of text with the names of its published weights, and its two usual tasks."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, TypeVar

import lamina

from .. import nn
from .._C import Tensor
from .._C import functional as F
from ..metrics._denominator import classes_counted
from . import _activations, _checks
from ._language import check_context, check_ids
from ._model import Model
from ._pretrained import either, follow, layers_in, load_into, need, read_weights, setting

B = TypeVar("B", bound="BERT")


@dataclass
class BERTConfig:
    """Sizes of a BERT; the default is a small one. The special ids are those of the published vocabularies."""

    vocab: int = 1000
    context: int = 128  # the most tokens a row
    width: int = 128
    layers: int = 2
    heads: int = 4
    hidden: int | None = None  # of the feed-forward part; None: 4 * width
    types: int = 2  # kinds of segments
    dropout: float = 0.1
    classes: int = 2  # of BERTForSequenceClassification
    pad: int = 0
    mask: int = 103  # stands in the places to guess
    special: tuple[int, ...] = (0, 100, 101, 102, 103)  # never guessed: pad, unknown, start, separator, mask
    masked: float = 0.15  # the share of tokens to guess
    eps: float = 1e-12
    activation: str = "gelu"  # of the feed-forward part and of the masked model's last layers

    def __post_init__(self) -> None:
        names = ("vocab", "context", "width", "layers", "heads", "types", "classes")
        _checks.whole("BERTConfig", **{n: getattr(self, n) for n in names})
        if self.hidden is not None:
            _checks.whole("BERTConfig", hidden=self.hidden)
        _checks.number("BERTConfig", 0, 1, dropout=self.dropout)
        if not 0 < self.masked <= 1:
            raise ValueError(f"BERTConfig: masked must be in (0, 1], got {self.masked}")
        _checks.choice("BERTConfig", _activations.NAMES, activation=self.activation)
        if self.width % self.heads:
            raise ValueError(f"BERTConfig: width {self.width} does not divide into {self.heads} heads")
        for name in ("pad", "mask"):
            if not 0 <= getattr(self, name) < self.vocab:
                raise ValueError(f"BERTConfig: {name} {getattr(self, name)} is outside of the vocab of {self.vocab}")

    @classmethod
    def base(cls, **overrides: Any) -> BERTConfig:
        """The published bert-base-uncased (110 million parameters).

        >>> import lamina
        >>> lamina.models.BERTConfig.base().parameters()
        109482240
        """
        sizes = {"vocab": 30522, "context": 512, "width": 768, "layers": 12, "heads": 12}
        return cls(**{**sizes, **overrides})

    def parameters(self) -> int:
        """How many parameters the encoder with its pooler has."""
        w, h = self.width, self.hidden or 4 * self.width
        block = 4 * (w * w + w) + 2 * w * h + h + w + 4 * w
        return (self.vocab + self.context + self.types) * w + 2 * w + self.layers * block + w * w + w


class Embeddings(nn.Module):
    """Words, places and segments: int64 (N, T), (N, T) -> (N, T, width)."""

    def __init__(self, config: BERTConfig) -> None:
        super().__init__()
        w = config.width
        self.word_embeddings = nn.Embedding(config.vocab, w, config.pad)
        self.position_embeddings = nn.Embedding(config.context, w)
        self.token_type_embeddings = nn.Embedding(config.types, w)
        self.LayerNorm = nn.LayerNorm(w, config.eps)
        self.dropout = nn.Dropout(config.dropout)

    def forward(self, ids: Tensor, types: Tensor) -> Tensor:
        places = lamina.arange(ids.shape[1], device=ids.device)
        x = self.word_embeddings(ids) + self.token_type_embeddings(types) + self.position_embeddings(places)
        out: Tensor = self.dropout(self.LayerNorm(x))
        return out


class SelfAttention(nn.Module):
    """Attention of all places to all: (N, T, width), mask -> (N, T, width)."""

    def __init__(self, config: BERTConfig) -> None:
        super().__init__()
        w = config.width
        self.heads, self.rate = config.heads, config.dropout
        self.query, self.key, self.value = nn.Linear(w, w), nn.Linear(w, w), nn.Linear(w, w)

    def forward(self, x: Tensor, mask: Tensor | None) -> Tensor:
        n, t, w = x.shape
        q, k, v = (f(x).reshape(n, t, self.heads, -1).transpose(1, 2) for f in (self.query, self.key, self.value))
        y = F.scaled_dot_product_attention(q, k, v, mask, self.rate if self.training else 0.0)
        return y.transpose(1, 2).reshape(n, t, w)


class Output(nn.Module):
    """A linear layer, dropout, the sum with what came before, and its norm: (*, inputs), (*, width) -> (*, width)."""

    def __init__(self, inputs: int, config: BERTConfig) -> None:
        super().__init__()
        self.dense = nn.Linear(inputs, config.width)
        self.LayerNorm = nn.LayerNorm(config.width, config.eps)
        self.dropout = nn.Dropout(config.dropout)

    def forward(self, x: Tensor, before: Tensor) -> Tensor:
        out: Tensor = self.LayerNorm(self.dropout(self.dense(x)) + before)
        return out


class Attention(nn.Module):
    def __init__(self, config: BERTConfig) -> None:
        super().__init__()
        self.self = SelfAttention(config)
        self.output = Output(config.width, config)

    def forward(self, x: Tensor, mask: Tensor | None) -> Tensor:
        out: Tensor = self.output(self.self(x, mask), x)
        return out


class Dense(nn.Module):
    """A linear layer and an activation, under the name `dense`."""

    def __init__(self, inputs: int, outputs: int, activation: nn.Module) -> None:
        super().__init__()
        self.dense = nn.Linear(inputs, outputs)
        self.activation = activation

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.activation(self.dense(x))
        return out


class Layer(nn.Module):
    """Attention and feed-forward, each added to its input and normed: (N, T, width), mask -> (N, T, width)."""

    def __init__(self, config: BERTConfig) -> None:
        super().__init__()
        hidden = config.hidden or 4 * config.width
        self.attention = Attention(config)
        self.intermediate = Dense(config.width, hidden, _activations.activation(config.activation))
        self.output = Output(hidden, config)

    def forward(self, x: Tensor, mask: Tensor | None) -> Tensor:
        x = self.attention(x, mask)
        out: Tensor = self.output(self.intermediate(x), x)
        return out


class Encoder(nn.Module):
    def __init__(self, config: BERTConfig) -> None:
        super().__init__()
        self.layer = nn.ModuleList([Layer(config) for _ in range(config.layers)])


class Trunk(nn.Module):
    """Embeddings, layers and, on wish, the pooler: ids -> hidden (N, T, width), pooled (N, width) or None."""

    def __init__(self, config: BERTConfig, pooler: bool) -> None:
        super().__init__()
        self.embeddings = Embeddings(config)
        self.encoder = Encoder(config)
        self.pooler = Dense(config.width, config.width, nn.Tanh()) if pooler else None

    def forward(self, ids: Tensor, mask: Tensor | None, types: Tensor) -> tuple[Tensor, Tensor | None]:
        x = self.embeddings(ids, types)
        for layer in self.encoder.layer:
            x = layer(x, mask)
        return x, None if self.pooler is None else self.pooler(x[:, 0])


class BERT(Model):
    """The encoder: ids int64 (N, T) -> (hidden (N, T, width), pooled (N, width)); `predict` gives the pooled rows.

    attention_mask (N, T), 1 where a token is real (default: where ids are not `pad`); token_type_ids (N, T), the segment
    of each token (default: 0). It has no loss of its own: BERTForMaskedLM and BERTForSequenceClassification train it.

    >>> import lamina
    >>> hidden, pooled = lamina.models.BERT(layers=1, width=16, heads=2)(lamina.tensor([[101, 7, 102]]))
    >>> hidden.shape, pooled.shape
    ((1, 3, 16), (1, 16))
    """

    _pooler = True

    def __init__(self, config: BERTConfig | None = None, **overrides: Any) -> None:
        super().__init__()
        self.config = config = Model.configure(BERTConfig, config, overrides)
        self.bert = Trunk(config, self._pooler)
        self._add_task(config)
        for module in self.modules():
            if isinstance(module, (nn.Linear, nn.Embedding)):
                nn.init.normal_(module.weight, 0.0, 0.02)
            if isinstance(module, nn.Linear) and module.bias is not None:
                nn.init.zeros_(module.bias)
        nn.init.zeros_(self.bert.embeddings.word_embeddings.weight.detach()[config.pad])

    def _add_task(self, config: BERTConfig) -> None:
        """The layers behind the encoder."""

    def forward(self, ids: Tensor, attention_mask: Tensor | None = None, token_type_ids: Tensor | None = None) -> Any:
        return self.encode(ids, attention_mask, token_type_ids)

    def encode(
        self, ids: Tensor, attention_mask: Tensor | None = None, token_type_ids: Tensor | None = None
    ) -> tuple[Tensor, Tensor | None]:
        """(hidden (N, T, width), pooled (N, width) or None): what every task begins with."""
        owner = type(self).__name__
        check_ids(owner, ids)
        check_context(owner, int(ids.shape[1]), self.config.context)
        for name, given in (("attention_mask", attention_mask), ("token_type_ids", token_type_ids)):
            if given is not None and tuple(given.shape) != tuple(ids.shape):
                raise lamina.ShapeError(
                    f"{owner}: {name} must be {tuple(ids.shape)} like ids, got {tuple(given.shape)}"
                )
        real = ids != self.config.pad if attention_mask is None else attention_mask != 0
        types = lamina.zeros_like(ids) if token_type_ids is None else token_type_ids
        found: tuple[Tensor, Tensor | None] = self.bert(ids, real.unsqueeze(1).unsqueeze(1), types)
        return found

    def training_loss(self, *batch: Any) -> Tensor:
        raise TypeError("BERT: the encoder has no loss; hint: BERTForMaskedLM or BERTForSequenceClassification")

    def metrics(self) -> dict[str, Any]:
        return {}

    def prediction(self, x: Tensor) -> Any:
        """The pooled rows: (N, T) -> (N, width)."""
        return self(x)[1]

    @classmethod
    def load_pretrained(cls: type[B], source: Any, config: BERTConfig | None = None, **overrides: Any) -> B:
        """A model with published weights: a state_dict, a safetensors file, or a directory with its config.json.

        Sizes are read from the shapes; the number of heads comes from config.json or `heads=`. Names with and without
        "bert." are known, and "gamma" and "beta" of old files. A task's own layers that the file lacks are an error, and so
        are settings of config.json that BERT does not have; the others are followed.
        """
        owner = f"{cls.__name__}.load_pretrained"
        given, settings = read_weights(owner, source)
        weights = {_renamed(name): value for name, value in given.items()}
        either(weights, "bert.embeddings.word_embeddings.weight", "cls.predictions.decoder.weight")
        either(weights, "cls.predictions.bias", "cls.predictions.decoder.bias")
        words = need(owner, weights, "bert.embeddings.word_embeddings.weight")
        if config is None:
            sizes: dict[str, Any] = {"vocab": words.shape[0], "width": words.shape[1]}
            sizes["context"] = need(owner, weights, "bert.embeddings.position_embeddings.weight").shape[0]
            sizes["types"] = need(owner, weights, "bert.embeddings.token_type_embeddings.weight").shape[0]
            sizes["layers"] = layers_in(owner, weights, "bert.encoder.layer.")
            sizes["hidden"] = need(owner, weights, "bert.encoder.layer.0.intermediate.dense.weight").shape[0]
            if "classifier.weight" in weights:
                sizes["classes"] = weights["classifier.weight"].shape[0]
            if "heads" not in overrides:
                sizes["heads"] = setting(owner, settings, ("num_attention_heads",), "heads")
            fields = {f: n for f, n in _FIELDS.items() if f not in overrides}
            sizes.update(follow(owner, settings, ("bert",), fields, _ONLY))
            if "activation" in sizes:
                sizes["activation"] = _activations.theirs(owner, "hidden_act", sizes["activation"])
            config = BERTConfig(**{**sizes, **overrides})
            overrides = {}
        model = cls(config, **overrides)
        own = set(model.state_dict())
        apart = weights.get("cls.predictions.decoder.weight")
        if "cls.predictions.bias" in own and apart is not None and bool((apart != words).any()):
            raise ValueError(f"{owner}: the output layer is not the word embedding (tie_word_embeddings false)")
        others = ("cls.", "classifier.", "bert.pooler.", "bert.embeddings.position_ids")
        ties = {"cls.predictions.decoder.weight": "bert.embeddings.word_embeddings.weight"}
        ties["cls.predictions.decoder.bias"] = "cls.predictions.bias"
        ties = {name: origin for name, origin in ties.items() if name in own}
        load_into(model, weights, lambda name: name not in own and name.startswith(others), ties)
        return model


_FIELDS = {
    "eps": ("layer_norm_eps",),
    "activation": ("hidden_act",),
    "pad": ("pad_token_id",),
    "dropout": ("hidden_dropout_prob", "attention_probs_dropout_prob", "classifier_dropout"),
}
_ONLY = {
    "position_embedding_type": ("absolute", None),
    "is_decoder": (False, None),
    "add_cross_attention": (False, None),
    "is_encoder_decoder": (False, None),
    "problem_type": ("single_label_classification", None),
}


def _renamed(name: str) -> str:
    if name.startswith(("embeddings.", "encoder.", "pooler.")):
        name = "bert." + name
    return name.replace("LayerNorm.gamma", "LayerNorm.weight").replace("LayerNorm.beta", "LayerNorm.bias")


class Transform(Dense):
    """Linear, activation, norm: (*, width) -> (*, width)."""

    def __init__(self, config: BERTConfig) -> None:
        super().__init__(config.width, config.width, _activations.activation(config.activation))
        self.LayerNorm = nn.LayerNorm(config.width, config.eps)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.LayerNorm(super().forward(x))
        return out


class Predictions(nn.Module):
    def __init__(self, config: BERTConfig) -> None:
        super().__init__()
        self.transform = Transform(config)
        self.decoder = nn.Linear(config.width, config.vocab)
        self.bias = self.decoder.bias

    def forward(self, x: Tensor) -> Tensor:
        logits: Tensor = self.decoder(self.transform(x))
        return logits


class Head(nn.Module):
    def __init__(self, config: BERTConfig) -> None:
        super().__init__()
        self.predictions = Predictions(config)


class BERTForMaskedLM(BERT):
    """Guesses hidden tokens: ids int64 (N, T) -> logits (N, T, vocab); the output layer is the word embedding.

    Batches are (ids,): a share of the tokens is chosen, of which 80 % become `mask`, 10 % a random token, 10 % stay; or
    (ids, labels) with labels -100 where nothing is to be guessed. The choice is drawn from the default generator, which
    the seed of `fit` governs.

    >>> import lamina
    >>> model = lamina.models.BERTForMaskedLM(layers=1, width=16, heads=2)
    >>> model(lamina.tensor([[101, 103, 102]])).shape
    (1, 3, 1000)
    """

    _pooler = False

    def _add_task(self, config: BERTConfig) -> None:
        self.cls = Head(config)
        self.cls.predictions.decoder.weight = self.bert.embeddings.word_embeddings.weight

    def forward(
        self, ids: Tensor, attention_mask: Tensor | None = None, token_type_ids: Tensor | None = None
    ) -> Tensor:
        logits: Tensor = self.cls.predictions(self.encode(ids, attention_mask, token_type_ids)[0])
        return logits

    def hide(self, ids: Tensor) -> tuple[Tensor, Tensor]:
        """(ids with hidden places, labels with -100 elsewhere): int64 (N, T) -> (N, T), (N, T)."""
        config = self.config
        check_ids(type(self).__name__, ids)
        fixed = ids == config.pad
        for token in config.special:
            fixed = fixed | (ids == token)
        chosen = (lamina.rand(ids.shape, device=ids.device) < config.masked) & ~fixed
        kind = lamina.rand(ids.shape, device=ids.device)
        other = lamina.randint(0, config.vocab, tuple(ids.shape), device=ids.device)
        hidden = ids.masked_fill(chosen & (kind < 0.8), config.mask)
        hidden = lamina.where(chosen & (kind >= 0.9), other, hidden)
        return hidden, ids.masked_fill(~chosen, -100)

    def training_loss(self, *batch: Any) -> Tensor:
        """The mean cross entropy of the tokens to guess, 0 where there are none: (ids,) or (ids, labels) -> ()."""
        if len(batch) not in (1, 2):
            raise ValueError(
                f"{type(self).__name__}: a batch should be (ids,) or (ids, labels), got {len(batch)} fields"
            )
        real = batch[0] != self.config.pad  # before a random token, which may be `pad`, stands there
        ids, labels = batch if len(batch) == 2 else self.hide(batch[0])
        logits = self(ids, real)
        total = F.cross_entropy(logits.reshape(-1, logits.shape[-1]), labels.reshape(-1), reduction="sum")
        return total / max(int((labels != -100).sum().item()), 1)

    def loss_denominator(self, *batch: Any) -> float | None:
        """The tokens to guess, where the batch says them; else rows count, for each batch hides its own."""
        return classes_counted(batch[1]) if len(batch) == 2 else None

    def evaluate(self, data: Any, *, batch_size: int = 64) -> dict[str, float]:
        """{"loss", "perplexity"} of the tokens to guess, hidden alike in every call."""
        found = super().evaluate(data, batch_size=batch_size)
        found["perplexity"] = math.exp(min(found["loss"], 700.0))
        return found

    def prediction(self, x: Tensor) -> Any:
        """The most likely token of each place: (N, T) -> (N, T)."""
        return self(x).argmax(-1)

    def generate(self, ids: Tensor) -> Tensor:
        """The ids with each `mask` filled by its most likely token, all at once: (N, T) -> (N, T)."""
        from ._language import generating

        with generating(self):
            return lamina.where(ids == self.config.mask, self.prediction(ids), ids)


class BERTForSequenceClassification(BERT):
    """Classes of texts: ids int64 (N, T) -> logits (N, classes). Batches are (ids, y) or (ids, attention_mask, y).

    >>> import lamina
    >>> model = lamina.models.BERTForSequenceClassification(layers=1, width=16, heads=2, classes=3)
    >>> model(lamina.tensor([[101, 7, 102]])).shape
    (1, 3)
    """

    def _add_task(self, config: BERTConfig) -> None:
        self.dropout = nn.Dropout(config.dropout)
        self.classifier = nn.Linear(config.width, config.classes)

    def forward(
        self, ids: Tensor, attention_mask: Tensor | None = None, token_type_ids: Tensor | None = None
    ) -> Tensor:
        logits: Tensor = self.classifier(self.dropout(self.encode(ids, attention_mask, token_type_ids)[1]))
        return logits

    def training_loss(self, *batch: Any) -> Tensor:
        logits, y = self.metric_inputs(*batch)
        return F.cross_entropy(logits, y)

    def loss_denominator(self, *batch: Any) -> float | None:
        """The targets that are not -100."""
        return classes_counted(batch[-1])

    def metrics(self) -> dict[str, Any]:
        return Model.metrics(self)

    def metric_inputs(self, *batch: Any) -> tuple[Any, ...]:
        if len(batch) not in (2, 3):
            raise ValueError(
                f"{type(self).__name__}: a batch should be (ids, y) or (ids, attention_mask, y), got {len(batch)} fields"
            )
        return self(*batch[:-1]), batch[-1]

    def prediction(self, x: Tensor) -> Any:
        """The class: (N, T) -> (N)."""
        return self(x).argmax(1)
