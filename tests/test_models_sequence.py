"""Models of sequences: equal to PyTorch twins, published names and sizes, generation, training, hostile input."""

from __future__ import annotations

import itertools
import json
import math

import lamina
import numpy as np
import pytest
from conftest import needs_torch, torch
from harness import to_numpy
from lamina import models
from lamina.models._beam import beam_search

if torch is not None:
    import sequence_twins as twins

SMALL = {"layers": 2, "width": 16, "heads": 4, "dropout": 0.0}
IDS = lamina.tensor([[3, 1, 4, 1, 5, 9, 2], [6, 5, 3, 5, 8, 9, 7]])
NEXT = lamina.tensor([[1, 4, 1, 5, 9, 2, 6], [5, 3, 5, 8, 9, 7, -100]])
PADDED = lamina.tensor([[3, 1, 4, 1, 5, 9, 2], [6, 5, 3, 5, 0, 0, 0]])


def shaken(model, seed=5):
    """Values at which no part of the model is idle: also biases and norms."""
    lamina.manual_seed(seed)
    with lamina.no_grad():
        for p in model.parameters():
            p.add_(lamina.randn(p.shape) * 0.2)
    return model


# -- equal to PyTorch -------------------------------------------------------------------------------------------------
def bert_labels():
    return lamina.tensor([[-100, 7, -100, 2, -100, -100, 3], [9, -100, -100, 4, -100, -100, -100]])


TWINS = {
    **{f"gpt-{pos}": ("gpt", lambda pos=pos: models.GPT(vocab=11, context=8, positions=pos, **SMALL), (IDS, NEXT)) for pos in ("learned", "rotary", "alibi")},
    "gpt-plain": ("gpt", lambda: models.GPT(vocab=11, context=8, bias=False, tie=False, **SMALL), (IDS, NEXT)),
    "bert-masked": ("bert_masked", lambda: models.BERTForMaskedLM(vocab=110, context=8, **SMALL), (PADDED, bert_labels())),
    "bert-classes": ("bert_classes", lambda: models.BERTForSequenceClassification(vocab=110, context=8, classes=3, **SMALL), (PADDED, lamina.tensor([2, 0]))),
    "t5": ("t5", lambda: models.T5(vocab=11, head_width=6, hidden=20, buckets=6, max_distance=7, **SMALL), (PADDED, lamina.tensor([[5, 4, 1], [3, 1, 0]]))),
    "t5-gated": ("t5", lambda: models.T5(vocab=11, head_width=4, hidden=20, gated=True, tie=False, **SMALL), (PADDED, lamina.tensor([[5, 4, 1], [3, 1, 0]]))),
    **{f"lm-{kind}": ("recurrent_lm", lambda kind=kind: models.RecurrentLM(vocab=11, width=8, hidden=12, layers=2, kind=kind, dropout=0.0), (IDS, NEXT)) for kind in ("lstm", "gru", "rnn")},
    "lm-tied": ("recurrent_lm", lambda: models.RecurrentLM(vocab=11, width=8, hidden=8, tie=True, dropout=0.0), (IDS, NEXT)),
}  # fmt: skip


@needs_torch
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", TWINS)
def test_forward_and_gradients_are_pytorchs(name, dtype):
    function, make, batch = TWINS[name]
    model = shaken(make()).to(getattr(lamina, dtype))
    params = {n: torch.tensor(to_numpy(p), requires_grad=True) for n, p in model.named_parameters()}
    x, y = (torch.tensor(t.numpy()) for t in batch)
    twin, config = getattr(twins, function), model.config
    if function == "t5":
        shifted = model.shift(batch[1])
        ours = model(batch[0], shifted)
        theirs = twin(params, config, x, torch.tensor(shifted.numpy()))
        y = y.masked_fill(y == 0, -100)
    else:
        ours = model(batch[0])
        theirs = twin(params, config, x, torch.zeros_like(x)) if "bert" in function else twin(params, config, x)
    tolerance = 1e-5 if dtype == "float32" else 1e-10
    np.testing.assert_allclose(to_numpy(ours), theirs.detach().numpy(), rtol=tolerance, atol=tolerance)
    loss = model.training_loss(*batch)
    expected = torch.nn.functional.cross_entropy(theirs.reshape(-1, theirs.shape[-1]), y.reshape(-1))
    assert abs(loss.item() - expected.item()) < tolerance
    loss.backward()
    expected.backward()
    for n, p in model.named_parameters():
        np.testing.assert_allclose(
            to_numpy(p.grad), params[n].grad.numpy(), rtol=tolerance, atol=tolerance, err_msg=f"gradient of {n}"
        )


@needs_torch
def test_bert_encoder_with_segments_is_pytorchs():
    model = shaken(models.BERT(vocab=110, context=8, **SMALL))
    params = {n: torch.tensor(to_numpy(p)) for n, p in model.named_parameters()}
    types = (PADDED > 4).to(lamina.int64)
    hidden, pooled = model(PADDED, token_type_ids=types)
    expected = twins.bert(params, model.config, torch.tensor(PADDED.numpy()), torch.tensor(types.numpy()))
    for got, want in zip((hidden, pooled), expected, strict=True):
        np.testing.assert_allclose(to_numpy(got), want.numpy(), rtol=1e-5, atol=1e-5)
    assert (model.predict(PADDED) == model.eval()(PADDED)[1]).all()
    given = model(PADDED, attention_mask=(PADDED != 0).to(lamina.int64), token_type_ids=types)[0]
    assert (given == hidden).all()


def test_padding_has_no_influence():
    for model in (
        models.BERTForSequenceClassification(vocab=110, **SMALL),
        models.T5(vocab=110, head_width=4, **SMALL),
    ):
        shaken(model).eval()
        more = lamina.cat([PADDED, lamina.zeros(2, 3, dtype=lamina.int64)], 1)
        rest = (lamina.tensor([[0, 4]] * 2),) if isinstance(model, models.T5) else ()
        assert (model(more, *rest) - model(PADDED, *rest)).abs().max().item() < 1e-5
        alone = tuple(t[1:] for t in rest)
        assert (model(PADDED[1:], *alone) == model(PADDED, *rest)[1:]).all()  # rows, bit for bit


# -- sizes and names --------------------------------------------------------------------------------------------------
def test_sizes_of_the_published_models():
    assert models.GPTConfig.gpt2().parameters() == 124_439_808
    assert models.GPTConfig.gpt2("medium").parameters() == 354_823_168
    assert models.GPTConfig.gpt2("large").parameters() == 774_030_080
    assert models.GPTConfig.gpt2("xl").parameters() == 1_557_611_200
    assert models.BERTConfig.base().parameters() == 109_482_240
    assert models.T5Config.small().parameters() == 60_506_624
    assert models.T5Config.small(vocab=32128, width=768, layers=12, heads=12, hidden=3072).parameters() == 222_903_552


def test_sizes_are_what_is_built():
    gpts = itertools.product(("learned", "rotary", "alibi"), (True, False), (True, False), (None, 24))
    for positions, bias, tie, hidden in gpts:
        model = models.GPT(vocab=11, positions=positions, bias=bias, tie=tie, hidden=hidden, **SMALL)
        assert sum(p.numel() for p in model.parameters()) == model.config.parameters()
    bert = models.BERT(vocab=110, hidden=24, **SMALL)
    assert sum(p.numel() for p in bert.parameters()) == bert.config.parameters()
    for tie, gated in itertools.product((True, False), (True, False)):
        t5 = models.T5(vocab=11, head_width=6, hidden=20, tie=tie, gated=gated, **SMALL)
        assert sum(p.numel() for p in t5.parameters()) == t5.config.parameters()


def test_names_are_the_published_ones():
    gpt = models.GPT(vocab=11, layers=1, width=8, heads=2).state_dict()
    block = [f"{n}.{w}" for n in ("ln_1", "attn.c_attn", "attn.c_proj", "ln_2", "mlp.c_fc", "mlp.c_proj") for w in ("weight", "bias")]  # fmt: skip
    ends = ["transformer.ln_f.weight", "transformer.ln_f.bias", "lm_head.weight"]
    assert list(gpt) == ["transformer.wte.weight", "transformer.wpe.weight", *(f"transformer.h.0.{n}" for n in block), *ends]  # fmt: skip
    assert gpt["transformer.h.0.attn.c_attn.weight"].shape == (8, 24)
    bert = models.BERTForMaskedLM(layers=1, width=8, heads=2).state_dict()
    for name in (
        "bert.embeddings.word_embeddings.weight", "bert.embeddings.position_embeddings.weight",
        "bert.embeddings.token_type_embeddings.weight", "bert.embeddings.LayerNorm.bias",
        "bert.encoder.layer.0.attention.self.query.weight", "bert.encoder.layer.0.attention.output.dense.bias",
        "bert.encoder.layer.0.attention.output.LayerNorm.weight", "bert.encoder.layer.0.intermediate.dense.weight",
        "bert.encoder.layer.0.output.dense.weight", "bert.encoder.layer.0.output.LayerNorm.bias",
        "cls.predictions.bias", "cls.predictions.transform.dense.weight", "cls.predictions.transform.LayerNorm.bias",
        "cls.predictions.decoder.weight", "cls.predictions.decoder.bias",
    ):  # fmt: skip
        assert name in bert
    assert len(bert) == 5 + 16 + 7
    classes = models.BERTForSequenceClassification(layers=1, width=8, heads=2).state_dict()
    assert {"classifier.weight", "classifier.bias", "bert.pooler.dense.weight", "bert.pooler.dense.bias"} < set(classes)
    t5 = models.T5(vocab=11, layers=2, width=8, heads=2, head_width=4).state_dict()
    for name in (
        "shared.weight", "encoder.embed_tokens.weight", "decoder.embed_tokens.weight", "lm_head.weight",
        "encoder.block.0.layer.0.SelfAttention.q.weight", "encoder.block.0.layer.0.SelfAttention.relative_attention_bias.weight",
        "encoder.block.1.layer.0.layer_norm.weight", "encoder.block.0.layer.1.DenseReluDense.wi.weight",
        "encoder.final_layer_norm.weight", "decoder.block.1.layer.1.EncDecAttention.o.weight",
        "decoder.block.0.layer.2.DenseReluDense.wo.weight", "decoder.final_layer_norm.weight",
        "decoder.block.0.layer.0.SelfAttention.relative_attention_bias.weight",
    ):  # fmt: skip
        assert name in t5
    assert len(t5) == 4 + 2 * (8 + 13) + 2 + 2 and sum("relative" in n for n in t5) == 2


def same(a, b):
    return all((v == b.state_dict()[n]).all() for n, v in a.state_dict().items())


def test_gpt_loads_published_files(tmp_path):
    model = shaken(models.GPT(vocab=11, context=8, **SMALL))
    state = model.state_dict()
    short = {n.removeprefix("transformer."): v for n, v in state.items() if n != "lm_head.weight"}
    short["h.0.attn.bias"] = lamina.ones(1, 1, 8, 8).tril()
    short["h.0.attn.masked_bias"] = lamina.tensor(-1e4)
    (tmp_path / "config.json").write_text(json.dumps({"n_head": 4, "layer_norm_epsilon": 1e-5}))
    lamina.save(short, tmp_path / "model.safetensors")
    for source, options in ((state, {"heads": 4}), (tmp_path, {}), (tmp_path / "model.safetensors", {"heads": 4})):
        back = models.GPT.load_pretrained(source, **options)
        assert same(model, back) and back.config.tie and back.config.heads == 4 and back.config.context == 8
        assert (back.eval()(IDS) == model.eval()(IDS)).all()
    kinds = ("c_attn.weight", "c_proj.weight", "c_fc.weight")
    other = {"_orig_mod." + n: v.t() if n.endswith(kinds) else v for n, v in state.items()}
    nano = {"model": other, "model_args": {"n_head": 4, "n_layer": 2}, "iter_num": 3}
    assert same(model, models.GPT.load_pretrained(nano))
    lamina.save({"model": other, "model_args": {"n_head": 4}}, tmp_path / "ckpt.safetensors")
    assert same(model, models.GPT.load_pretrained(tmp_path / "ckpt.safetensors"))
    model.load_state_dict(state)  # no renaming
    untied = shaken(models.GPT(vocab=11, context=8, tie=False, bias=False, **SMALL))
    back = models.GPT.load_pretrained(untied.state_dict(), heads=4, dropout=0.5)
    assert same(untied, back) and not back.config.tie and not back.config.bias and back.config.dropout == 0.5


def test_bert_and_t5_load_published_files(tmp_path):
    model = shaken(models.BERTForMaskedLM(vocab=110, context=8, hidden=24, **SMALL))
    state = model.state_dict()
    old = {n.replace("LayerNorm.weight", "LayerNorm.gamma").replace("LayerNorm.bias", "LayerNorm.beta"): v for n, v in state.items() if "decoder" not in n}  # fmt: skip
    old["cls.seq_relationship.weight"] = lamina.zeros(2, 16)
    old["bert.pooler.dense.weight"] = lamina.zeros(16, 16)
    old["bert.embeddings.position_ids"] = lamina.arange(8).unsqueeze(0)
    back = models.BERTForMaskedLM.load_pretrained(old, heads=4)
    assert same(model, back) and back.config.hidden == 24
    encoder = models.BERT(vocab=110, context=8, **SMALL)
    bare = {n.removeprefix("bert."): v for n, v in encoder.state_dict().items()}
    assert same(encoder, models.BERT.load_pretrained(bare, heads=4))
    with pytest.raises(RuntimeError, match="classifier"):
        models.BERTForSequenceClassification.load_pretrained(bare, heads=4)
    t5 = shaken(models.T5(vocab=11, head_width=6, hidden=20, buckets=6, **SMALL))
    once = {n: v for n, v in t5.state_dict().items() if "embed_tokens" not in n and n != "lm_head.weight"}
    (tmp_path / "config.json").write_text(json.dumps({"relative_attention_max_distance": 64}))
    lamina.save(once, tmp_path / "model.safetensors")
    back = models.T5.load_pretrained(tmp_path)
    assert same(t5, back) and back.config.max_distance == 64 and back.config.head_width == 6 and back.config.tie
    (tmp_path / "config.json").write_text(
        json.dumps({"tie_word_embeddings": False, "relative_attention_max_distance": 64})
    )
    plain = models.T5.load_pretrained(tmp_path)
    ids = PADDED.clamp(max=10)
    assert (back.eval()(ids, ids) == plain.eval()(ids, ids) * 0.25).all() and plain.config.tie  # 1 / sqrt(16)
    gated = models.T5(vocab=11, head_width=6, hidden=20, gated=True, tie=False, **SMALL)
    back = models.T5.load_pretrained(gated.state_dict())
    assert same(gated, back) and back.config.gated and not back.config.tie


def test_what_loading_refuses(tmp_path):
    state = models.GPT(vocab=11, **SMALL).state_dict()
    with pytest.raises(ValueError, match="heads"):
        models.GPT.load_pretrained(state)
    with pytest.raises(ValueError, match="another kind of model"):
        models.BERT.load_pretrained(state, heads=4)
    with pytest.raises(ValueError, match="another kind of model"):
        models.T5.load_pretrained(state)
    with pytest.raises(ValueError, match="no weights"):
        models.GPT.load_pretrained({})
    with pytest.raises(TypeError, match="found a str"):
        models.GPT.load_pretrained({"wte.weight": "x"})
    with pytest.raises(lamina.FileError):
        models.GPT.load_pretrained(tmp_path)
    (tmp_path / "config.json").write_text("[1")
    with pytest.raises(lamina.FileError, match=r"config\.json"):
        models.GPT.load_pretrained(tmp_path)
    with pytest.raises(lamina.ShapeError, match="matrix"):
        models.GPT.load_pretrained({**state, "transformer.wte.weight": lamina.zeros(3)}, heads=4)
    with pytest.raises(ValueError, match=r"no transformer\.h\.2"):
        models.GPT.load_pretrained({**state, "transformer.h.999999999.ln_1.weight": lamina.zeros(16)}, heads=4)
    lamina.save([1, 2], tmp_path / "list.safetensors")
    with pytest.raises(TypeError, match="holds a list"):
        models.GPT.load_pretrained(tmp_path / "list.safetensors")
    del state["transformer.h.1.ln_1.weight"]
    with pytest.raises(RuntimeError, match=r"h\.1\.ln_1"):
        models.GPT.load_pretrained(state, heads=4)


def test_gpt_starts_as_published():
    lamina.manual_seed(1)
    model = models.GPT(vocab=200, width=64, layers=3)
    for name, p in model.named_parameters():
        if name.endswith("bias"):
            assert (p == 0).all()
        elif "ln_" in name:
            assert (p == 1).all()
        else:
            expected = 0.02 / math.sqrt(6) if "c_proj" in name else 0.02
            assert abs(p.std().item() / expected - 1) < 0.06, name
    loss = model.eval().training_loss(lamina.randint(0, 200, (8, 32)), lamina.randint(0, 200, (8, 32)))
    assert abs(loss.item() - math.log(200)) < 0.1


# -- generation -------------------------------------------------------------------------------------------------------
def generators():
    out = {f"gpt-{pos}": models.GPT(vocab=11, context=10, positions=pos, **SMALL) for pos in ("learned", "rotary", "alibi")}  # fmt: skip
    out.update({kind: models.RecurrentLM(vocab=11, width=8, hidden=12, layers=2, kind=kind) for kind in ("lstm", "gru", "rnn")})  # fmt: skip
    return out


@pytest.mark.parametrize("name", generators())
def test_generation_with_a_cache_is_the_same(name):
    model = shaken(generators()[name])
    for options in ({"temperature": 0}, {"seed": 3}, {"seed": 4, "temperature": 0.7, "top_k": 5, "top_p": 0.9}):
        cached = model.generate(IDS[:, :3], 20, **options)  # beyond the context of 10
        plain = model.generate(IDS[:, :3], 20, cache=False, **options)
        assert cached.shape == (2, 23) and cached.tolist() == plain.tolist()
        assert (cached[:, :3] == IDS[:, :3]).all() and model.training
    assert model.generate(IDS, 5, seed=1).tolist() == model.generate(IDS, 5, seed=1).tolist()
    assert model.generate(IDS, 9, seed=1).tolist() != model.generate(IDS, 9, seed=2).tolist()
    lamina.manual_seed(7)
    first = model.generate(IDS, 9)
    assert first.tolist() != model.generate(IDS, 9).tolist()  # the default generator goes on
    lamina.manual_seed(7)
    assert model.generate(IDS, 9).tolist() == first.tolist()


@pytest.mark.parametrize("name", generators())
def test_logits_with_a_cache_have_the_same_bits(name):
    model = shaken(generators()[name]).eval()
    with lamina.no_grad():
        whole = model(IDS)
        step = model._stepper(2, 7, True)
        for t in (2, 3, 4, 7):
            assert (step(IDS[:, :t]) == whole[:, t - 1]).all()


def test_recurrent_state_is_carried():
    model = shaken(models.RecurrentLM(vocab=11, width=8, hidden=12, layers=2)).eval()
    whole, end = model.run(IDS)
    first, state = model.run(IDS[:, :3])
    second, last = model.run(IDS[:, 3:], state)
    assert (lamina.cat([first, second], 1) == whole).all() and all(
        (a == b).all() for a, b in zip(end, last, strict=True)
    )


def test_generation_stops_and_keeps_shapes():
    model = shaken(models.GPT(vocab=6, context=8, **SMALL))
    out = model.generate(lamina.tensor([[1, 2]] * 6), 12, seed=0, stop=[3, 4])
    for row in out.tolist():
        body = row[2:]
        first = next((i for i, t in enumerate(body) if t in (3, 4)), None)
        if first is not None:
            assert set(body[first:]) == {body[first]}
    free = model.generate([1, 2], 12, seed=0)
    token = free[4].item()
    ended = model.generate([1, 2], 12, seed=0, stop=token)
    assert ended.tolist() == free.tolist()[: free.tolist().index(token, 2) + 1]
    assert model.generate([1, 2], 0).tolist() == [1, 2]
    greedy = model.generate([1, 2], 5, temperature=0)
    assert greedy.tolist() == model.generate([1, 2], 5, top_k=1, seed=9).tolist()
    assert model.predict(lamina.tensor([[1, 2]])).item() == greedy[2].item()


def test_t5_decoding():
    model = shaken(models.T5(vocab=9, head_width=6, hidden=20, buckets=6, max_distance=7, **SMALL), 11)
    for options in ({}, {"beams": 3}, {"beams": 4, "length_penalty": 0.5}, {"beams": 12}):
        cached = model.generate(PADDED[:, :5].clamp(max=8), max_length=9, **options)
        assert (
            cached.tolist() == model.generate(PADDED[:, :5].clamp(max=8), max_length=9, cache=False, **options).tolist()
        )
    alone = model.generate(PADDED[1].clamp(max=8), max_length=9, beams=3)
    both = model.generate(PADDED.clamp(max=8), max_length=9, beams=3)[1]
    assert alone.tolist() == both.tolist()[: len(alone)] and set(both.tolist()[len(alone) :]) <= {0}
    ids = PADDED.clamp(max=8)
    greedy = lamina.zeros(2, 1, dtype=lamina.int64)  # written out
    model.eval()
    for _ in range(9):
        greedy = lamina.cat([greedy, model(ids, greedy)[:, -1].argmax(-1, keepdim=True)], 1)
    for row, found in zip(greedy[:, 1:].tolist(), model.generate(ids, max_length=9).tolist(), strict=True):
        end = row.index(1) + 1 if 1 in row else len(row)
        assert found[:end] == row[:end] and set(found[end:]) <= {0}
    assert model.predict(ids).shape == (2, 32)


class Toy:
    """A language of three words and an end whose greedy path is a trap."""

    def __init__(self, seed=None):
        self.table = np.log(np.random.default_rng(seed).dirichlet(np.ones(4), (4, 4))) if seed is not None else None

    def logits(self, ids):
        if self.table is not None:
            return self.table[ids[-2] if len(ids) > 1 else 0, ids[-1]]
        p = {(): [0.0, 0.0, 0.6, 0.4], (2,): [0.3, 0.25, 0.25, 0.2], (3,): [0.01, 0.97, 0.01, 0.01]}
        return np.log(np.array(p.get(tuple(ids[1:]), [0.25] * 4)) + 1e-30)

    def step(self, ids, origin):
        return lamina.tensor(np.stack([self.logits(row) for row in ids.tolist()]))

    def search(self, beams, longest=5, penalty=0.0):
        return beam_search(self.step, 1, 0, 1, beams, longest, penalty)[0]

    def score(self, out):
        total, ids = 0.0, [0]
        for token in out:
            logits = self.logits(ids)
            total += logits[token] - np.log(np.exp(logits).sum())
            ids.append(token)
        return total


def test_beam_search_finds_better():
    toy = Toy()
    narrow, wide = toy.search(1), toy.search(2)
    assert wide[1] == [3, 1] and wide[0] > narrow[0] and narrow[1][0] == 2
    for seed in range(40):
        toy = Toy(seed)
        ids = [0]
        while len(ids) < 6 and ids[-1] != 1:
            ids.append(int(np.argmax(toy.logits(ids))))
        score, out = toy.search(1)
        assert out == ids[1:] and abs(score - toy.score(out)) < 1e-12
        assert abs(toy.search(3, penalty=0.7)[0] - toy.score(toy.search(3, penalty=0.7)[1]) / len(toy.search(3, penalty=0.7)[1]) ** 0.7) < 1e-12  # fmt: skip
        sequences = [s for n in range(1, 5) for s in itertools.product(range(4), repeat=n) if 1 not in s[:-1] and (s[-1] == 1 or n == 4)]  # fmt: skip
        best = max(sequences, key=toy.score)
        score, out = toy.search(300, longest=4)  # wider than all there is: exhaustive
        assert tuple(out) == best and abs(score - toy.score(best)) < 1e-12
        assert score >= toy.search(1, longest=4)[0] - 1e-12


def test_t5_beams_find_better_outputs():
    model = shaken(models.T5(vocab=9, head_width=6, hidden=20, **SMALL), 2).eval()
    better = 0
    for seed in range(10):
        lamina.manual_seed(seed)
        ids = lamina.randint(2, 9, (1, 5))
        scores = []
        for beams in (1, 4):
            source, mask = model.encode(ids)
            rows = lamina.zeros(beams, dtype=lamina.int64)
            with lamina.no_grad():
                step = model._stepper(source.detach()[rows], mask[rows], 6, True)
                scores.append(beam_search(step, 1, 0, 1, beams, 6, 0.0)[0][0])
        assert scores[1] >= scores[0] - 1e-9
        better += scores[1] > scores[0] + 1e-9
    assert better > 0


def test_masked_model_fills_masks():
    model = models.BERTForMaskedLM(vocab=110, **SMALL)
    ids = lamina.tensor([[101, 103, 7, 103, 102]])
    out = model.generate(ids)
    assert out[0, [0, 2, 4]].tolist() == [101, 7, 102] and model.training
    assert out[0, 1].item() == model.predict(ids)[0, 1].item()


def test_hiding_follows_the_shares():
    model = models.BERTForMaskedLM(vocab=5000, **SMALL)
    ids = lamina.randint(200, 5000, (200, 100))
    ids[:, 0] = 101
    ids[:, 90:] = 0
    hidden, labels = model.hide(ids)
    chosen = labels != -100
    assert not chosen[:, 0].any() and not chosen[:, 90:].any()
    assert (labels[chosen] == ids[chosen]).all() and (hidden[~chosen] == ids[~chosen]).all()
    count = chosen.sum().item()
    assert abs(count / (200 * 89) - 0.15) < 0.01
    masked, kept = (hidden[chosen] == 103).float().mean().item(), (hidden[chosen] == ids[chosen]).float().mean().item()
    assert abs(masked - 0.8) < 0.03 and abs(kept - 0.1) < 0.03
    lamina.manual_seed(3)
    first = model.training_loss(ids).item()
    lamina.manual_seed(3)
    assert first == model.training_loss(ids).item()
    nothing = models.BERTForMaskedLM(vocab=110, **SMALL).training_loss(lamina.full((2, 3), 101))
    nothing.backward()
    assert nothing.item() == 0
