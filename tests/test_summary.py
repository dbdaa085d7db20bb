"""lamina.summary: shapes, counts and memory of layers, and the table of a model that fails."""

from __future__ import annotations

import lamina
import pytest
from lamina import nn


def flops(layer, *inputs):
    return lamina.summary(layer, inputs).flops


def zeros(*shape):
    return lamina.zeros(*shape)


def test_operations_of_every_kind_of_layer():
    assert flops(nn.Linear(8, 16), zeros(5, 3, 8)) == 2 * 15 * 8 * 16
    assert flops(nn.Bilinear(2, 3, 4), zeros(5, 2), zeros(5, 3)) == 2 * 5 * 4 * 2 * (3 + 1)
    assert flops(nn.Conv1d(4, 6, 3, groups=2), zeros(2, 4, 9)) == 2 * 2 * 6 * 7 * 2 * 3
    assert flops(nn.Conv2d(3, 8, (3, 5), stride=2), zeros(1, 3, 9, 9)) == 2 * 8 * 4 * 3 * 3 * 15
    assert flops(nn.Conv3d(1, 2, 2), zeros(1, 1, 3, 3, 3)) == 2 * 2 * 8 * 8
    assert flops(nn.ConvTranspose2d(4, 6, 3, groups=2), zeros(2, 4, 5, 5)) == 2 * 2 * 4 * 25 * 3 * 9
    assert flops(nn.BatchNorm2d(3), zeros(2, 3, 4, 4)) == 2 * 96
    assert flops(nn.LayerNorm(6), zeros(4, 6)) == 8 * 24
    assert flops(nn.LayerNorm(6, elementwise_affine=False), zeros(4, 6)) == 6 * 24
    assert flops(nn.GroupNorm(2, 6), zeros(4, 6, 2)) == 8 * 48
    assert flops(nn.InstanceNorm2d(3), zeros(2, 3, 4, 4)) == 6 * 96
    assert flops(nn.RMSNorm(6), zeros(4, 6)) == 4 * 24
    assert flops(nn.Embedding(5, 3), lamina.tensor([1, 2])) == 0
    assert flops(nn.Sequential(nn.Linear(2, 2), nn.ReLU(), nn.Linear(2, 2)), zeros(1, 2)) == 16


def test_operations_of_recurrent_layers():
    assert flops(nn.LSTM(3, 5), zeros(7, 2, 3)) == 2 * 14 * 4 * 5 * (3 + 5)
    assert flops(nn.GRU(3, 5, num_layers=2, bidirectional=True), zeros(7, 2, 3)) == 2 * 14 * 2 * 3 * 5 * (8 + 15)
    assert flops(nn.RNN(3, 5, batch_first=True), zeros(2, 7, 3)) == 2 * 14 * 5 * 8
    assert flops(nn.LSTM(3, 5, proj_size=2), zeros(7, 2, 3)) == 2 * 14 * (4 * 5 * (3 + 2) + 2 * 5)
    assert flops(nn.LSTMCell(3, 5), zeros(2, 3)) == 2 * 2 * 20 * 8
    row = lamina.summary(nn.LSTM(3, 5), zeros(7, 2, 3)).rows[0]
    assert row.output == "(7, 2, 5), (1, 2, 5), (1, 2, 5)"


def test_operations_of_attention():
    layer = nn.MultiheadAttention(8, 2, batch_first=True)
    x = zeros(3, 5, 8)
    assert flops(layer, x, x, x) == 2 * 3 * (4 * 5 * 64 + 2 * 25 * 8)
    cross = nn.MultiheadAttention(8, 2, kdim=6, vdim=4, batch_first=True)
    assert flops(cross, x, zeros(3, 7, 6), zeros(3, 7, 4)) == 2 * 3 * (2 * 5 * 64 + 7 * 10 * 8 + 2 * 35 * 8)
    table = lamina.summary(layer, (x, x, x))
    assert table.parameters == sum(row.parameters for row in table.rows) == sum(p.numel() for p in layer.parameters())


def test_operations_of_models():
    resnet = lamina.summary(lamina.models.ResNet(), (1, 3, 64, 64))
    products = sum(row.flops for row in resnet.rows if row.kind in ("Conv2d", "Linear"))
    assert products == 297_115_648  # PyTorch's FlopCounterMode counts the same for such a network
    n, t, w = 2, 16, 128
    sizes = {"layers": 1, "width": w, "heads": 4, "vocab": 50}
    block = 2 * n * t * (4 * w * w + 8 * w * w) + 4 * n * t * t * w
    gpt = lamina.summary(lamina.models.GPT(**sizes, context=t), (n, t), dtype=lamina.int64)
    assert gpt.flops == block + 2 * n * t * w * 50 + 3 * 8 * n * t * w
    row = next(row for row in gpt.rows if row.path.endswith("attn"))
    assert row.flops == 4 * n * t * t * w
    ids = lamina.zeros(n, t, dtype=lamina.int64)
    t5 = lamina.summary(lamina.models.T5(layers=1, width=w, heads=4, vocab=50), (ids, ids[:, :5]))
    found = {row.path: row.flops for row in t5.rows if row.path.endswith("Attention")}
    assert list(found.values()) == [4 * n * t * t * w, 4 * n * 5 * 5 * w, 4 * n * 5 * t * w]
    bert = lamina.summary(lamina.models.BERT(layers=1, width=w, heads=4), (ids,))
    assert next(row.flops for row in bert.rows if row.kind == "SelfAttention") == 4 * n * t * t * w


class Tower(nn.Module):
    """A shared layer, a layer that is never called, a frozen one, a tied weight and a buffer."""

    def __init__(self):
        super().__init__()
        self.shared = nn.Linear(4, 4)
        self.spare = nn.Linear(4, 100)
        self.parts = nn.ModuleList([nn.Linear(4, 4), nn.Sequential(nn.Linear(4, 4), nn.ReLU())])
        self.out = nn.Linear(4, 4)
        self.out.weight = self.shared.weight
        self.parts[0].requires_grad_(False)
        self.register_buffer("scale", lamina.ones(3))

    def forward(self, x, gain=None):
        x = self.shared(self.shared(x))
        for part in self.parts:
            x = part(x)
        return {"out": self.out(x), "pair": (x, x)}


def test_rows_parameters_and_memory():
    table = lamina.summary(Tower(), (2, 4))
    rows = {row.path: row for row in table.rows}
    assert list(rows) == ["", "shared", "parts.0", "parts.1", "parts.1.0", "parts.1.1", "out"]
    assert rows["shared"].calls == 2 and rows["shared"].flops == 2 * 2 * 2 * 16
    assert rows[""].parameters == 500  # of `spare`, which has no line
    assert rows["out"].parameters == 4  # the bias: the weight is counted where it is met first
    assert (rows["parts.0"].parameters, rows["parts.0"].trainable) == (20, 0)
    model = Tower()
    assert table.parameters == sum(p.numel() for p in model.parameters())
    assert table.trainable == table.parameters - 20 and table.parameter_bytes == 4 * table.parameters
    assert table.buffer_bytes == 12
    assert table.activation_bytes == 6 * 32  # five layers, one of them twice
    assert rows[""].output == "(2, 4), (2, 4), (2, 4)"
    text = str(table)
    assert "├─ shared Linear x2" in text and "20 frozen" in text and "│  ├─ 0 Linear" in text
    assert len({len(line.rstrip()) for line in text.splitlines() if set(line) == {"-"}}) == 1


def test_depth_folds_what_is_below():
    whole, folded = (lamina.summary(Tower(), (2, 4), depth=d) for d in (None, 1))
    assert [row.path for row in folded.rows] == ["", "shared", "parts.0", "parts.1", "out"]
    assert (folded.flops, folded.activation_bytes) == (whole.flops, whole.activation_bytes)
    assert sum(row.parameters for row in folded.rows) == whole.parameters
    assert [row.path for row in lamina.summary(Tower(), (2, 4), depth=0).rows] == [""]


def test_kinds_of_input():
    model = nn.Linear(4, 2)
    for given in (zeros(3, 4), (zeros(3, 4),), (3, 4), [3, 4]):
        assert lamina.summary(model, given).rows[0].output == "(3, 2)"
    assert lamina.summary(nn.Embedding(5, 3), (2, 7), dtype=lamina.int64).rows[0].output == "(2, 7, 3)"
    assert lamina.summary(nn.Linear(4, 2).double(), (3, 4)).activation_bytes == 3 * 2 * 8
    assert lamina.summary(nn.ReLU(), (3,)).rows[0].output == "(3,)"
    for bad in (None, "x", (), ("a",), 3.5):
        with pytest.raises(TypeError, match="summary: input must be"):
            lamina.summary(model, bad)
    with pytest.raises(ValueError, match="negative"):
        lamina.summary(model, (-1, 4))
    with pytest.raises(TypeError, match="must be a Module"):
        lamina.summary(3, (1,))
    with pytest.raises(ValueError, match="depth"):
        lamina.summary(model, (3, 4), depth=-1)


def test_nothing_of_the_model_changes():
    model = nn.Sequential(nn.Linear(4, 4), nn.BatchNorm1d(4), nn.Dropout(0.5))
    model.train()
    model[1].eval()
    seen = []
    handle = model[0].register_forward_hook(lambda *a: seen.append(1))
    before = {k: v.tolist() for k, v in model.state_dict().items()}
    state = lamina.get_rng_state().tolist()
    lamina.summary(model, (3, 4))
    assert [m.training for m in model] == [True, False, True] and model.training
    assert {k: v.tolist() for k, v in model.state_dict().items()} == before
    assert lamina.get_rng_state().tolist() == state and seen == [1]
    assert model[1]._hooks is None and len(model[0]._hooks.forward) == 1
    handle.remove()
    with pytest.raises(lamina.ShapeError):
        lamina.summary(model, (3, 5))
    assert model.training and not model[1].training and model._hooks is None and lamina.is_grad_enabled()


def test_a_failing_layer_is_marked():
    model = nn.Sequential(nn.Linear(4, 8), nn.Sequential(nn.ReLU(), nn.Linear(9, 2)), nn.ReLU())
    with pytest.raises(lamina.ShapeError, match=r"layer '1\.1' \(Linear\) failed on input \(3, 8\)") as caught:
        lamina.summary(model, (3, 4))
    table = caught.value.summary
    assert [row.path for row in table.rows] == ["", "0", "1", "1.0", "1.1"]
    assert table.rows[-1].error.startswith("linear: input has 8 features") and table.rows[-1].inputs == "(3, 8)"
    text = str(caught.value)
    assert "FAILED on (3, 8)" in text and "^ linear: input has 8 features, weight expects 9" in text
    assert isinstance(caught.value.__cause__, lamina.ShapeError)


@pytest.mark.parametrize("kind", [KeyError, ZeroDivisionError, UnicodeError])
def test_errors_of_other_types_keep_theirs(kind):
    class Broken(nn.Module):
        def forward(self, x):
            raise kind("no luck")

    with pytest.raises(kind, match="no luck") as caught:
        lamina.summary(nn.Sequential(nn.ReLU(), Broken()), (3,))
    assert caught.value.summary.rows[-1].kind == "Broken"


def test_an_error_type_with_other_arguments():
    class Odd(Exception):
        def __init__(self, a, b):
            super().__init__(f"{a} and {b}")

    class Broken(nn.Module):
        def forward(self, x):
            raise Odd(1, 2)

    with pytest.raises(RuntimeError, match="1 and 2"):
        lamina.summary(Broken(), (3,))


def test_formulas_for_classes_of_ones_own():
    class Product(nn.Module):
        def forward(self, x):
            return x @ x.t()

    assert lamina.summary(Product(), (3, 5)).flops == 0
    formula = {Product: lambda module, args, out: 2 * out.numel() * args[0].shape[1]}
    assert lamina.summary(Product(), (3, 5), flops=formula).flops == 90
