"""Transformer layers and stacks against PyTorch's: every option, every mask, all gradients."""

from __future__ import annotations

import lamina
import numpy as np
import pytest
from conftest import needs_torch, torch
from harness import to_numpy
from lamina import nn
from lamina.autograd import gradcheck, gradgradcheck
from layer_twins import compare, share_state

pytestmark = [  # PyTorch's warnings, of its own fast paths and of mixed masks
    pytest.mark.filterwarnings("ignore:enable_nested_tensor:UserWarning"),
    pytest.mark.filterwarnings("ignore:Support for mismatched:UserWarning"),
]
N, E, HEADS, T, S = 2, 8, 2, 5, 6
SIZES = {"d_model": E, "nhead": HEADS, "dim_feedforward": 12, "dropout": 0.0}


def draw(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape)


def sequence(length, options, seed=0):
    return draw(N, length, E, seed=seed) if options.get("batch_first") else draw(length, N, E, seed=seed)


OPTIONS = [
    {},
    {"batch_first": True, "norm_first": True},
    {"activation": "gelu", "bias": False},
    {"activation": "gelu", "norm_first": True, "batch_first": True, "layer_norm_eps": 1e-3},
    {"bias": False, "norm_first": True},
]
MASKS = ["none", "causal", "bool", "padding", "all"]


def masks(home, kind, queries, keys, dtype):
    """(attn_mask, key_padding_mask, is_causal)"""
    real = getattr(home, dtype)
    causal = home.full((queries, keys), -float("inf"), dtype=real).triu(1)
    blocked = np.random.default_rng(4).random((queries, keys)) < 0.4
    blocked[:, 0] = False
    padding = home.tensor(np.arange(keys) >= np.array([[keys], [keys - 2]]))
    return {
        "none": (None, None, False),
        "causal": (causal, None, True),
        "bool": (home.tensor(blocked), None, False),
        "padding": (None, padding, False),
        "all": (home.tensor(np.where(blocked, -np.inf, 0.5)).to(real), padding, False),
    }[kind]


def both(kind, options, count=None):
    """The layer, or a stack of `count` with a norm at the end, in lamina and in PyTorch."""
    made = []
    for home in (lamina, torch):
        layer = getattr(home.nn, f"Transformer{kind}Layer")(**SIZES, **options)
        stack = getattr(home.nn, f"Transformer{kind}")
        made.append(layer if count is None else stack(layer, count, home.nn.LayerNorm(E)))
    return made


# ---- PyTorch's numbers ----


@needs_torch
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("mask", MASKS)
@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_encoder_layer(options, mask, dtype):
    def call(home, m, x):
        attn, padding, causal = masks(home, mask, T, T, dtype)
        return m(x, attn, padding, is_causal=causal)

    compare(*both("Encoder", options), [sequence(T, options)], call, dtype)


@needs_torch
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("mask", MASKS)
@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_decoder_layer(options, mask, dtype):
    def call(home, m, x, memory):
        attn, padding, causal = masks(home, mask, T, T, dtype)
        far, far_padding, _ = masks(home, mask, T, S, dtype)
        return m(x, memory, attn, far, padding, far_padding, causal)

    compare(*both("Decoder", options), [sequence(T, options), sequence(S, options, 1)], call, dtype)


@needs_torch
@pytest.mark.parametrize("mask", MASKS)
@pytest.mark.parametrize("options", OPTIONS[:2], ids=str)
def test_encoder(options, mask):
    def call(home, m, x):
        attn, padding, _ = masks(home, mask, T, T, "float64")
        return m(x, attn, padding)

    compare(*both("Encoder", options, 2), [sequence(T, options)], call, "float64")


@needs_torch
@pytest.mark.parametrize("mask", MASKS)
@pytest.mark.parametrize("options", OPTIONS[:2], ids=str)
def test_decoder(options, mask):
    def call(home, m, x, memory):
        attn, padding, _ = masks(home, mask, T, T, "float64")
        far, far_padding, _ = masks(home, mask, T, S, "float64")
        return m(x, memory, attn, far, padding, far_padding)

    compare(*both("Decoder", options, 2), [sequence(T, options), sequence(S, options, 1)], call, "float64")


@needs_torch
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_transformer(options, dtype):
    sizes = {**SIZES, "num_encoder_layers": 2, "num_decoder_layers": 1, **options}
    ours, theirs = nn.Transformer(**sizes), torch.nn.Transformer(**sizes)

    def call(home, m, src, tgt):
        padding = masks(home, "padding", T, S, dtype)[1]
        mask = m.generate_square_subsequent_mask(T, dtype=getattr(home, dtype))
        return m(src, tgt, tgt_mask=mask, src_key_padding_mask=padding, memory_key_padding_mask=padding)

    compare(ours, theirs, [sequence(S, options), sequence(T, options, 1)], call, dtype)


@needs_torch
def test_without_a_batch_and_in_evaluation():
    ours, theirs = (home.nn.Transformer(E, HEADS, 1, 1, 12) for home in (lamina, torch))
    compare(ours.eval(), theirs.eval(), [draw(S, E), draw(T, E)], lambda _, m, src, tgt: m(src, tgt), "float64")


@needs_torch
def test_activation_may_be_a_function_or_a_layer():
    x = draw(T, N, E)
    for name in ("Tanh", "SiLU"):
        ours, theirs = both("Encoder", {})
        ours.activation, theirs.activation = getattr(nn, name)(), getattr(torch.nn, name)()
        compare(ours, theirs, [x], lambda _, m, x: m(x), "float64")
    layer = nn.TransformerEncoderLayer(**SIZES, activation=lamina.sin)
    twin = nn.TransformerEncoder(layer, 1)
    given = lamina.randn(T, N, E)
    np.testing.assert_array_equal(to_numpy(twin(given)), to_numpy(layer(given)))


@needs_torch
def test_causal_mask_and_start():
    ours, theirs = nn.Transformer(E, HEADS, 1, 1, 12), torch.nn.Transformer(E, HEADS, 1, 1, 12)
    mask, expected = (m.generate_square_subsequent_mask(4) for m in (ours, theirs))
    np.testing.assert_array_equal(to_numpy(mask), expected.numpy())
    share_state(ours, theirs)
    wide = nn.Transformer(64, 2, 1, 1, 64)
    assert abs(float(wide.encoder.layers[0].linear1.weight.std().item()) - np.sqrt(2 / 128)) < 3e-3


@needs_torch
def test_custom_stacks():
    class Doubled(nn.Module):
        def forward(self, x, *rest, **more):
            return x * 2

    model = nn.Transformer(E, HEADS, custom_encoder=Doubled(), custom_decoder=Doubled())
    assert to_numpy(model(lamina.ones(S, N, E), lamina.ones(T, N, E))).max() == 2


# ---- what holds by itself ----


@pytest.mark.parametrize("kind", ["float", "bool"])
def test_a_causal_mask_is_recognised(kind):
    """With and without the hint, and as a hint alone: the same bits."""
    encoder, x = nn.TransformerEncoder(nn.TransformerEncoderLayer(**SIZES), 2), lamina.randn(T, N, E)
    mask = nn.Transformer.generate_square_subsequent_mask(T)
    if kind == "bool":
        mask = mask != 0
    seen = to_numpy(encoder(x, mask))
    np.testing.assert_array_equal(seen, to_numpy(encoder(x, mask, is_causal=True)))
    np.testing.assert_array_equal(seen, to_numpy(encoder(x, is_causal=True)))
    np.testing.assert_allclose(seen, to_numpy(encoder(x, mask, is_causal=False)), rtol=1e-4, atol=1e-6)
    other = mask.clone()
    other[0, 1] = 0
    assert (to_numpy(encoder(x, other)) != seen).any()


def test_the_future_changes_nothing():
    decoder = nn.TransformerDecoder(nn.TransformerDecoderLayer(**SIZES, batch_first=True), 2)
    x, memory = lamina.randn(N, T, E), lamina.randn(N, S, E)
    whole = to_numpy(decoder(x, memory, tgt_is_causal=True))
    for t in range(1, T + 1):
        np.testing.assert_array_equal(to_numpy(decoder(x[:, :t], memory, tgt_is_causal=True)), whole[:, :t])
        np.testing.assert_array_equal(to_numpy(decoder(x[1, :t], memory[1], tgt_is_causal=True)), whole[1, :t])


def test_padding_changes_nothing():
    encoder = nn.TransformerEncoder(nn.TransformerEncoderLayer(**SIZES, batch_first=True, norm_first=True), 2)
    x = lamina.randn(N, T, E)
    padding = lamina.tensor([[False] * T, [False, False, True, True, True]])
    out = to_numpy(encoder(x, src_key_padding_mask=padding))
    np.testing.assert_array_equal(out[1, :2], to_numpy(encoder(x[1, :2])))
    x[1, 2:] = 7.0
    np.testing.assert_array_equal(out[1, :2], to_numpy(encoder(x, src_key_padding_mask=padding))[1, :2])


def test_dropout_acts_in_training_alone():
    layer, x = nn.TransformerEncoderLayer(E, HEADS, 12, 0.5), lamina.randn(T, N, E)
    lamina.manual_seed(1)
    first = to_numpy(layer(x))
    lamina.manual_seed(1)
    np.testing.assert_array_equal(first, to_numpy(layer(x)))
    assert (first != to_numpy(layer(x))).any()
    layer.eval()
    np.testing.assert_array_equal(to_numpy(layer(x)), to_numpy(layer(x)))


@pytest.mark.parametrize("norm_first", [True, False])
@pytest.mark.parametrize("kind", ["Encoder", "Decoder"])
def test_gradients_twice(kind, norm_first):
    home = getattr(nn, f"Transformer{kind}Layer")
    layer = home(4, 2, 3, 0.0, "gelu", batch_first=True, norm_first=norm_first, dtype=lamina.float64)
    names = list(layer.state_dict())
    weights = [p.detach().clone().requires_grad_() for p in layer.parameters()]
    x = lamina.tensor(draw(1, 3, 4), requires_grad=True)
    memory = [lamina.tensor(draw(1, 2, 4, seed=1), requires_grad=True)] if kind == "Decoder" else []
    hint = {"tgt_is_causal": True} if memory else {"is_causal": True}

    def run(*given):
        params = dict(zip(names, given[len(inputs) :], strict=True))
        return lamina.func.functional_call(layer, params, given[: len(inputs)], hint)

    inputs = [x, *memory]
    assert gradcheck(run, (*inputs, *weights))
    assert gradgradcheck(run, (*inputs, *weights))


def test_gradients_of_the_whole_twice():
    model = nn.Transformer(4, 2, 1, 1, 3, 0.0, "gelu", dtype=lamina.float64)
    src, tgt = (lamina.tensor(draw(n, 1, 4, seed=n), requires_grad=True) for n in (2, 3))

    def run(src, tgt):
        return model(src, tgt, tgt_is_causal=True)

    assert gradcheck(run, (src, tgt))
    assert gradgradcheck(run, (src, tgt))


def test_saved_and_loaded(tmp_path):
    model = nn.Transformer(E, HEADS, 1, 1, 12).eval()
    lamina.save(model.state_dict(), tmp_path / "model.safetensors")
    twin = nn.Transformer(E, HEADS, 1, 1, 12).eval()
    twin.load_state_dict(lamina.load(tmp_path / "model.safetensors"))
    src, tgt = lamina.randn(S, N, E), lamina.randn(T, N, E)
    np.testing.assert_array_equal(to_numpy(model(src, tgt)), to_numpy(twin(src, tgt)))


@needs_torch
def test_a_training_run_is_pytorchs():
    """Twenty steps down the gradient on the same numbers: the losses stay together."""
    losses = []
    start = torch.nn.Transformer(E, HEADS, 1, 1, 12, 0.0, batch_first=True)
    for home in (lamina, torch):
        model = home.nn.Transformer(E, HEADS, 1, 1, 12, 0.0, batch_first=True)
        model.load_state_dict({k: home.tensor(v.numpy().copy()) for k, v in start.state_dict().items()})
        model = model.to(home.float64)
        src, tgt, goal = (home.tensor(draw(4, n, E, seed=i)) for i, n in enumerate((S, T, T)))
        mask = model.generate_square_subsequent_mask(T, dtype=home.float64)
        losses.append([])
        for _ in range(20):
            model.zero_grad()
            loss = home.nn.functional.mse_loss(model(src, tgt, tgt_mask=mask), goal)
            loss.backward()
            with home.no_grad():
                for p in model.parameters():
                    p -= 0.1 * p.grad
            losses[-1].append(loss.item())
    np.testing.assert_allclose(losses[0], losses[1], rtol=1e-8)
    assert losses[0][-1] < losses[0][0]


# ---- hostile input ----


def model():
    return nn.Transformer(E, HEADS, 1, 1, 12)


def zeros(*shape):
    return lamina.zeros(*shape)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: model()(zeros(S, 2, E), zeros(T, 3, E)), "one batch size"),
        (lambda: model()(zeros(S, 2, E), zeros(T, 2, 3)), "d_model 8"),
        (lambda: model()(zeros(S, E), zeros(T, 2, E)), "3 dims"),
        (lambda: model()(zeros(S, 2, E), zeros(T, 2, E), tgt_mask=zeros(T, S)), "attn_mask has shape"),
        (lambda: model().encoder(zeros(S, 2, E), src_key_padding_mask=zeros(S, 2)), "key_padding_mask has shape"),
        (lambda: model().encoder(zeros(S, 2, 3)), r"features.*\[in TransformerEncoder"),
        (lambda: nn.TransformerEncoderLayer(E, 3), "divisible"),
        (lambda: nn.TransformerEncoderLayer(E, HEADS, activation="swish"), "activation must be"),
        (lambda: nn.TransformerDecoderLayer(E, HEADS, dropout=-1.0), "dropout"),
        (lambda: nn.TransformerEncoder(nn.Identity(), -1), "num_layers"),
    ],
)
def test_errors_teach(call, message):
    with pytest.raises(ValueError, match=message):
        call()


@pytest.mark.parametrize(
    "call",
    [
        lambda: model()(None, zeros(T, 2, E)),
        lambda: model()(zeros(S, 2, E).double(), zeros(T, 2, E)),
        lambda: nn.TransformerEncoder(None, 1),
        lambda: nn.TransformerDecoder("layer", 1),
    ],
)
def test_wrong_kinds(call):
    with pytest.raises(TypeError):
        call()


def test_empty_batches():
    assert model()(zeros(S, 0, E), zeros(T, 0, E)).shape == (T, 0, E)
    assert model().encoder(zeros(0, 2, E)).shape == (0, 2, E)
    assert nn.TransformerEncoder(nn.TransformerEncoderLayer(**SIZES), 0)(zeros(S, 1, E)).shape == (S, 1, E)
