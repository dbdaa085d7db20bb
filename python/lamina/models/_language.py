"""LanguageModel: what models that predict the next token share: windows, loss, perplexity, generation."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import lamina

from .. import nn
from .._C import Tensor
from .._C import functional as F
from ..metrics._denominator import classes_counted
from . import _checks
from ._model import Model

if TYPE_CHECKING:
    from ..training import History


class LanguageModel(Model):
    """Base class of models int64 ids (N, T) -> logits (N, T, vocab) of the token after each place.

    A subclass has `config.vocab` and `config.context` (the length of its training windows) and writes `_stepper`.
    """

    config: Any

    def training_loss(self, *batch: Any) -> Tensor:
        """The mean cross entropy in nats a token: x, y int64 (N, T) -> (); places where y is -100 do not count."""
        if len(batch) != 2:
            raise ValueError(
                f"{type(self).__name__}.training_loss: a batch should be (x, y) with y the token after each one of x, "
                f"got {len(batch)} fields; hint: lamina.text.TextWindows makes such pairs of a long sequence of ids"
            )
        logits = self(batch[0])
        return F.cross_entropy(logits.reshape(-1, logits.shape[-1]), batch[1].reshape(-1))

    def loss_denominator(self, *batch: Any) -> float | None:
        """The places that count in training_loss."""
        return classes_counted(batch[1])

    def metrics(self) -> dict[str, Any]:
        return {}

    def prediction(self, x: Tensor) -> Tensor:
        """The most likely next token: (N, T) -> (N)."""
        found: Tensor = self(x)[:, -1].argmax(-1)
        return found

    def fit(self, data: Any, *, validation: Any = None, **options: Any) -> History:
        """As Model.fit; a sequence of ids of one dim (also as `validation`) is cut into windows of `config.context`."""
        return super().fit(self._windows(data), validation=self._windows(validation), **options)

    def evaluate(self, data: Any, *, batch_size: int = 64, tokenizer: Any = None) -> dict[str, float]:
        """{"loss": nats a token, "perplexity": exp of it}, and with a tokenizer "bits_per_character" of the targets.

        `data` as in Model.evaluate, or a sequence of ids of one dim, cut into windows of `config.context`.
        """
        data = self._windows(data)
        found = super().evaluate(data, batch_size=batch_size)
        found["perplexity"] = math.exp(min(found["loss"], 700.0))
        if tokenizer is not None:
            tokens, characters = _targets(data, batch_size, tokenizer)
            found["bits_per_character"] = found["loss"] / math.log(2) * tokens / max(characters, 1)
        return found

    def _windows(self, data: Any) -> Any:
        from ..text import TextWindows

        flat = isinstance(data, list) and bool(data) and isinstance(data[0], int)
        if flat or len(getattr(data, "shape", ())) == 1:
            return TextWindows(data, self.config.context)
        return data

    def generate(
        self,
        prompt_ids: Any,
        max_new_tokens: int,
        temperature: float = 1.0,
        top_k: int | None = None,
        top_p: float | None = None,
        seed: int | None = None,
        stop: int | Sequence[int] | None = None,
        cache: bool = True,
    ) -> Tensor:
        """The prompt and up to max_new_tokens more, each drawn as in lamina.text.sample: (T) -> (T'), (N, T) -> (N, T').

        temperature 0 takes the most likely token. `seed`: the same numbers in each call; None draws from the default
        generator. A row ends with the first `stop` token (an id or several), which then fills it up to the longest row.
        cache=False computes everything anew for each token, with the same bits. Runs in eval mode and gives the mode back.
        """
        from ..text.sampling import check_sampling, sample

        owner = f"{type(self).__name__}.generate"
        _checks.whole(owner, 0, max_new_tokens=max_new_tokens)
        check_sampling(owner, temperature, top_k, top_p)
        ids, single = prompt(owner, prompt_ids, self.config.vocab, self)
        stops = [] if stop is None else [stop] if isinstance(stop, int) else list(stop)
        generator = None if seed is None else lamina.Generator().manual_seed(seed)
        ends = lamina.full((ids.shape[0],), -1, dtype=lamina.int64, device=ids.device)  # the stop token of ended rows
        with generating(self):
            step = self._stepper(ids.shape[0], ids.shape[1] + max_new_tokens, cache)
            for _ in range(max_new_tokens):
                chosen = sample(step(ids), temperature, top_k, top_p, generator)
                chosen = lamina.where(ends >= 0, ends, chosen)
                ids = lamina.cat([ids, chosen.unsqueeze(1)], 1)
                for token in stops:
                    ends = lamina.where(chosen == token, chosen, ends)
                if stops and bool((ends >= 0).all()):
                    break
        return ids[0] if single else ids

    def _stepper(self, rows: int, length: int, cache: bool) -> Callable[[Tensor], Tensor]:
        """A function from all ids so far (N, T), which grow call by call, to the logits of the next one (N, vocab)."""
        raise NotImplementedError(f"{type(self).__name__} must define _stepper")


@contextmanager
def generating(model: nn.Module) -> Iterator[None]:
    """Eval mode without gradients; each module's mode is given back."""
    modes = [(module, module.training) for module in model.modules()]
    model.eval()
    try:
        with lamina.no_grad():
            yield
    finally:
        for module, mode in modes:
            module.training = mode


def prompt(owner: str, given: Any, vocab: int, model: nn.Module) -> tuple[Tensor, bool]:
    """Ids int64 (N, T) on the model's device, T >= 1, and whether they came without a batch."""
    if isinstance(given, (str, bytes)):
        raise TypeError(f"{owner}: prompt_ids must be ids, got text; hint: tokenizer.encode(text)")
    ids = lamina.as_tensor(given)
    if ids.numel() == 0 or ids.dim() not in (1, 2):
        raise lamina.ShapeError(
            f"{owner}: prompt_ids must be (T) or (N, T) with at least one token, got shape {tuple(ids.shape)}; "
            "hint: begin with the id of a separator or of a new line"
        )
    single = ids.dim() == 1
    check_ids(owner, ids.unsqueeze(0) if single else ids)
    low, high = int(ids.min().item()), int(ids.max().item())
    if low < 0 or high >= vocab:
        raise IndexError(f"{owner}: ids must be in [0, {vocab}), found {low if low < 0 else high}")
    device = next(model.parameters()).device
    ids = ids.to(lamina.int64).to(device)
    return (ids.unsqueeze(0) if single else ids), single


def check_ids(owner: str, ids: Any) -> None:
    """Ids are integers (N, T), T >= 1; the embedding refuses those outside of its table."""
    if not isinstance(ids, Tensor):
        raise TypeError(f"{owner}: ids must be a Tensor, got {type(ids).__name__}")
    if ids.is_floating_point() or ids.dtype == lamina.bool:
        raise lamina.DtypeError(f"{owner}: ids must be integers, got {ids.dtype}")
    if ids.dim() != 2 or ids.shape[1] == 0:
        hint = "; ids.unsqueeze(0) makes a batch of one row" if ids.dim() == 1 else ""
        raise lamina.ShapeError(f"{owner}: ids must be (N, T) with T >= 1, got shape {tuple(ids.shape)}{hint}")


def check_context(owner: str, length: int, context: int) -> None:
    """A sequence fits into the model's positions."""
    if length > context:
        raise lamina.ShapeError(
            f"{owner}: {length} tokens are more than the context of {context}; hint: cut or window them"
        )


def _targets(data: Any, batch_size: int, tokenizer: Any) -> tuple[int, int]:
    """(tokens, characters) of the targets that count."""
    from ..training._data import as_loader

    tokens = characters = 0
    for _, y in as_loader(data, batch_size):
        ids = [i for i in lamina.as_tensor(y).reshape(-1).tolist() if i != -100]
        tokens += len(ids)
        characters += tokenizer.characters(ids)
    return tokens, characters
