"""lstm and transformer: language models of characters."""

from __future__ import annotations

import math
import sys
from argparse import Namespace
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import lamina

from .. import models, plot, text
from ..models._language import generating
from ..text.sampling import check_sampling, sample
from ..training import Callback
from . import show
from .files import Recipe, recipe_of
from .run import finish
from .run import train as run

if TYPE_CHECKING:
    from .._C import Tensor
    from ..training import Trainer

HELD_OUT, LOOKED_AT = 50_000, 10_000  # characters: the most that are held out, and those of them looked at in the run
RECORDS = 10  # lines that tell the course of a run


class Perplexity(Callback):
    """Adds exp(loss) to what a validation measures."""

    def on_validation_end(self, trainer: Trainer, values: dict[str, float]) -> None:
        values["perplexity"] = math.exp(min(values["loss"], 700.0))


def train(arguments: Namespace) -> None:
    """`lamina train lstm` and `lamina train transformer`."""
    written = "\n".join(text.corpus(path) for path in arguments.data) if arguments.data else text.corpus()
    context = arguments.context or 64
    held = min(HELD_OUT, len(written) // 10)
    if held <= context:
        raise ValueError(
            f"--data: {len(written):,} characters are too few: a tenth is held out, which must be more than the "
            f"context of {context}; give more text or a smaller --context"
        )
    tokenizer = text.CharTokenizer.train(written)
    ids = lamina.tensor(tokenizer.encode(written), dtype=lamina.int64)
    kept, held_out = ids[:-held], ids[-held:]
    lamina.manual_seed(arguments.seed)
    model = _build(arguments, len(tokenizer), context)
    recipe = recipe_of(arguments, model, [context], tokenizer=tokenizer._to_json())
    windows = text.TextWindows(kept, context)
    show.say(
        arguments,
        f"{recipe.model} with {sum(p.numel() for p in model.parameters()):,} parameters; {len(kept):,} characters to "
        f"train on, the last {held:,} held out; {len(tokenizer)} different ones",
    )
    total = recipe.steps or sys.maxsize
    if recipe.epochs is not None:
        total = min(total, recipe.epochs * -(-len(windows) // arguments.batch))
    history = run(
        arguments,
        model,
        recipe,
        windows,
        text.TextWindows(held_out[: max(LOOKED_AT, context + 1)], context),
        callbacks=[Perplexity()],
        scheduler="warmup_cosine",
        clip_norm=1.0,
        record_every=max(1, total // RECORDS),
    )
    prompt = arguments.prompt or ("def " if not arguments.data else written[-held:][:20])
    if not arguments.quiet:
        print(f"\na sample, after {prompt!r} (temperature 0.8):")
        _write(model, tokenizer, prompt, 400, 0.8, None, None, arguments.seed)
    title = f"{recipe.model} on {' '.join(recipe.data) or 'the standard library'}"
    finish(arguments, model, recipe, {"curves.png": lambda path: plot.curves(history, path=path, title=title)})
    found = model.evaluate(held_out, tokenizer=tokenizer)
    print(
        f"held-out perplexity {found['perplexity']:.3f} a character, "
        f"{found['bits_per_character']:.3f} bits per character ({held:,} characters)"
    )


def _build(arguments: Namespace, vocab: int, context: int) -> Any:
    width, dropout = arguments.width, arguments.dropout or 0.0
    if arguments.model == "lstm":
        return models.RecurrentLM(
            vocab=vocab,
            width=64,
            hidden=width or 256,
            layers=arguments.layers or 1,
            kind=arguments.cell,
            dropout=dropout,
            context=context,
        )
    return models.GPT(
        vocab=vocab,
        context=context,
        width=width or 128,
        layers=arguments.layers or 2,
        heads=arguments.heads or 4,
        dropout=dropout,
        positions="rotary",
    )


def _write(
    model: Any,
    tokenizer: text.CharTokenizer,
    prompt: str,
    length: int,
    temperature: float,
    top_k: int | None,
    top_p: float | None,
    seed: int,
) -> None:
    """Prints the prompt and what the model writes after it, character by character."""
    try:
        ids = tokenizer.encode(prompt)
    except ValueError as error:
        character = str(error).split(" was not", 1)[0].split(": ", 1)[1]
        raise ValueError(f"--prompt: {character} was not in the text that the model was trained on") from None
    print(prompt, end="", flush=True)
    for i in stream(model, ids, length, temperature, top_k, top_p, seed):
        print(tokenizer.decode([i]), end="", flush=True)
    print("\n", flush=True)


def stream(
    model: Any, ids: list[int], length: int, temperature: float, top_k: int | None, top_p: float | None, seed: int
) -> Iterator[int]:
    """The tokens of `model.generate`, each as soon as it is drawn."""
    check_sampling("generate", temperature, top_k, top_p)
    generator = lamina.Generator().manual_seed(seed)
    row = lamina.tensor([ids], dtype=lamina.int64)
    with generating(model):
        step = model._stepper(1, len(ids) + length, True)
        for _ in range(length):
            chosen = sample(step(row), temperature, top_k, top_p, generator)
            row = lamina.cat([row, chosen.unsqueeze(1)], 1)
            yield int(chosen.item())


def restore(recipe: Recipe, tensors: dict[str, Tensor]) -> Any:
    """The model of a file, before its weights are loaded."""
    return recipe.build()


def generate(arguments: Namespace, model: Any, recipe: Recipe) -> None:
    """`lamina generate` of a language model."""
    assert recipe.tokenizer is not None
    tokenizer = text.CharTokenizer._from_json(recipe.tokenizer)
    prompt = arguments.prompt or ("\n" if "\n" in tokenizer.symbols else tokenizer.symbols[0])
    _write(
        model,
        tokenizer,
        prompt,
        arguments.length,
        arguments.temperature,
        arguments.top_k,
        arguments.top_p,
        arguments.seed,
    )
