"""Image transforms: properties, PyTorch as oracle, and randomness that belongs to the sample alone."""

from __future__ import annotations

import hashlib
import math
import os
import sys

import lamina
import numpy as np
import pytest
from conftest import needs_torch, torch
from harness import to_numpy
from hypothesis import given, settings
from hypothesis import strategies as st
from lamina import vision
from lamina.utils.data import DataLoader, Subset, TensorDataset
from lamina.vision import sample_seeds
from processes import ok

SEEDED = {
    "flip": lambda: vision.RandomHorizontalFlip(),
    "vertical flip": lambda: vision.RandomVerticalFlip(),
    "crop": lambda: vision.RandomCrop(10, padding=(1, 2), padding_mode="reflect"),
    "crop filled": lambda: vision.RandomCrop((14, 9), padding=3, fill=(1, 0, 1)),
    "rotation": lambda: vision.RandomRotation(30, fill=1),
    "affine": lambda: vision.RandomAffine(20, (0.2, 0.1), (0.8, 1.2), (-5, 5, -3, 3), center=(2.0, 3.0)),
    "resized crop": lambda: vision.RandomResizedCrop((7, 9)),
    "jitter": lambda: vision.ColorJitter(0.4, 0.4, 0.4, 0.1),
    "erasing": lambda: vision.RandomErasing(value="random"),
    "cutout": lambda: vision.Cutout(5, p=0.7),
    "noise": lambda: vision.GaussianNoise(),
    "gray": lambda: vision.RandomGrayscale(0.5),
    "apply": lambda: vision.RandomApply([vision.RandomVerticalFlip(), vision.GaussianNoise()], 0.5),
    "all": lambda: vision.Compose(
        [
            vision.RandomCrop(12, padding=2),
            vision.RandomHorizontalFlip(),
            vision.ColorJitter(0.3, 0.3),
            vision.ToFloat(),
        ]
    ),
}


def images(count=9, h=12, w=13, dtype="float32", seed=0):
    x = np.random.default_rng(seed).random((count, 3, h, w))
    return lamina.tensor((x * 255).astype(np.uint8) if dtype == "uint8" else x.astype(dtype))


def same(a, b):
    return a.dtype == b.dtype and to_numpy(a).tobytes() == to_numpy(b).tobytes() and a.shape == b.shape


@pytest.mark.parametrize("dtype", ["float32", "uint8", "float64"])
@pytest.mark.parametrize("name", SEEDED)
def test_a_batch_equals_its_samples_one_by_one(name, dtype):
    t, x = SEEDED[name](), images(dtype=dtype)
    seeds = sample_seeds(3, 1, range(len(x)))
    together = t(x, seeds)
    for i, seed in enumerate(seeds):
        assert same(together[i], t(x[i], seed)), i
    order = [5, 2, 7]
    assert same(t(x[order], [seeds[i] for i in order]), together[order])
    assert not same(t(x, sample_seeds(3, 2, range(len(x)))), together)
    if name != "all":
        assert together.dtype == x.dtype
    empty = t(x[:0], [])
    assert empty.shape == (0, *together.shape[1:])


@pytest.mark.parametrize("name", SEEDED)
def test_threads_and_layout_change_nothing(name):
    t, x = SEEDED[name](), images()
    seeds = sample_seeds(0, 0, range(len(x)))
    want = t(x, seeds)
    before = lamina.get_num_threads()
    try:
        lamina.set_num_threads(1)
        assert same(t(x, seeds), want)
    finally:
        lamina.set_num_threads(before)
    assert same(t(x.contiguous(memory_format=lamina.channels_last), seeds), want)


@pytest.mark.parametrize("name", SEEDED)
def test_large_batches_go_in_pieces(name, monkeypatch):
    t, x = SEEDED[name](), images()
    seeds = sample_seeds(0, 0, range(len(x)))
    want = t(x, seeds)
    for piece in (1, 3 * 12 * 13 * 2 + 5):
        monkeypatch.setattr("lamina._augment._PIECE", piece)
        assert same(t(x, seeds), want)


def digest():
    h = hashlib.sha256()
    for make in SEEDED.values():
        h.update(to_numpy(make()(images(), sample_seeds(0, 0, range(9)))).tobytes())
    return h.hexdigest()


@pytest.mark.slow
def test_every_instruction_set_gives_the_same_bits():
    path = os.pathsep.join([os.path.dirname(__file__), *sys.path])
    code = "from test_vision_transforms import digest\nprint(digest())"
    assert ok(code, LAMINA_ISA="base", PYTHONPATH=path).strip() == digest()


def test_without_seeds_the_default_generator_decides():
    t, x = vision.RandomCrop(8), images()
    lamina.manual_seed(4)
    first = t(x)
    assert not same(t(x), first)
    lamina.manual_seed(4)
    assert same(t(x), first)


def test_augment_depends_on_seed_epoch_and_index_alone():
    x, y = images(40), lamina.arange(40)
    make = lambda seed=5: vision.Augment(
        TensorDataset(x, y), [vision.RandomCrop(12, padding=2), vision.ColorJitter(0.3, hue=0.2)], seed
    )
    data = make()
    alone = [data[i] for i in range(40)]
    for workers, size in [(0, 7), (2, 7), (3, 16)]:
        got = list(DataLoader(make(), batch_size=size, num_workers=workers))
        assert same(lamina.cat([b[0] for b in got]), lamina.stack([a[0] for a in alone]))
        assert lamina.cat([b[1] for b in got]).tolist() == y.tolist()
    shuffled = DataLoader(make(), batch_size=8, shuffle=True, generator=lamina.Generator().manual_seed(1))
    for batch, labels in shuffled:
        for image, label in zip(batch, labels.tolist(), strict=True):
            assert same(image, alone[label][0])
    for other in (make(6), make()):
        other.set_epoch(1)
        assert not same(other[0][0], alone[0][0])
    plain = vision.Augment([(x[i], i) for i in range(40)], vision.RandomCrop(12, padding=2), 5)
    view = vision.Augment(Subset(TensorDataset(x, y), range(40)), vision.RandomCrop(12, padding=2), 5)
    assert same(plain[-1][0], view[39][0]) and plain[-1][1] == 39
    assert same(vision.Augment(list(x), vision.RandomCrop(12, padding=2), 5)[39], view[39][0])


def test_augment_of_images_of_several_sizes():
    sizes = [(12, 9), (20, 14), (9, 9)]
    data = [(images(1, h, w)[0], i) for i, (h, w) in enumerate(sizes)]
    augmented = vision.Augment(data, vision.RandomResizedCrop(8))
    batch = augmented.__getitems__([0, 1, 2])
    assert all(same(batch[i][0], augmented[i][0]) and batch[i][0].shape == (3, 8, 8) for i in range(3))


@pytest.mark.parametrize("mixer", [vision.MixUp, vision.CutMix])
def test_augment_mixes_with_samples_of_the_dataset(mixer):
    x, y = images(30), lamina.arange(30) % 3
    data = vision.Augment(TensorDataset(x, y), vision.RandomHorizontalFlip(), 2, mix=mixer(1.0, num_classes=3))
    got, labels = next(iter(DataLoader(data, batch_size=30, num_workers=2)))
    for i in range(30):
        image, label = data[i]
        assert same(image, got[i]) and same(label, labels[i])
    assert labels.shape == (30, 3) and np.allclose(to_numpy(labels.sum(1)), 1)
    assert bool((labels[lamina.arange(30), y] > 0).any())
    data.set_epoch(1)
    assert not same(data[0][0], got[0])
    with pytest.raises(ValueError, match="label"):
        vision.Augment(list(x), vision.RandomHorizontalFlip(), mix=mixer(num_classes=2))[0]


@given(st.integers(1, 9), st.integers(1, 9), st.integers(0, 2**64 - 1))
@settings(max_examples=30, deadline=None)
def test_flips_are_their_own_inverse(h, w, seed):
    x = images(1, h, w)[0]
    for kind in (vision.RandomHorizontalFlip, vision.RandomVerticalFlip):
        assert same(kind(1.0)(kind(1.0)(x)), x) and same(kind(0.0)(x, seed), x)
        assert same(kind()(kind()(x, seed), seed), x)


@given(st.integers(1, 12), st.integers(1, 12), st.integers(0, 5), st.integers(0, 2**64 - 1))
@settings(max_examples=40, deadline=None)
def test_a_crop_lies_inside(h, w, padding, seed):
    x = lamina.arange(1, 145).reshape(1, 12, 12)
    out = to_numpy(vision.RandomCrop((h, w), padding=padding)(x, seed))[0]
    assert out.shape == (h, w)
    frame = np.pad(np.arange(1, 145).reshape(12, 12), padding)
    places = [
        (t, left)
        for t in range(frame.shape[0] - h + 1)
        for left in range(frame.shape[1] - w + 1)
        if (frame[t : t + h, left : left + w] == out).all()
    ]
    assert places


def test_crops_reach_every_place_evenly():
    x = lamina.arange(6).reshape(1, 1, 1, 6).expand(6000, 1, 1, 6)
    found = vision.RandomCrop((1, 3))(x, sample_seeds(0, 0, range(6000)))[:, 0, 0, 0]
    counts = lamina.bincount(found, minlength=4).tolist()
    assert len(counts) == 4 and all(abs(c - 1500) < 150 for c in counts)


@pytest.mark.parametrize("mode", ["constant", "edge", "reflect", "symmetric"])
@pytest.mark.parametrize("dtype", ["float32", "uint8"])
def test_pad_is_numpys(mode, dtype):
    x = images(2, 5, 7, dtype)
    want = np.pad(to_numpy(x), [(0, 0), (0, 0), (2, 4), (1, 3)], mode=mode)
    assert (to_numpy(vision.Pad((1, 2, 3, 4), padding_mode=mode)(x)) == want).all()
    if mode in ("edge", "symmetric"):
        wide = np.pad(to_numpy(x), [(0, 0), (0, 0), (9, 9), (9, 9)], mode=mode)
        assert (to_numpy(vision.Pad(9, padding_mode=mode)(x)) == wide).all()
    filled = to_numpy(vision.Pad(1, fill=(1, 2, 3))(x))
    assert filled[0, :, 0, 0].tolist() == [1, 2, 3] and (filled[:, :, 1:-1, 1:-1] == to_numpy(x)).all()


def test_center_crop():
    x = lamina.arange(25).reshape(1, 5, 5)
    assert vision.CenterCrop(3)(x).tolist() == x[:, 1:4, 1:4].tolist()
    assert vision.CenterCrop((1, 9))(x)[0].tolist() == [[0, 0, 10, 11, 12, 13, 14, 0, 0]]


@needs_torch
@pytest.mark.parametrize("size", [(5, 6), (30, 40), (12, 13), (1, 1), (24, 5)])
def test_resize_is_pytorchs_interpolate(size):
    x = images()
    for antialias in (True, False):
        want = torch.nn.functional.interpolate(
            torch.tensor(to_numpy(x)), size, mode="bilinear", antialias=antialias, align_corners=False
        )
        got = vision.Resize(size, antialias=antialias)(x)
        assert np.abs(to_numpy(got) - want.numpy()).max() < 2e-6
    want = torch.nn.functional.interpolate(torch.tensor(to_numpy(x)), size, mode="nearest")
    assert (to_numpy(vision.Resize(size, interpolation="nearest")(x)) == want.numpy()).all()
    whole = vision.Resize(size)(images(dtype="uint8"))
    exact = vision.Resize(size)(images(dtype="uint8").double())
    assert whole.dtype == lamina.uint8 and np.abs(to_numpy(whole) - to_numpy(exact)).max() <= 0.5 + 1e-4


def test_resize_keeps_the_shape_for_one_number():
    assert vision.Resize(6)(images(h=12, w=20)).shape == (9, 3, 6, 10)
    assert vision.Resize(6)(images(h=20, w=12)).shape == (9, 3, 10, 6)
    assert vision.Resize(6, max_size=8)(images(h=12, w=20)).shape == (9, 3, 4, 8)


@needs_torch
def test_resized_crop_is_the_resized_window():
    t, x = vision.RandomResizedCrop((6, 8)), images(40, 24, 24)
    u = lamina.rand(40, t.draws, dtype=lamina.float64)
    fits, *box = vision.geometry.boxes(24, 24, u, t.scale, t.ratio, False)
    assert bool(fits.all())
    out = t.change(x, u)
    for i, (h, w, top, left) in enumerate(zip(*(b.to(lamina.int64).tolist() for b in box), strict=True)):
        assert 0 <= top <= 24 - h and 0 <= left <= 24 - w and 0.5 < w / h < 2
        want = torch.nn.functional.interpolate(
            torch.tensor(to_numpy(x[i : i + 1, :, top : top + h, left : left + w])),
            (6, 8),
            mode="bilinear",
            antialias=True,
        )
        assert np.abs(to_numpy(out[i]) - want.numpy()[0]).max() < 2e-6
    middle = vision.RandomResizedCrop((4, 2), scale=(1.0, 1.0), ratio=(0.5, 0.5), interpolation="nearest")
    assert middle(lamina.arange(64).reshape(1, 8, 8).float()).tolist() == [[[2, 4], [18, 20], [34, 36], [50, 52]]]


@needs_torch
@pytest.mark.parametrize("mode", ["bilinear", "nearest"])
def test_rotation_is_grid_sample(mode):
    x = images(3, 11, 14, "float64")
    for angle in (0.0, 17.0, 90.0, -135.0):
        out = vision.RandomRotation((angle, angle), interpolation=mode)(x)
        turn = math.radians(angle)
        ys, xs = np.meshgrid(np.arange(11) - 5.0, np.arange(14) - 6.5, indexing="ij")
        grid = np.stack(  # counter-clockwise on a screen whose y points down
            [
                (math.cos(turn) * xs - math.sin(turn) * ys) / 7,
                (math.sin(turn) * xs + math.cos(turn) * ys) / 5.5,
            ],
            -1,
        )
        if mode == "nearest" and angle != 17.0:
            continue  # ties
        want = torch.nn.functional.grid_sample(
            torch.tensor(to_numpy(x)), torch.tensor(grid).expand(3, 11, 14, 2), mode, "zeros", False
        )
        assert np.abs(to_numpy(out) - want.numpy()).max() < 1e-9


def test_affine_maps():
    x = images(2, 9, 9, "float64")
    four = vision.RandomRotation((90, 90))
    assert np.allclose(to_numpy(four(four(four(four(x))))), to_numpy(x))
    assert np.allclose(to_numpy(four(x)), np.rot90(to_numpy(x), 1, (2, 3)))
    shifted = vision.RandomAffine(0, translate=(0.3, 0.0))
    found = set()
    for seed in range(150):
        out = to_numpy(shifted(x[0], seed))
        moves = [m for m in range(-3, 4) if np.allclose(out, np.roll(_cut(to_numpy(x[0]), m), m, -1))]
        assert len(moves) == 1
        found.update(moves)
    assert found == set(range(-3, 4))
    double = vision.RandomAffine(0, scale=(2.0, 2.0))(x)
    assert np.allclose(to_numpy(double[:, :, 4, 4]), to_numpy(x[:, :, 4, 4]))
    assert np.allclose(to_numpy(double[:, :, 4, 2]), to_numpy(x[:, :, 4, 3]))
    filled = vision.RandomRotation((45, 45), fill=(0.25, 0.5, 1.0))(x)
    assert np.allclose(to_numpy(filled[0, :, 0, 0]), [0.25, 0.5, 1.0])


def _cut(x, move):
    """Without what a shift pushes out."""
    x = x.copy()
    if move:
        x[..., -move if move > 0 else 0 : None if move > 0 else -move] = 0
    return x


def test_jitter_is_its_formulas():
    import colorsys

    x = images(4, 5, 6, "float64")
    a = to_numpy(x)
    gray = 0.2989 * a[:, :1] + 0.587 * a[:, 1:2] + 0.114 * a[:, 2:]
    for kind, want in {
        "brightness": np.clip(a * 1.5, 0, 1),
        "contrast": np.clip(a * 1.5 - 0.5 * gray.mean((1, 2, 3), keepdims=True), 0, 1),
        "saturation": np.clip(a * 1.5 - 0.5 * gray, 0, 1),
    }.items():
        assert np.abs(to_numpy(vision.ColorJitter(**{kind: (1.5, 1.5)})(x)) - want).max() < 1e-12
    turned = to_numpy(vision.ColorJitter(hue=(0.3, 0.3))(x))
    for place in np.ndindex(4, 5, 6):
        n, i, j = place
        h, s, v = colorsys.rgb_to_hsv(*a[n, :, i, j])
        assert np.allclose(turned[n, :, i, j], colorsys.hsv_to_rgb((h + 0.3) % 1.0, s, v), atol=1e-12)
    assert same(vision.ColorJitter()(x), x)
    assert np.allclose(to_numpy(vision.ColorJitter(hue=(0.2, 0.2))(x[:, :1])), a[:, :1])
    assert np.allclose(to_numpy(vision.Grayscale(3)(x)), np.repeat(gray, 3, 1))


def test_jitter_takes_every_order():
    t = vision.ColorJitter(0.5, 0.5, 0.5)
    u = lamina.rand(300, t.draws, dtype=lamina.float64)
    assert len({tuple(o) for o in u[:, :3].argsort(1).tolist()}) == 6
    x = images(300, 4, 4)
    out = t.change(x, u)
    for i in (0, 17, 299):
        assert same(t.change(x[i : i + 1], u[i : i + 1])[0], out[i])


def test_normalize_and_dtypes():
    x = images()
    mean, std = (0.1, 0.2, 0.3), (0.5, 0.25, 2.0)
    want = (to_numpy(x) - np.float32(mean).reshape(3, 1, 1)) / np.float32(std).reshape(3, 1, 1)
    assert (to_numpy(vision.Normalize(mean, std)(x)) == want).all()
    levels = lamina.arange(256).to(lamina.uint8).reshape(1, 16, 16)
    for dtype in (lamina.float32, lamina.float64):
        back = vision.ConvertImageDtype(lamina.uint8)(vision.ConvertImageDtype(dtype)(levels))
        assert same(back, levels)
    assert vision.ToFloat()(levels).amax().item() == 1.0


def test_erasing():
    x = lamina.ones(400, 3, 20, 20)
    seeds = sample_seeds(0, 0, range(400))
    out = to_numpy(vision.RandomErasing(p=0.5, value=(2, 3, 4))(x, seeds))
    shares = (out[:, 0] != 1).mean((1, 2))
    assert abs((shares > 0).mean() - 0.5) < 0.1 and shares.max() < 0.36 and shares[shares > 0].min() > 0.01
    assert set(np.unique(out[:, 2])) == {1.0, 4.0}
    for image in out[:, 0]:  # one full rectangle
        rows, columns = np.nonzero(image != 1)
        assert len(rows) == (np.ptp(rows) + 1) * (np.ptp(columns) + 1) if len(rows) else True
    cut = to_numpy(vision.Cutout(6)(x, seeds))[:, 0]
    sizes = (cut == 0).sum((1, 2))
    assert sizes.max() == 36 and sizes.min() >= 9
    held = x[:2].clone()
    assert vision.RandomErasing(1.0, inplace=True)(held).data_ptr() == held.data_ptr() and held.amin().item() == 0


def test_noise_is_normal():
    out = to_numpy(vision.GaussianNoise(0.1, 0.5, clip=False)(lamina.zeros(20, 1, 50, 50)))
    assert abs(out.mean() - 0.1) < 0.01 and abs(out.std() - 0.5) < 0.01
    dark = vision.GaussianNoise(sigma=0.2)(lamina.full((1, 50, 50), 128, dtype=lamina.uint8))
    assert dark.dtype == lamina.uint8 and abs(float(to_numpy(dark).std()) - 51) < 3


@pytest.mark.parametrize("alpha", [0.2, 1.0, 3.0])
def test_mixing_weights_are_beta(alpha):
    from lamina.vision.mix import symmetric_beta

    lam = np.sort(to_numpy(symmetric_beta(alpha, lamina.rand(20000, 2, dtype=lamina.float64))))
    assert lam[0] >= 0 and lam[-1] <= 1
    assert abs(lam.mean() - 0.5) < 0.01 and abs(lam.var() - 1 / (4 * (2 * alpha + 1))) < 0.004
    if alpha == 1.0:
        assert np.abs(lam - np.linspace(0, 1, 20000)).max() < 0.02  # uniform
    edge = symmetric_beta(1e-3, lamina.tensor([[0.0, 0.0], [0.999999, 0.6], [0.5, 0.25]], dtype=lamina.float64))
    assert bool(edge.isfinite().all())


def test_mixed_labels_say_what_is_in_the_image():
    x = lamina.arange(8).reshape(8, 1, 1, 1).expand(8, 1, 16, 16).float()
    y = lamina.arange(8)
    seeds = sample_seeds(1, 0, range(8))
    for mix in (vision.MixUp(0.7, 8), vision.CutMix(0.7, 8)):
        images_, labels = mix(x, y, seeds)
        assert np.allclose(to_numpy(images_.mean((1, 2, 3))), to_numpy(labels @ lamina.arange(8).float()), atol=1e-5)
        again, soft = mix(x, lamina.nn.functional.one_hot(y, 8), seeds)
        assert same(again, images_) and same(soft, labels)
    loss = lamina.nn.functional.cross_entropy(lamina.zeros(8, 8), labels)
    assert abs(loss.item() - math.log(8)) < 1e-5


def test_gradients_pass():
    x = images(2).requires_grad_()
    t = vision.Compose([vision.RandomRotation(20), vision.RandomResizedCrop(6), vision.ColorJitter(0.2, 0.2)])
    t(x, [1, 2]).sum().backward()
    assert x.grad is not None and bool(x.grad.isfinite().all()) and bool((x.grad != 0).any())


@pytest.mark.parametrize(
    ("make", "error", "word"),
    [
        (lambda: vision.RandomCrop(0), ValueError, "size"),
        (lambda: vision.RandomCrop(4, padding=-1), ValueError, "padding"),
        (lambda: vision.RandomCrop(40)(images()), lamina.ShapeError, "pad_if_needed"),
        (lambda: vision.Pad(12, padding_mode="reflect")(images()), lamina.ShapeError, "reflect"),
        (lambda: vision.Pad(1, padding_mode="mirror"), ValueError, "symmetric"),
        (lambda: vision.Pad(1, fill=(1, 2))(images()), lamina.ShapeError, "fill"),
        (lambda: vision.Pad(1, fill=0.5)(images(dtype="uint8")), ValueError, "whole"),
        (lambda: vision.RandomHorizontalFlip(2), ValueError, "p must"),
        (lambda: vision.RandomRotation(-1), ValueError, "degrees"),
        (lambda: vision.RandomRotation(10, expand=True), ValueError, "expand"),
        (lambda: vision.RandomAffine(0, translate=(2, 0)), ValueError, "translate"),
        (lambda: vision.RandomAffine(0, scale=(0, 1)), ValueError, "scale"),
        (lambda: vision.RandomAffine(0, shear=90), ValueError, "shear"),
        (lambda: vision.Resize((3, 4), max_size=9), ValueError, "max_size"),
        (lambda: vision.Resize(3, interpolation="cubic"), ValueError, "bilinear"),
        (lambda: vision.ColorJitter(hue=0.7), ValueError, "hue"),
        (lambda: vision.ColorJitter(brightness=-1), ValueError, "brightness"),
        (lambda: vision.ColorJitter(0.5)(lamina.zeros(4, 3, 3)), lamina.ShapeError, "channels"),
        (lambda: vision.Normalize([0.5], [0.0]), ValueError, "std"),
        (lambda: vision.Normalize([0.5], [1.0])(images(dtype="uint8")), lamina.DtypeError, "ToFloat"),
        (lambda: vision.ConvertImageDtype(lamina.int64), lamina.DtypeError, "uint8"),
        (lambda: vision.RandomErasing(scale=(0.1, 2)), ValueError, "scale"),
        (lambda: vision.Compose([len]), TypeError, "Lambda"),
        (lambda: vision.MixUp(0), ValueError, "alpha"),
        (lambda: vision.MixUp()(images(), lamina.arange(9)), ValueError, "num_classes"),
        (lambda: vision.CutMix(num_classes=3)(images(), lamina.arange(9)), ValueError, "between 0 and 2"),
        (lambda: vision.RandomCrop(3)(images(), [1]), ValueError, "seeds"),
        (lambda: vision.RandomCrop(3)(images(), 1), ValueError, "one per sample"),
        (lambda: vision.RandomCrop(3)(lamina.zeros(3, 3)), lamina.ShapeError, "C, H, W"),
        (lambda: vision.RandomCrop(3)([1]), TypeError, "Tensor"),
        (lambda: vision.Augment([1, 2], vision.RandomCrop(2))[0], TypeError, "subscriptable|Tensor"),
        (lambda: vision.Augment(list(images()), vision.RandomCrop(2))[9], IndexError, "out of range"),
        (lambda: vision.Augment([], vision.RandomCrop(2)).set_epoch(-1), ValueError, "epoch"),
    ],
)
def test_wrong_arguments(make, error, word):
    with pytest.raises(error, match=word):
        make()
