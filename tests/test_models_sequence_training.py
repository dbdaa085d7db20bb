"""Models of sequences in use: training, evaluation, equal bits, classifiers and forecasters, hostile input."""

from __future__ import annotations

import math

import lamina
import pytest
from lamina import models, optim, text
from processes import dumped

TINY = {"layers": 1, "width": 16, "heads": 2}


# -- equal bits -------------------------------------------------------------------------------------------------------
def dump(isa: str, *threads: int) -> dict[str, str]:
    return dumped("sequence_dump.py", isa, *threads)


@pytest.fixture(scope="module")
def at_best_level():
    return dump("", 1, 2, 4)


def test_training_has_the_same_bits_on_any_number_of_threads(at_best_level):
    for key, value in at_best_level.items():
        assert value == at_best_level["1/" + key.split("/")[1]], key


@pytest.mark.parametrize("isa", ["avx2", "avx512"])
def test_training_has_the_same_bits_at_any_simd_level(at_best_level, isa):
    for key, value in dump(isa, 1).items():
        assert value == at_best_level[key], f"{key} at {isa}"


# -- training ---------------------------------------------------------------------------------------------------------
def train(model, batch, steps=40, lr=5e-3):
    """(first, last) loss over a hand-written loop."""
    optimizer = optim.AdamW(model.parameters(), lr)
    losses = []
    for _ in range(steps):
        optimizer.zero_grad()
        loss = model.training_loss(*batch)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses[0], losses[-1]


def copies(count=16, length=6):
    """Rows of ids and the same rows behind a separator: what a model must learn to copy."""
    ids = lamina.randint(4, 20, (count, length))
    return ids, lamina.cat([ids, lamina.full((count, 1), 1)], 1)


CASES = {
    "gpt": lambda: (models.GPT(vocab=20, context=16, **TINY), (copies()[0], copies()[0])),
    "gpt-rotary": lambda: (models.GPT(vocab=20, positions="rotary", **TINY), (copies()[0], copies()[0])),
    "gpt-alibi": lambda: (models.GPT(vocab=20, positions="alibi", **TINY), (copies()[0], copies()[0])),
    "bert": lambda: (
        models.BERTForMaskedLM(vocab=20, mask=3, special=(0, 1, 2, 3), masked=0.4, **TINY),
        (copies(length=1)[0].repeat(1, 6),),
    ),
    "bert-classes": lambda: (
        models.BERTForSequenceClassification(vocab=20, mask=3, **TINY), (copies()[0], copies()[0][:, 0] % 2)
    ),
    "t5": lambda: (models.T5(vocab=20, head_width=8, hidden=32, **TINY), copies()),
    "lm": lambda: (models.RecurrentLM(vocab=20, width=16, hidden=32), (copies()[0], copies()[0])),
    "classifier": lambda: (models.RecurrentClassifier(vocab=20, inputs=8), (copies()[0], copies()[0][:, 0] % 2)),
    "forecaster": lambda: (models.Forecaster(features=2, horizon=3), (lamina.randn(8, 9, 2), lamina.randn(8, 3, 2))),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_training_lowers_the_loss(name):
    model, batch = CASES[name]()
    first, last = train(model, batch)
    assert last < 0.8 * first, (first, last)


def test_t5_learns_to_reverse():
    lamina.manual_seed(2)
    model = models.T5(vocab=8, width=32, layers=1, heads=2, head_width=16, hidden=64, dropout=0.0)
    ids = lamina.randint(2, 8, (64, 3))
    labels = lamina.cat([ids.flip(1), lamina.full((64, 1), 1)], 1)
    train(model, (ids, labels), 400, 3e-3)
    for beams in (1, 3):
        out = model.generate(ids, max_length=4, beams=beams)
        assert (out == labels).all(1).float().mean().item() > 0.9


def test_language_models_fit_and_evaluate():
    source = "abcabcabd" * 60
    tokens = text.CharTokenizer.train(source)
    train_ids, valid_ids = text.split(lamina.tensor(tokens.encode(source)), 0.2)
    for model in (models.GPT(vocab=4, context=12, **TINY), models.RecurrentLM(vocab=4, width=8, hidden=32, context=12)):
        before = model.evaluate(valid_ids, tokenizer=tokens)
        options = {"epochs": 15, "batch_size": 8, "lr": 1e-2, "progress": False}
        history = model.fit(train_ids, validation=valid_ids, **options)
        after = model.evaluate(valid_ids, tokenizer=tokens)
        assert len(history) == 15 and after["loss"] < 0.5 * before["loss"]
        assert after["perplexity"] == math.exp(after["loss"])
        assert math.isclose(after["bits_per_character"], after["loss"] / math.log(2))
        windows = text.TextWindows(valid_ids, 12)
        assert model.evaluate(windows, tokenizer=tokens) == after
        assert tokens.decode(model.generate(tokens.encode("abcab"), 4, temperature=0))[5] in "cd"


def test_bits_per_character_of_larger_tokens():
    source = "the cat sat on the mat. " * 40
    tokens = text.BPETokenizer.train(source, 270)
    ids = tokens.encode(source)
    model = models.GPT(vocab=270, context=8, **TINY)
    found = model.evaluate(ids, tokenizer=tokens)
    windows = text.TextWindows(ids, 8)
    targets = [i for _, y in (windows[k] for k in range(len(windows))) for i in y.tolist()]
    expected = found["loss"] / math.log(2) * len(targets) / len(tokens.decode(targets))
    assert math.isclose(found["bits_per_character"], expected) and len(targets) < len(tokens.decode(targets))


def test_other_models_evaluate_and_predict():
    ids = lamina.randint(4, 20, (10, 6))
    masked = models.BERTForMaskedLM(vocab=20, mask=3, **TINY)
    assert set(masked.evaluate(ids)) == {"loss", "perplexity"} and masked.evaluate(ids) == masked.evaluate(ids)
    classes = models.BERTForSequenceClassification(vocab=20, mask=3, **TINY)
    assert set(classes.evaluate((ids, ids[:, 0] % 2))) == {"loss", "accuracy"}
    assert classes.predict(ids).shape == (10,)
    t5 = models.T5(vocab=20, head_width=8, hidden=32, **TINY)
    assert set(t5.evaluate((ids, ids))) == {"loss", "perplexity"}
    series = models.Forecaster(features=2, targets=1, horizon=3)
    assert set(series.evaluate((lamina.randn(5, 9, 2), lamina.randn(5, 3, 1)))) == {"loss"}
    assert series.predict(lamina.randn(5, 9, 2)).shape == (5, 3, 1)
    history = classes.fit((ids, ids[:, 0] % 2), epochs=2, progress=False)
    assert len(history) == 2


# -- classifier and forecaster ----------------------------------------------------------------------------------------
@pytest.mark.parametrize("pool", ["last", "mean", "max"])
@pytest.mark.parametrize("kind", ["lstm", "gru", "rnn"])
def test_what_follows_the_end_has_no_influence(kind, pool):
    model = models.RecurrentClassifier(inputs=3, hidden=5, kind=kind, pool=pool, layers=2).eval()
    x, lengths = lamina.randn(4, 7, 3), lamina.tensor([7, 2, 5, 1])
    out = model(x, lengths)
    for i, n in enumerate(lengths.tolist()):
        alone = model(x[i : i + 1, :n], lamina.tensor([n]))
        assert (alone == out[i : i + 1]).all()
        assert (model(x[i : i + 1, :n]) - alone).abs().max().item() < 1e-6
    words = models.RecurrentClassifier(vocab=9, inputs=4, hidden=5, kind=kind, pool=pool).eval()
    ids = lamina.tensor([[3, 0, 4, 0, 0], [1, 0, 0, 0, 0], [0, 0, 0, 0, 0]])
    assert (words(ids) == words(ids, lamina.tensor([3, 1, 1]))).all()
    assert (words(ids[:, :3]) == words(ids)).all()
    assert (model(x, [7, 2, 5, 1]) == out).all()
    y = lamina.tensor([0, 1, 1, 0])
    assert model.training_loss(x, lengths, y).item() == lamina.nn.functional.cross_entropy(out, y).item()
    assert set(model.evaluate((x, lengths, y))) == {"loss", "accuracy"}


def test_forecasts_begin_at_the_last_value():
    lamina.manual_seed(4)
    for kind in ("lstm", "gru", "rnn"):
        model = models.Forecaster(horizon=2, hidden=8, kind=kind)
        x = lamina.randn(3, 10, 1)
        plain = models.Forecaster(horizon=2, hidden=8, kind=kind, residual=False)
        plain.load_state_dict(model.state_dict())
        assert ((model(x) - plain(x)) - x[:, -1:]).abs().max().item() < 1e-6
        long = model.generate(x, 5)
        assert long.shape == (3, 5, 1) and (long[:, :2] == model(x)).all()
        moved = lamina.cat([x, long[:, :2]], 1)[:, 2:]
        assert (long[:, 2:4] == model(moved)).all()


@pytest.mark.slow
def test_a_forecaster_learns_a_wave():
    t = lamina.arange(300, dtype=lamina.float32)
    wave = (t * 0.3).sin()
    x = lamina.stack([wave[i : i + 20] for i in range(260)]).unsqueeze(2)
    y = lamina.stack([wave[i + 20 : i + 25] for i in range(260)]).unsqueeze(2)
    model = models.Forecaster(horizon=5, hidden=24, kind="gru")
    train(model, (x[:200], y[:200]), 120, 1e-2)
    loss = model.evaluate((x[200:], y[200:]))["loss"]
    assert loss < 0.1 * ((y[200:] - x[200:, -1:]) ** 2).mean().item()  # far better than the last value


def test_names_of_the_family():
    assert models.LSTMLM is models.RecurrentLM and models.LSTMForecaster is models.Forecaster
    assert models.LSTMClassifier().config.kind == "lstm"


# -- hostile input ----------------------------------------------------------------------------------------------------
CONFIGS = [
    (models.GPT, {"width": 10, "heads": 4}), (models.GPT, {"layers": 0}), (models.GPT, {"vocab": -1}),
    (models.GPT, {"dropout": 1.0}), (models.GPT, {"dropout": math.nan}), (models.GPT, {"positions": "x"}),
    (models.GPT, {"positions": "rotary", "width": 12, "heads": 4}), (models.GPT, {"hidden": 0}),
    (models.BERT, {"width": 10, "heads": 4}), (models.BERT, {"mask": 1000}), (models.BERT, {"masked": 0}),
    (models.T5, {"pad": 1}), (models.T5, {"end": 300}), (models.T5, {"head_width": 0}),
    (models.RecurrentLM, {"tie": True}), (models.RecurrentLM, {"kind": "x"}), (models.RecurrentLM, {"hidden": 0}),
    (models.RecurrentClassifier, {"pool": "x"}), (models.RecurrentClassifier, {"vocab": 4, "pad": 4}),
    (models.Forecaster, {"targets": 2}), (models.Forecaster, {"horizon": 0}), (models.Forecaster, {"layers": 1.5}),
]  # fmt: skip


@pytest.mark.parametrize(("cls", "fields"), CONFIGS)
def test_configs_that_mean_nothing(cls, fields):
    with pytest.raises(ValueError, match="Config"):
        cls(**fields)


def test_unknown_fields_name_the_nearest():
    with pytest.raises(TypeError, match="layers"):
        models.GPT(layer=2)
    with pytest.raises(ValueError, match="size"):
        models.GPTConfig.gpt2("huge")


EXPECTED = (lamina.Error, TypeError, ValueError, IndexError)
WRONG_IDS = [
    None, "abc", 3, [[1, 2]], lamina.zeros(2, 3), lamina.zeros(3, dtype=lamina.int64), lamina.zeros(2, 0, dtype=lamina.int64),
    lamina.full((2, 3), -1), lamina.full((2, 3), 999_999), lamina.zeros(1, 2, 3, dtype=lamina.int64), lamina.ones(2, 3, dtype=lamina.bool),
    lamina.ones(1, 400, dtype=lamina.int64),
]  # fmt: skip


@pytest.mark.parametrize("ids", WRONG_IDS, ids=lambda v: str(getattr(v, "shape", v)))
def test_wrong_ids(ids):
    many = [
        models.GPT(vocab=20, context=32, **TINY),
        models.BERT(vocab=110, **TINY),
        models.BERTForMaskedLM(vocab=110, **TINY),
        models.BERTForSequenceClassification(vocab=110, **TINY),
    ]
    for model in many:
        with pytest.raises(EXPECTED):
            model(ids)
    if getattr(ids, "shape", None) != (1, 400):  # these have no longest sequence
        with pytest.raises(EXPECTED):
            models.RecurrentLM(vocab=20, width=8, hidden=8)(ids)
        with pytest.raises(EXPECTED):
            models.RecurrentClassifier(vocab=20)(ids)
        with pytest.raises(EXPECTED):
            models.T5(vocab=20, head_width=8, **TINY)(ids, ids)


def test_errors_say_what_was_expected():
    model = models.GPT(vocab=20, context=8, **TINY)
    with pytest.raises(lamina.ShapeError, match="9 tokens are more than the context of 8"):
        model(lamina.zeros(1, 9, dtype=lamina.int64))
    with pytest.raises(lamina.ShapeError, match=r"unsqueeze\(0\)"):
        model(lamina.zeros(3, dtype=lamina.int64))
    with pytest.raises(ValueError, match="TextWindows"):
        model.training_loss(lamina.zeros(1, 3, dtype=lamina.int64))
    with pytest.raises(TypeError, match=r"tokenizer\.encode"):
        model.generate("abc", 3)
    for wrong, match in (
        ({"max_new_tokens": -1}, "max_new_tokens"),
        ({"temperature": -1.0}, "temperature"),
        ({"top_k": 0}, "top_k"),
        ({"top_p": 2.0}, "top_p"),
    ):
        with pytest.raises(ValueError, match=match):
            model.generate([1], **{"max_new_tokens": 3, **wrong})
    with pytest.raises(IndexError, match=r"\[0, 20\)"):
        model.generate([20], 3)
    with pytest.raises(lamina.ShapeError, match="at least one"):
        model.generate([], 3)
    with lamina.no_grad():
        model.lm_head.weight.fill_(math.nan)
    with pytest.raises(ValueError, match="NaN"):
        model.generate([1], 3)
    assert model.training
    t5 = models.T5(vocab=20, head_width=8, **TINY)
    for wrong, match in (({"beams": 0}, "beams"), ({"max_length": 0}, "max_length"), ({"length_penalty": math.inf}, "length_penalty")):  # fmt: skip
        with pytest.raises(ValueError, match=match):
            t5.generate([[3, 1]], **wrong)
    with pytest.raises(lamina.ShapeError, match="rows"):
        t5(lamina.ones(2, 3, dtype=lamina.int64), lamina.ones(1, 3, dtype=lamina.int64))
    with pytest.raises(lamina.ShapeError, match="attention_mask"):
        t5(lamina.ones(2, 3, dtype=lamina.int64), lamina.ones(2, 3, dtype=lamina.int64), lamina.ones(2, 4))
    with pytest.raises(lamina.ShapeError, match="token_type_ids"):
        models.BERT(**TINY)(lamina.ones(2, 3, dtype=lamina.int64), token_type_ids=lamina.ones(3, dtype=lamina.int64))
    with pytest.raises(TypeError, match="BERTForMaskedLM"):
        models.BERT(**TINY).training_loss(lamina.ones(2, 3, dtype=lamina.int64))
    series = models.Forecaster(features=2)
    with pytest.raises(lamina.ShapeError, match="horizon"):
        series.training_loss(lamina.zeros(3, 4, 2), lamina.zeros(3, 2))
    with pytest.raises(lamina.ShapeError, match=r"unsqueeze\(2\)"):
        models.Forecaster()(lamina.zeros(3, 4))
    with pytest.raises(ValueError, match="targets=None"):
        models.Forecaster(features=2, targets=1).generate(lamina.zeros(1, 3, 2), 3)
    with pytest.raises(lamina.DtypeError):
        series(lamina.zeros(3, 4, 2, dtype=lamina.int64))
