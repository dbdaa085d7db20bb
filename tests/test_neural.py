"""Layers against PyTorch's: representation, state keys, results; and what twins cannot say: random layers, lazy layers,
reparametrised weights, pruning, alignment losses."""

from __future__ import annotations

import copy

import lamina
import numpy as np
import pytest
from conftest import needs_torch, torch
from harness import to_numpy
from lamina import nn

F = nn.functional

# (constructor, shapes of the inputs); the state of PyTorch's layer is loaded into lamina's.
LAYERS = [
    ("Conv1d(4, 6, 3)", [(2, 4, 9)]),
    ("Conv1d(4, 6, 3, stride=2, padding=1, dilation=2, groups=2, bias=False)", [(2, 4, 9)]),
    ("Conv1d(4, 6, 4, padding='same', padding_mode='circular')", [(2, 4, 9)]),
    ("Conv2d(4, 6, 3, padding=(1, 2), padding_mode='reflect')", [(2, 4, 6, 7)]),
    ("Conv3d(2, 4, (2, 3, 2), stride=(1, 2, 1), padding=(1, 0, 1))", [(2, 2, 4, 6, 5)]),
    ("Conv3d(2, 4, 3, padding=1, padding_mode='replicate')", [(1, 2, 4, 4, 4)]),
    ("ConvTranspose1d(4, 6, 3, stride=2, padding=1, output_padding=1)", [(2, 4, 9)]),
    ("ConvTranspose2d(4, 6, (3, 4), stride=2, groups=2, bias=False, dilation=2)", [(2, 4, 5, 6)]),
    ("ConvTranspose3d(2, 4, 2, stride=2)", [(2, 2, 3, 4, 3)]),
    ("MaxPool1d(2)", [(2, 3, 8)]),
    ("MaxPool3d(2, stride=1, padding=1, ceil_mode=True)", [(2, 3, 4, 5, 6)]),
    ("AvgPool1d(3, 2, 1)", [(2, 3, 8)]),
    ("AvgPool3d(2)", [(2, 3, 4, 5, 6)]),
    ("AdaptiveAvgPool1d(3)", [(2, 3, 8)]),
    ("AdaptiveAvgPool3d((2, None, 1))", [(2, 3, 4, 5, 6)]),
    ("AdaptiveMaxPool1d(3)", [(2, 3, 8)]),
    ("AdaptiveMaxPool2d((2, None))", [(2, 3, 7, 5)]),
    ("AdaptiveMaxPool3d(2)", [(2, 3, 4, 5, 6)]),
    ("LPPool1d(2, 2)", [(2, 3, 8)]),
    ("LPPool2d(2, (2, 3))", [(2, 3, 6, 6)]),
    ("Upsample(scale_factor=2, mode='bilinear')", [(2, 3, 4, 5)]),
    ("Upsample(size=(3, 9))", [(2, 3, 4, 5)]),
    ("UpsamplingNearest2d(scale_factor=3)", [(2, 3, 4, 5)]),
    ("UpsamplingBilinear2d((5, 9))", [(2, 3, 4, 5)]),
    ("PixelShuffle(2)", [(2, 8, 3, 4)]),
    ("PixelUnshuffle(2)", [(2, 2, 4, 6)]),
    ("ChannelShuffle(2)", [(2, 6, 4, 6)]),
    ("Unfold((2, 3), padding=1)", [(2, 3, 4, 5)]),
    ("Fold((4, 5), 2)", [(2, 12, 12)]),
    ("ConstantPad1d(2, 3.5)", [(2, 3, 4)]),
    ("ConstantPad2d((1, 0, 2, 1), 3.5)", [(2, 3, 4, 5)]),
    ("ConstantPad3d(1, -1.0)", [(2, 3, 4, 5, 2)]),
    ("ZeroPad1d(1)", [(2, 3, 4)]),
    ("ZeroPad2d((1, 2, 0, 1))", [(2, 3, 4, 5)]),
    ("ZeroPad3d(1)", [(2, 3, 4, 5, 2)]),
    ("ReflectionPad1d(2)", [(2, 3, 4)]),
    ("ReflectionPad2d((1, 2, 0, 1))", [(2, 3, 4, 5)]),
    ("ReflectionPad3d(1)", [(2, 3, 4, 5, 2)]),
    ("ReplicationPad1d(2)", [(2, 3, 4)]),
    ("ReplicationPad2d(1)", [(2, 3, 4, 5)]),
    ("ReplicationPad3d(1)", [(2, 3, 4, 5, 2)]),
    ("CircularPad1d(2)", [(2, 3, 4)]),
    ("CircularPad2d(1)", [(2, 3, 4, 5)]),
    ("CircularPad3d(1)", [(2, 3, 4, 5, 2)]),
    ("BatchNorm1d(3)", [(4, 3, 5)]),
    ("BatchNorm3d(3)", [(2, 3, 4, 5, 2)]),
    ("InstanceNorm1d(3)", [(2, 3, 5)]),
    ("InstanceNorm2d(3, affine=True, track_running_stats=True)", [(2, 3, 4, 5)]),
    ("InstanceNorm3d(3, affine=True)", [(3, 2, 4, 5)]),
    ("GroupNorm(2, 6)", [(2, 6, 4, 5)]),
    ("GroupNorm(3, 6, affine=False)", [(2, 6)]),
    ("RMSNorm(6)", [(2, 6)]),
    ("RMSNorm((2, 6), eps=1e-3, elementwise_affine=False)", [(3, 2, 6)]),
    ("LocalResponseNorm(3)", [(2, 6, 4)]),
    ("Dropout1d(0.3)", []),
    ("Dropout3d()", []),
    ("AlphaDropout(0.2)", []),
    ("FeatureAlphaDropout(0.2)", []),
    ("Embedding(10, 3, padding_idx=2, max_norm=1.5, norm_type=1.0, scale_grad_by_freq=True)", []),
    ("EmbeddingBag(10, 3, mode='sum', padding_idx=2)", []),
    ("Bilinear(3, 4, 5)", [(6, 3), (6, 4)]),
    ("CosineSimilarity()", [(6, 3), (6, 3)]),
    ("PairwiseDistance(p=1.0, keepdim=True)", [(6, 3), (6, 3)]),
    ("HuberLoss(delta=0.5)", [(6, 3), (6, 3)]),
    ("KLDivLoss(reduction='batchmean', log_target=True)", [(6, 3), (6, 3)]),
    ("SoftMarginLoss()", [(6, 3), (6, 3)]),
    ("HingeEmbeddingLoss(0.5)", [(6, 3), (6, 3)]),
    ("MarginRankingLoss(0.5)", [(6,), (6,), (6,)]),
    ("TripletMarginLoss(p=2.0, swap=True)", [(6, 3), (6, 3), (6, 3)]),
    ("TripletMarginWithDistanceLoss(margin=0.7)", [(6, 3), (6, 3), (6, 3)]),
    ("CosineEmbeddingLoss()", [(6, 3), (6, 3), (6,)]),
    ("MultiLabelSoftMarginLoss()", [(6, 3), (6, 3)]),
    ("PoissonNLLLoss()", [(6, 3), (6, 3)]),
    ("CTCLoss()", []),
    ("GaussianNLLLoss()", []),
    ("MultiMarginLoss()", []),
    ("MultiLabelMarginLoss()", []),
    ("LazyLinear(3)", []),
    ("LazyConv2d(3, 2)", []),
    ("LazyConvTranspose1d(3, 2, stride=2)", []),
    ("LazyBatchNorm2d()", []),
    ("MaxUnpool2d(2)", []),
    ("Unflatten(1, (2, 2))", [(2, 4)]),
]


def build(text: str, home):
    return eval(f"home.{text}", {"home": home})


@needs_torch
@pytest.mark.parametrize(("text", "shapes"), LAYERS, ids=[t for t, _ in LAYERS])
def test_layer_is_pytorchs(text, shapes):
    rng = np.random.default_rng(3)
    ours, theirs = build(text, nn), build(text, torch.nn)
    assert repr(ours) == repr(theirs)
    assert list(ours.state_dict()) == list(theirs.state_dict())
    if not shapes:
        return
    ours.load_state_dict({k: lamina.tensor(v.numpy()) for k, v in theirs.state_dict().items()})
    inputs = [rng.standard_normal(s).astype(np.float32) for s in shapes]
    got, expected = ours(*map(lamina.tensor, inputs)), theirs(*map(torch.tensor, inputs))
    np.testing.assert_allclose(to_numpy(got), expected.detach().numpy(), rtol=2e-5, atol=2e-5)
    for k, v in theirs.state_dict().items():  # running statistics moved alike
        np.testing.assert_allclose(to_numpy(ours.state_dict()[k]), v.numpy(), rtol=1e-5, atol=1e-6)


@needs_torch
def test_transposed_output_size_and_unpool():
    x = np.random.default_rng(0).standard_normal((1, 3, 5, 6)).astype(np.float32)
    ours, theirs = nn.ConvTranspose2d(3, 2, 3, 2, 1), torch.nn.ConvTranspose2d(3, 2, 3, 2, 1)
    ours.load_state_dict({k: lamina.tensor(v.numpy()) for k, v in theirs.state_dict().items()})
    got = ours(lamina.tensor(x), output_size=(10, 11))
    expected = theirs(torch.tensor(x), output_size=(10, 11)).detach().numpy()
    np.testing.assert_allclose(to_numpy(got), expected, rtol=1e-5, atol=1e-5)
    with pytest.raises(ValueError, match="out of reach"):
        ours(lamina.tensor(x), output_size=(20, 11))


@pytest.mark.parametrize("name", ["dropout1d", "dropout2d", "dropout3d", "feature_alpha_dropout"])
def test_channel_dropout_drops_channels(name):
    rank = int(name[7]) if name[7].isdigit() else 2
    x = lamina.ones(4, 50, *[3] * rank)
    y = getattr(F, name)(x, 0.3, True).reshape(4, 50, -1)
    assert bool((y == y[:, :, :1]).all())
    assert 0.5 < float((y[:, :, 0] > 0.5).float().mean().item()) < 0.9
    assert bool((getattr(F, name)(x, 0.3, False) == x).all())


def test_alpha_dropout_keeps_moments():
    x = lamina.randn(200000)
    y = F.alpha_dropout(x, 0.3, True)
    assert abs(float(y.mean().item())) < 0.02
    assert abs(float(y.std().item()) - 1) < 0.02
    for p in (-0.1, 1.5):
        with pytest.raises(ValueError, match="p must be"):
            F.alpha_dropout(x, p, True)


def test_gumbel_softmax():
    logits = lamina.tensor([[0.0, 1.0, 2.0]]).expand(20000, 3).contiguous().requires_grad_()
    hard = F.gumbel_softmax(logits, hard=True)
    assert bool(((hard == 0) | ((hard - 1).abs() < 1e-6)).all())
    share = hard.detach().mean(0).numpy()
    np.testing.assert_allclose(share, np.exp([0, 1, 2]) / np.exp([0, 1, 2]).sum(), atol=0.02)
    (hard * lamina.tensor([1.0, 2.0, 3.0])).sum().backward()
    assert float(logits.grad.abs().sum().item()) > 0


def test_renormalised_and_counted_embedding():
    weight = lamina.tensor([[3.0, 4.0], [0.3, 0.4], [6.0, 8.0]], requires_grad=True)
    y = F.embedding(lamina.tensor([0, 0, 1]), weight, max_norm=1.0)
    np.testing.assert_allclose(to_numpy(y), [[0.6, 0.8], [0.6, 0.8], [0.3, 0.4]], rtol=1e-5)
    np.testing.assert_allclose(to_numpy(weight)[2], [6.0, 8.0])  # rows that nobody asked for stay
    F.embedding(lamina.tensor([0, 0, 1]), weight, scale_grad_by_freq=True).sum().backward()
    np.testing.assert_allclose(to_numpy(weight.grad), [[1, 1], [1, 1], [0, 0]])


def test_sparse_embedding_trains_with_sparse_adam():
    layer = lamina.nn.Embedding(4, 2, sparse=True)
    before = to_numpy(layer.weight).copy()
    optimizer = lamina.optim.SparseAdam(layer.parameters(), lr=0.1)
    for _ in range(2):
        optimizer.zero_grad()
        layer(lamina.tensor([1, 3, 1])).square().sum().backward()
        optimizer.step()
    changed = (to_numpy(layer.weight) != before).any(1)
    np.testing.assert_array_equal(changed, [False, True, False, True])
    bags = F.embedding_bag(lamina.tensor([[0, 1]]), layer.weight, mode="sum", sparse=True)
    np.testing.assert_allclose(to_numpy(bags)[0], to_numpy(layer.weight)[:2].sum(0), rtol=1e-6)


@needs_torch
@pytest.mark.parametrize("zero_infinity", [False, True])
def test_ctc_gradient_behind_log_softmax(zero_infinity):
    rng = np.random.default_rng(5)
    logits = rng.standard_normal((7, 3, 5))
    targets, lengths = rng.integers(1, 5, (3, 3)), ([7, 5, 2 if zero_infinity else 6], [3, 2, 3])
    ours, theirs = lamina.tensor(logits, requires_grad=True), torch.tensor(logits, requires_grad=True)
    a = F.ctc_loss(F.log_softmax(ours, 2), lamina.tensor(targets), *lengths, zero_infinity=zero_infinity)
    b = torch.nn.functional.ctc_loss(
        torch.log_softmax(theirs, 2), torch.tensor(targets), *map(torch.tensor, lengths), zero_infinity=zero_infinity
    )
    np.testing.assert_allclose(a.item(), b.item(), rtol=1e-10)
    a.backward()
    b.backward()
    np.testing.assert_allclose(ours.grad.numpy(), theirs.grad.numpy(), rtol=1e-8, atol=1e-10)


def test_ctc_of_the_impossible():
    log_probs = F.log_softmax(lamina.zeros(2, 1, 3), 2)
    target, lengths = lamina.tensor([[1, 1]]), ([2], [2])
    assert F.ctc_loss(log_probs, target, *lengths, reduction="sum").item() == float("inf")
    assert F.ctc_loss(log_probs, target, *lengths, reduction="sum", zero_infinity=True).item() == 0
    with pytest.raises(IndexError, match="not a class"):
        F.ctc_loss(log_probs, lamina.tensor([[1, 7]]), *lengths)


def test_instance_norm_moves_running_statistics():
    layer = nn.InstanceNorm1d(2, track_running_stats=True)
    x = lamina.randn(3, 2, 8)
    layer(x)
    np.testing.assert_allclose(to_numpy(layer.running_mean), 0.1 * x.mean((0, 2)).numpy(), rtol=1e-5, atol=1e-6)


def test_lazy_layers_become_plain_ones():
    model = nn.Sequential(nn.LazyConv2d(4, 3), nn.LazyBatchNorm2d(), nn.Flatten(), nn.LazyLinear(2)).eval()
    assert model(lamina.zeros(2, 3, 5, 5)).shape == (2, 2)
    assert [type(m).__name__ for m in model] == ["Conv2d", "BatchNorm2d", "Flatten", "Linear"]
    assert not any(m.training for m in model.modules())
    assert model[3].in_features == 36
    with pytest.raises(TypeError):
        nn.LazyLinear(2, colour="red")


def test_parameter_containers():
    plist = nn.ParameterList([lamina.zeros(2), lamina.ones(3)])
    plist.append(lamina.ones(1))
    assert [n for n, _ in plist.named_parameters()] == ["0", "1", "2"]
    assert len(plist[1:]) == 2
    assert plist[-1].shape == (1,)
    pdict = nn.ParameterDict({"a": lamina.zeros(2)})
    pdict["b"] = lamina.ones(1)
    assert list(pdict.keys()) == ["a", "b"]
    assert pdict.pop("a").shape == (2,)
    assert list(pdict.state_dict()) == ["b"]


def test_sync_batch_norm_is_refused():
    with pytest.raises(NotImplementedError, match="BatchNorm2d"):
        nn.SyncBatchNorm(3)


@pytest.mark.parametrize("make", [lambda: nn.Conv2d(3, 4, 3), lambda: nn.ConvTranspose2d(3, 4, 3)])
def test_fused_batch_norm(make):
    layer, bn = make().eval(), nn.BatchNorm2d(4)
    bn(lamina.randn(8, 4, 3, 3) * 2 + 1)
    bn.eval()
    fused = nn.utils.fuse_conv_bn_eval(layer, bn, isinstance(layer, nn.ConvTranspose2d))
    x = lamina.randn(2, 3, 6, 6)
    np.testing.assert_allclose(to_numpy(fused(x)), to_numpy(bn(layer(x))), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("home", [nn.utils, nn.utils.parametrizations])
def test_weight_norm(home):
    x = lamina.randn(5, 4)
    layer = nn.Linear(4, 3)
    expected = layer(x)
    normed = home.weight_norm(layer)
    np.testing.assert_allclose(to_numpy(normed(x)), to_numpy(expected), rtol=1e-5, atol=1e-6)
    normed(x).sum().backward()
    assert all(p.grad is not None for p in normed.parameters())
    assert len(list(normed.parameters())) == 3
    if home is nn.utils:
        nn.utils.remove_weight_norm(normed)
    else:
        nn.utils.parametrize.remove_parametrizations(normed, "weight")
    assert type(normed) is nn.Linear
    assert sorted(normed.state_dict()) == ["bias", "weight"]
    np.testing.assert_allclose(to_numpy(normed(x)), to_numpy(expected), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("home", [nn.utils, nn.utils.parametrizations])
def test_spectral_norm(home):
    layer = home.spectral_norm(nn.Linear(6, 4))
    for _ in range(60):
        layer(lamina.zeros(1, 6))
    layer.eval()
    layer(lamina.zeros(1, 6))
    assert abs(np.linalg.svd(to_numpy(layer.weight))[1][0] - 1) < 1e-3


def test_parametrized_weight_can_be_set():
    class Exp(nn.Module):
        def forward(self, x):
            return x.exp()

        def right_inverse(self, x):
            return x.log()

    layer = nn.Linear(2, 2)
    with lamina.no_grad():
        layer.weight.fill_(2.0)
    nn.utils.parametrize.register_parametrization(layer, "weight", Exp())
    np.testing.assert_allclose(to_numpy(layer.weight), 2.0, rtol=1e-6)
    layer.weight = lamina.full((2, 2), 5.0)
    np.testing.assert_allclose(to_numpy(layer.parametrizations.weight.original), np.log(5.0), rtol=1e-6)
    with nn.utils.parametrize.cached():
        assert layer.weight is layer.weight


def test_pruning():
    layer = nn.Linear(4, 2)
    with lamina.no_grad():
        layer.weight.copy_(lamina.arange(1.0, 9.0).reshape(2, 4))
    nn.utils.prune.l1_unstructured(layer, "weight", 0.25)
    np.testing.assert_array_equal(to_numpy(layer.weight_mask), [[0, 0, 1, 1], [1, 1, 1, 1]])
    nn.utils.prune.l1_unstructured(layer, "weight", 1)
    np.testing.assert_array_equal(to_numpy(layer.weight_mask)[0], [0, 0, 0, 1])
    assert nn.utils.prune.is_pruned(layer)
    layer(lamina.ones(1, 4)).sum().backward()
    np.testing.assert_array_equal(to_numpy(layer.weight_orig.grad)[0], [0, 0, 0, 1])
    nn.utils.prune.remove(layer, "weight")
    np.testing.assert_array_equal(to_numpy(layer.weight)[0], [0, 0, 0, 4])
    assert not nn.utils.prune.is_pruned(layer)
    nn.utils.prune.ln_structured(layer, "weight", 1, n=2, dim=0)
    np.testing.assert_array_equal(to_numpy(layer.weight)[0], 0)
    other = nn.Linear(4, 2)
    nn.utils.prune.global_unstructured([(layer, "weight"), (other, "weight")], nn.utils.prune.L1Unstructured, amount=4)
    left = float((layer.weight_mask.sum() + other.weight_mask.sum()).item())
    assert left == 8 + 4 - 4
    nn.utils.prune.custom_from_mask(nn.Linear(2, 1), "weight", lamina.tensor([[1.0, 0.0]]))


def test_deep_copy_of_a_parametrized_layer():
    layer = nn.utils.parametrizations.weight_norm(nn.Linear(3, 2))
    twin = copy.deepcopy(layer)
    np.testing.assert_array_equal(to_numpy(twin.weight), to_numpy(layer.weight))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: F.conv1d(lamina.zeros(1, 3, 4), lamina.zeros(2, 5, 2)), "conv1d: input has 3 channels"),
        (lambda: F.conv_transpose2d(lamina.zeros(1, 3, 4, 4), lamina.zeros(2, 5, 2, 2)), "weight expects 2"),
        (lambda: F.interpolate(lamina.zeros(1, 3, 4, 4), 2, mode="nearest", antialias=True), "antialias"),
        (lambda: F.interpolate(lamina.zeros(1, 3, 4), 2, mode="bilinear"), "4 dims"),
        (lambda: F.interpolate(lamina.zeros(1, 3, 4)), "either size or scale_factor"),
        (lambda: F.grid_sample(lamina.zeros(1, 3, 4, 4), lamina.zeros(1, 2, 2, 3)), "grid must be"),
        (lambda: F.fold(lamina.zeros(1, 12, 5), (4, 5), 2), "columns"),
        (lambda: F.group_norm(lamina.zeros(1, 6, 2), 4), "do not divide"),
        (lambda: F.max_unpool2d(lamina.zeros(1, 1, 2, 2), lamina.zeros(1, 1, 2, 2), 2), "indices"),
        (lambda: F.pixel_shuffle(lamina.zeros(1, 6, 2, 2), 2), "channels"),
        (lambda: F.embedding_bag(lamina.tensor([1]), lamina.zeros(3, 2)), "offsets"),
    ],
)
def test_errors_teach(call, message):
    with pytest.raises(ValueError, match=message):
        call()
