"""LoRA: adapters begin as nothing, train alone, and merge into what they were beside."""

from __future__ import annotations

import copy
import re

import lamina
import pytest
from lamina import lora, models, nn
from lamina.lora import apply_lora, lora_state_dict, merge_lora


def shake(model):
    """Adapters with values, as after training."""
    with lamina.no_grad():
        for name, p in model.named_parameters():
            if "lora_" in name:
                p.copy_(lamina.randn(*p.shape) * 0.3)


class Attending(nn.Module):
    def __init__(self, batch_first=True):
        super().__init__()
        self.embed = nn.Embedding(11, 8, padding_idx=0)
        self.attention = nn.MultiheadAttention(8, 2, batch_first=batch_first)
        self.q_proj = nn.Linear(8, 8)
        self.head = nn.Linear(8, 3)

    def forward(self, tokens):
        x = self.embed(tokens)
        x = x + self.attention(self.q_proj(x), x, x, is_causal=True, need_weights=False)[0]
        return self.head(x.mean(1))


TOKENS = lamina.tensor([[1, 2, 0, 4], [5, 6, 7, 8], [10, 0, 9, 3]])


def close(a, b, limit=2e-6):
    assert (a - b).abs().max().item() <= limit * max(1.0, b.abs().max().item())


@pytest.mark.parametrize("dtype", [lamina.float32, lamina.float64])
@pytest.mark.parametrize("pattern", ["head", "embed", "attention", ["q_proj", "embed", "attention", "head"]])
def test_adapters_begin_as_nothing_and_merge_to_rounding(pattern, dtype):
    model = Attending().to(dtype).eval()
    plain = model(TOKENS)
    keys = list(model.state_dict())
    names = apply_lora(model, pattern, rank=3, alpha=6)
    assert model(TOKENS).tolist() == plain.tolist()
    assert [k for k in model.state_dict() if "lora_" not in k] == keys
    shake(model)
    adapted = model(TOKENS)
    assert (adapted - plain).abs().max().item() > 1e-3
    assert merge_lora(model) == names and list(model.state_dict()) == keys
    close(model(TOKENS), adapted, 4e-6 if dtype == lamina.float32 else 1e-13)
    assert all(p.requires_grad for p in model.parameters())
    assert {type(m) for m in model.modules()} == {Attending, nn.Embedding, nn.MultiheadAttention, nn.Linear}


def test_the_sum_is_the_formula():
    model = nn.Sequential(nn.Linear(5, 4)).double()
    apply_lora(model, "0", rank=2, alpha=3)
    shake(model)
    layer, x = model[0], lamina.randn(7, 5, dtype=lamina.float64)
    assert layer.lora_A.shape == (2, 5) and layer.lora_B.shape == (4, 2) and layer.lora_scale == 1.5
    close(model(x), x @ layer.weight.t() + layer.bias + 1.5 * (x @ layer.lora_A.t() @ layer.lora_B.t()), 1e-14)


def test_only_adapters_train_and_frozen_weights_stay():
    model = Attending()
    apply_lora(model, ["attention", "embed"], rank=2, also=["head"])
    names = [n for n, p in model.named_parameters() if p.requires_grad]
    assert names == [
        "embed.lora_A",
        "embed.lora_B",
        "attention.lora_A",
        "attention.lora_B",
        "attention.lora_A_out_proj",
        "attention.lora_B_out_proj",
        "head.weight",
        "head.bias",
    ]
    before = {n: p.tolist() for n, p in model.named_parameters()}
    optimizer = lamina.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=0.05)
    losses = []
    for _ in range(30):
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(TOKENS), lamina.tensor([0, 1, 2]))
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.1 * losses[0]
    changed = {n for n, p in model.named_parameters() if p.tolist() != before[n]}
    assert changed == set(names)
    assert model.embed.lora_A.detach()[:, 0].tolist() == [0, 0]  # of the padding row
    saved = lora_state_dict(model)
    assert list(saved) == names
    twin = Attending()
    twin.load_state_dict({n: v for n, v in model.state_dict().items() if "lora_" not in n})
    apply_lora(twin, ["attention", "embed"], rank=2, also=["head"])
    twin.load_state_dict(saved, strict=False)
    assert twin(TOKENS).tolist() == model(TOKENS).tolist()


def test_remove_gives_the_model_back():
    model = Attending()
    model.head.weight.requires_grad_(False)
    plain, layer, weight = model(TOKENS).tolist(), model.head, model.head.weight
    apply_lora(model, "*", rank=2)
    shake(model)
    assert lora.remove(model) == ["embed", "attention", "q_proj", "head"]
    assert model(TOKENS).tolist() == plain and model.head is layer and layer.weight is weight
    assert [n for n, p in model.named_parameters() if not p.requires_grad] == ["head.weight"]
    for call in (lora.remove, merge_lora, lora_state_dict):
        with pytest.raises(ValueError, match="has no adapters"):
            call(model)


def test_dropout_acts_on_the_input_of_the_adapters_alone():
    model = nn.Sequential(nn.Linear(64, 4))
    apply_lora(model, "0", rank=2, dropout=0.5)
    x = lamina.randn(3, 64)
    assert model(x).tolist() == model.eval()(x).tolist()  # B is zero
    shake(model)
    quiet = model(x)
    assert model(x).tolist() == quiet.tolist()
    assert model.train()(x).tolist() != quiet.tolist()


def test_tied_weights_hooks_and_copies():
    class Tied(nn.Module):
        def __init__(self):
            super().__init__()
            self.embed, self.out = nn.Embedding(6, 4), nn.Linear(4, 6, bias=False)
            self.out.weight = self.embed.weight

        def forward(self, x):
            return self.out(self.embed(x))

    model = Tied()
    seen = []
    model.out.register_forward_hook(lambda *a: seen.append(1))
    apply_lora(model, "out", rank=2)
    assert model.out.weight is model.embed.weight
    shake(model)
    x = lamina.tensor([1, 2, 5])
    twin = copy.deepcopy(model)
    assert twin(x).tolist() == model(x).tolist() and len(seen) >= 1
    with lamina.no_grad():
        twin.out.lora_A.zero_()
    assert twin(x).tolist() != model(x).tolist()


def test_patterns_and_errors():
    model = nn.Sequential(nn.Linear(4, 4), nn.ReLU(), nn.Sequential(nn.Linear(4, 4)))
    assert apply_lora(copy.deepcopy(model), re.compile(r"\d\.0$")) == ["2.0"]
    assert apply_lora(copy.deepcopy(model), "*") == ["0", "2.0"]
    for options, message in (
        ({"rank": 0}, "rank must be"),
        ({"rank": True}, "rank must be"),
        ({"alpha": 0}, "alpha must be"),
        ({"alpha": float("nan")}, "alpha must be"),
        ({"dropout": 1.0}, "dropout must be"),
        ({"also": ["absent"]}, "matches no name"),
    ):
        with pytest.raises(ValueError, match=message):
            apply_lora(model, "0", **options)
    with pytest.raises(ValueError, match="matches no name"):
        apply_lora(model, "fc")
    with pytest.raises(ValueError, match=r"no layer that can have adapters.*ReLU"):
        apply_lora(model, "1")
    attending = Attending()
    with pytest.raises(ValueError, match="name the attention"):
        apply_lora(attending, "out_proj")
    with pytest.raises(ValueError, match="no dropout"):
        apply_lora(attending, "attention", dropout=0.1)
    with pytest.raises(ValueError, match="max_norm"):
        apply_lora(nn.Sequential(nn.Embedding(3, 2, max_norm=1.0)), "0")
    with pytest.raises(ValueError, match="another width"):
        apply_lora(nn.Sequential(nn.MultiheadAttention(4, 2, kdim=3, vdim=3)), "0")
    assert all(p.requires_grad for p in [*model.parameters(), *attending.parameters()])  # nothing began
    apply_lora(model, "0")
    with pytest.raises(ValueError, match="has adapters already"):
        apply_lora(model, "*")


def test_a_second_set_of_adapters_keeps_what_trained_at_first():
    model = nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 4))
    apply_lora(model, "0", rank=1)
    apply_lora(model, "1", rank=1)
    assert merge_lora(model) == ["0", "1"] and all(p.requires_grad for p in model.parameters())


def test_gpt():
    model = models.GPT(layers=1, width=16, heads=2, vocab=20, context=8).eval()
    ids = lamina.tensor([[1, 2, 3, 4]])
    plain = model(ids)
    names = apply_lora(model, ["c_attn", "c_fc"], rank=2)
    assert len(names) == 2 and model(ids).tolist() == plain.tolist()
    shake(model)
    adapted = model(ids)
    merge_lora(model)
    close(model(ids), adapted, 4e-6)
