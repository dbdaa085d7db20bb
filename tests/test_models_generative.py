"""Autoencoders, VAE, anomaly detection and GANs: twins in PyTorch, training, samples, bits, errors."""

from __future__ import annotations

import copy
import functools
import math

import lamina
import numpy as np
import pytest
from conftest import needs_torch, torch
from harness import to_numpy
from lamina import models
from processes import dumped

TOLERANCE = {"float32": 1e-5, "float64": 1e-10}
DTYPES = pytest.mark.parametrize("dtype", ["float32", "float64"])


def twins():
    import vision_twins

    return vision_twins


def twin_of(module, dtype, seed=1):
    """PyTorch's net of the same layers, both with the same weights."""
    theirs = twins().spread(twins().plain(module).to(getattr(torch, dtype)), seed)
    module.to(getattr(lamina, dtype))
    module.load_state_dict({k: lamina.tensor(v.numpy()) for k, v in theirs.state_dict().items()})
    return theirs


def close(name, got, expected, tolerance):
    got, expected = to_numpy(got), expected.detach().numpy()
    assert got.shape == expected.shape, name
    scale = max(1.0, float(np.abs(expected).max(initial=0)))
    worst = float(np.abs(got - expected).max(initial=0)) / scale
    assert worst <= tolerance, f"{name}: off by {worst:.3g}"


def same_gradients(pairs, tolerance):
    for ours, theirs in pairs:
        for (key, p), q in zip(ours.named_parameters(), theirs.parameters(), strict=True):
            close(f"gradient of {key}", p.grad, q.grad, tolerance)


def images(dtype, *shape, low=0.0):
    return np.random.default_rng(3).uniform(low, 1, shape).astype(dtype)


@pytest.fixture(scope="module")
def digits():
    return lamina.datasets.digits()


# -- autoencoder -----------------------------------------------------------------------------------------------------
@needs_torch
@DTYPES
@pytest.mark.parametrize("loss", ["mse", "bce"])
@pytest.mark.parametrize("config", [{"hidden": (9, 7)}, {"kind": "conv", "hidden": (4, 6, 5)}], ids=["dense", "conv"])
def test_autoencoder_is_its_twin(config, loss, dtype):
    shape = (2, 7, 10)
    ours = models.Autoencoder(shape=shape, latent=5, loss=loss, **config)
    encoder, decoder = twin_of(ours.encoder, dtype), twin_of(ours.decoder, dtype, 2)
    x = images(dtype, 4, *shape)
    a, b = lamina.tensor(x), torch.tensor(x)
    code = encoder(b)
    made = decoder(code)
    if loss == "bce":
        made = torch.sigmoid(made)
        error = torch.nn.functional.binary_cross_entropy(made, b, reduction="none")
    else:
        error = (made - b) ** 2
    close("code", ours.encode(a), code, TOLERANCE[dtype])
    close("reconstruction", ours(a), made, TOLERANCE[dtype])
    close("error of rows", ours.reconstruction_error(a), error.flatten(1).mean(1), TOLERANCE[dtype])
    found = ours.training_loss(a)
    close("loss", found, error.mean(), TOLERANCE[dtype])
    found.backward()
    error.mean().backward()
    same_gradients([(ours.encoder, encoder), (ours.decoder, decoder)], TOLERANCE[dtype])


@pytest.mark.parametrize("kind", ["dense", "conv"])
@pytest.mark.parametrize("loss", ["mse", "bce"])
def test_autoencoder_learns_digits(kind, loss, digits):
    lamina.manual_seed(2)
    hidden = (64, 32) if kind == "dense" else (8, 16)
    model = models.Autoencoder(kind=kind, loss=loss, hidden=hidden, noise=0.05, mask=0.05)
    x = digits[0][:400]
    before = model.evaluate(x)["loss"]
    history = model.fit(digits, epochs=3, lr=4e-3, progress=False)  # with labels, which it does not read
    assert history["loss"][-1] < history["loss"][0]
    assert model.evaluate(x)["loss"] < 0.75 * before
    assert set(model.evaluate((x, digits[1][:400]))) == {"loss"}
    assert model.predict(x).shape == (400, 1, 8, 8)
    assert model.encode(x).shape == (400, 16)


def test_denoising_spoils_in_training_alone():
    x = lamina.ones(50, 64)
    noisy = models.Autoencoder(shape=(64,), mask=0.5)
    assert float(noisy._spoilt(x).mean().item()) == pytest.approx(0.5, abs=0.05)
    wild = models.Autoencoder(shape=(64,), noise=0.5)
    assert float(wild._spoilt(x).std().item()) == pytest.approx(0.5, abs=0.05)
    plain = copy.deepcopy(noisy)
    plain.config = models.AutoencoderConfig(shape=(64,))
    assert noisy.training_loss(x).item() != plain.training_loss(x).item()
    assert noisy.eval().training_loss(x).item() == plain.training_loss(x).item()


# -- VAE -------------------------------------------------------------------------------------------------------------
@needs_torch
@DTYPES
@pytest.mark.parametrize("loss", ["bce", "mse"])
@pytest.mark.parametrize("config", [{"hidden": (9, 7)}, {"kind": "conv", "hidden": (4, 6)}], ids=["dense", "conv"])
def test_vae_is_its_twin(config, loss, dtype):
    shape = (2, 5, 6)
    ours = models.VAE(shape=shape, latent=3, loss=loss, beta=0.7, **config)
    parts = [ours.encoder, ours.mean, ours.logvar, ours.decoder]
    theirs = [twin_of(part, dtype, i) for i, part in enumerate(parts)]
    x = images(dtype, 4, *shape)
    ours.to(getattr(lamina, dtype))
    lamina.manual_seed(11)
    eps = lamina.randn(4, 3, dtype=getattr(lamina, dtype)).numpy()
    lamina.manual_seed(11)
    found = ours.training_loss(lamina.tensor(x), lamina.zeros(4))
    error, divergence = twins().vae_terms(*theirs, torch.tensor(x), torch.tensor(eps), loss)
    expected = (error + 0.7 * divergence).mean()
    close("loss", found, expected, TOLERANCE[dtype])
    generator = lamina.Generator().manual_seed(11)
    close("elbo", ours.elbo(lamina.tensor(x), generator=generator), -error - divergence, TOLERANCE[dtype])
    found.backward()
    expected.backward()
    same_gradients(zip(parts, theirs, strict=True), TOLERANCE[dtype])


@pytest.mark.parametrize("kind", ["dense", "conv"])
def test_vae_learns_digits_and_samples(kind, digits):
    lamina.manual_seed(2)
    model = models.VAE(kind=kind, hidden=(64,) if kind == "dense" else (8, 16))
    x = digits[0]
    before = model.evaluate(x)["loss"]
    history = model.fit(x, epochs=4, lr=3e-3, progress=False)
    assert history["loss"][-1] < history["loss"][0]
    assert model.evaluate(x)["loss"] < 0.75 * before
    assert model.evaluate(x) == model.evaluate(x)
    made = model.sample(6, seed=3)
    assert made.shape == (6, 1, 8, 8)
    assert bool(((made >= 0) & (made <= 1)).all())
    assert not made.requires_grad
    model.train()
    state = lamina.get_rng_state()
    assert bool((model.sample(6, seed=3) == made).all())
    assert bool((lamina.get_rng_state() == state).all()), "a seeded draw moved the default generator"
    assert model.training
    assert not bool((model.sample(6, seed=4) == made).all())
    generator = lamina.Generator().manual_seed(3)
    assert bool((model.sample(6, generator=generator) == made).all())
    lamina.manual_seed(3)
    assert bool((model.sample(6) == made).all())
    assert model.sample(0).shape == (0, 1, 8, 8)
    out, mean, logvar = model.eval()(x[:5])
    assert (out.shape, mean.shape, logvar.shape) == ((5, 1, 8, 8), (5, 8), (5, 8))
    assert bool((model.predict(x[:5]) == out).all())


def test_elbo_of_many_draws_is_tighter_than_its_spread():
    lamina.manual_seed(0)
    model, x = models.VAE(hidden=(16,)), lamina.rand(2, 1, 8, 8)
    draws = lamina.stack([model.elbo(x) for _ in range(200)]).mean(0)
    np.testing.assert_allclose(to_numpy(model.elbo(x, samples=200)), to_numpy(draws), rtol=0.02)


# -- anomaly detection -----------------------------------------------------------------------------------------------
@pytest.mark.parametrize("make", [models.Autoencoder, models.VAE])
def test_anomalies_among_digits(make, digits):
    x, y = digits
    lamina.manual_seed(4)
    detector = models.AnomalyDetector(make())
    normal = x[y == 0]
    detector.fit(normal[:120], epochs=60, lr=3e-3, progress=False)
    threshold = detector.fit_threshold(normal[120:150], quantile=0.9)
    assert threshold == float(detector.threshold.item())
    tested = lamina.cat([normal[150:], x[y == 1][:40]])
    truth = lamina.cat([lamina.zeros(len(normal) - 150), lamina.ones(40)]).bool()
    scores = detector.score(tested)
    assert scores.shape == truth.shape
    assert bool((detector.predict(tested) == (scores > threshold)).all())
    found = detector.evaluate(tested, truth)
    assert found["roc_auc"] > 0.95
    assert found["recall"] > 0.8
    assert found["f1"] > 0.8
    other = models.AnomalyDetector(make())
    other.load_state_dict(detector.state_dict())
    assert bool((other.predict(tested) == detector.predict(tested)).all())


class Fixed(models.Model):
    """Predicts zeros: the score of a row is the mean of its squares."""

    def __init__(self):
        super().__init__()
        self.unused = lamina.nn.Parameter(lamina.ones(1))

    def forward(self, x):
        return x * 0

    def prediction(self, x):
        return self(x)


def test_anomaly_numbers():
    metrics = pytest.importorskip("sklearn.metrics")
    rng = np.random.default_rng(1)
    x = np.round(rng.standard_normal((300, 1)), 1).astype(np.float32)  # with ties
    y = rng.random(300) < 0.3
    detector = models.AnomalyDetector(Fixed())
    scores = detector.score(x).numpy()
    np.testing.assert_allclose(scores, x[:, 0] ** 2, rtol=1e-6)
    threshold = detector.fit_threshold(x, quantile=0.83)
    assert threshold == pytest.approx(np.quantile(scores, 0.83), rel=1e-6)
    found, flagged = detector.evaluate(x, y), scores > np.float32(threshold)
    assert found["roc_auc"] == pytest.approx(metrics.roc_auc_score(y, scores), abs=1e-12)
    assert found["precision"] == pytest.approx(metrics.precision_score(y, flagged))
    assert found["recall"] == pytest.approx(metrics.recall_score(y, flagged))
    assert found["f1"] == pytest.approx(metrics.f1_score(y, flagged))
    none = detector.evaluate(x, np.zeros(300, bool))
    assert math.isnan(none["roc_auc"])
    assert none["f1"] == 0
    x[5] = np.nan
    assert bool(detector.predict(x)[5].item())
    assert detector.evaluate(x, np.arange(300) == 5)["roc_auc"] == 1
    with pytest.raises(ValueError, match="NaN"):
        detector.fit_threshold(x)


# -- GANs ------------------------------------------------------------------------------------------------------------
GANS = {
    "gan": lambda **o: models.GAN(shape=(2, 3, 4), hidden=(7, 9), latent=5, **o),
    "dcgan": lambda **o: models.DCGAN(size=16, channels=2, width=3, latent=5, **o),
}
NORMS = [
    ("gan", "none"),
    ("gan", "layer"),
    ("dcgan", "batch"),
    ("dcgan", "instance"),
    ("dcgan", "layer"),
    ("dcgan", "none"),
]


@needs_torch
@DTYPES
@pytest.mark.parametrize(("name", "norm"), NORMS)
def test_losses_of_gans_are_their_twins(name, norm, dtype):
    tolerance = TOLERANCE[dtype]
    for loss in ["bce"] if norm == "batch" else ["bce", "wasserstein_gp"]:
        ours = GANS[name](norm=norm, loss=loss)
        made, judge = twin_of(ours.generator, dtype), twin_of(ours.discriminator, dtype, 2)
        x = images(dtype, 6, *ours.shape, low=-1.0)
        z = np.random.default_rng(5).standard_normal((6, 5)).astype(dtype)
        real, other = lamina.tensor(x), torch.tensor(x)
        fake, false = ours(lamina.tensor(z)), made(torch.tensor(z))
        close("images", fake, false, tolerance)
        found = ours._discriminator_loss(real, fake.detach())
        if loss == "bce":
            expected = twins().bce(judge(other), 1) + twins().bce(judge(false.detach()), 0)
        else:
            expected = judge(false.detach()).mean() - judge(other).mean()
        close("discriminator", found, expected, tolerance)
        found.backward()
        expected.backward()
        same_gradients([(ours.discriminator, judge)], tolerance)
        found = ours._generator_loss(fake)
        expected = twins().bce(judge(false), 1) if loss == "bce" else -judge(false).mean()
        close("generator", found, expected, tolerance)
        found.backward()
        expected.backward()
        same_gradients([(ours.generator, made)], tolerance)


@needs_torch
@pytest.mark.parametrize(("name", "norm"), [pair for pair in NORMS if pair[1] != "batch"])
def test_gradient_of_the_penalty(name, norm):
    """A gradient through a gradient: convolutions, norms and leaky ReLU."""
    ours = GANS[name](norm=norm, loss="wasserstein_gp")
    judge = twin_of(ours.discriminator, "float64", 2)
    shape = ours.shape
    real, fake = images("float64", 4, *shape, low=-1.0), images("float64", 4, *shape, low=-1.0)[::-1].copy() ** 3
    mix = np.random.default_rng(6).random(4)
    found = models.gan.gradient_penalty(ours.discriminator, *map(lamina.tensor, (real, fake, mix)))
    expected = twins().penalty(judge, *map(torch.tensor, (real, fake, mix)))
    close("penalty", found, expected, 1e-10)
    (10 * found).backward()
    (10 * expected).backward()
    pairs = zip(ours.discriminator.named_parameters(), judge.parameters(), strict=True)
    given = [(key, p.grad, q.grad) for (key, p), q in pairs]
    assert sum(float(q.abs().sum()) > 0 for _, _, q in given if q is not None) >= 3
    for key, p, q in given:  # a last bias has no part in it
        if q is not None and p is not None:
            close(key, p, q, 1e-10)
        else:
            assert (p is None or not bool((p != 0).any())) and (q is None or not bool((q != 0).any())), key


def test_penalty_where_the_gradient_is_zero():
    layer = lamina.nn.Linear(3, 1)
    with lamina.no_grad():
        layer.weight.zero_()
    value = models.gan.gradient_penalty(lambda x: layer(x).flatten(), lamina.rand(4, 3), lamina.rand(4, 3))
    value.backward()
    assert value.item() == 1
    assert bool(layer.weight.grad.isfinite().all())


@pytest.mark.parametrize("loss", ["bce", "wasserstein_gp"])
@pytest.mark.parametrize("name", ["gan", "dcgan"])
def test_gan_trains_on_digits(name, loss, digits):
    lamina.manual_seed(5)
    common = {"loss": loss, "value_range": (0, 1), "latent": 16, "critic_steps": 2 if loss != "bce" else None}
    if name == "gan":
        model = models.GAN(hidden=(64,), **common)
    else:
        model = models.DCGAN(size=8, channels=1, width=16, **common)
    x, y = digits
    real = float(x.mean().item())

    def distance():
        made = model.sample(300, seed=1)
        assert bool(((made >= 0) & (made <= 1)).all())
        return float((made.mean(0) - x.mean(0)).abs().mean().item())

    before = distance()
    history = model.fit((x[:800], y[:800]), epochs=16, lr=1e-3, batch_size=32, progress=False)
    assert distance() < 0.6 * before, "samples are no nearer to the data's mean image"
    assert {"loss", "discriminator", "generator"} <= set(history.names())
    assert ("penalty" in history.names()) == (loss != "bce")
    assert 0 < real < 1
    assert int(model.updates.item()) == 16 * 25
    found = model.predict(x[:20])
    assert found.shape == (20,)
    assert loss != "bce" or bool(((found >= 0) & (found <= 1)).all())
    assert set(model.evaluate(x[:64])) == {"loss"}
    assert bool((model.sample(3, seed=2) == model.sample(3, seed=2)).all())


def test_critic_steps_and_resuming(digits):
    """The generator moves at every third step, also across a save."""
    lamina.manual_seed(6)
    model = models.GAN(hidden=(8,), critic_steps=3)
    batch = (digits[0][:16] * 2 - 1,)
    optimizers = model.configure_optimizers(1e-3)
    assert optimizers["generator"].param_groups[0]["betas"] == (0.5, 0.999)
    moved = []
    for i in range(7):
        if i == 4:
            other = models.GAN(hidden=(8,), critic_steps=3)
            other.load_state_dict(model.state_dict())
            model, optimizers = other, other.configure_optimizers(1e-3)
        moved.append("generator" in model.training_step(batch, optimizers))
    assert moved == [False, False, True, False, False, True, False]
    critic = models.wgan_gp(size=8, width=4)
    assert critic.configure_optimizers(1e-3)["generator"].param_groups[0]["betas"] == (0.0, 0.9)


@pytest.mark.parametrize(
    "make", [lambda: models.DCGAN(size=8, channels=1, width=8, critic_steps=3), lambda: models.VAE(loss="mse")]
)
def test_a_resumed_run_has_the_same_bits(make, digits, tmp_path):
    x = digits[0][:128] * 2 - 1

    def weights(*runs):
        for i, options in enumerate(runs):
            lamina.manual_seed(1 + i)
            model = make()
            model.fit(x, progress=False, **options)
        return [to_numpy(v).tobytes() for v in model.state_dict().values()]

    path = str(tmp_path / "run.safetensors")
    halves = {"epochs": 2, "checkpoint": path}, {"epochs": 4, "checkpoint": path, "resume": True}
    assert weights(*halves) == weights({"epochs": 4})


# -- bits ------------------------------------------------------------------------------------------------------------
@functools.cache
def dump(isa, *threads):
    return dumped("models_dump.py", isa, *threads, timeout=600)


@pytest.mark.slow
def test_trained_weights_have_the_same_bits_on_any_threads():
    found = dump("", 1, 2, 4)
    assert found["2"] == found["1"]
    assert found["4"] == found["1"]


@pytest.mark.slow
@pytest.mark.parametrize("isa", ["base", "avx2", "avx512"])
def test_trained_weights_have_the_same_bits_at_any_level(isa):
    assert dump(isa, 1)["1"] == dump("", 1, 2, 4)["1"]


# -- hostile input ---------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: models.Autoencoder(kind="conv", shape=(64,)), "shape"),
        (lambda: models.Autoencoder(kind="cnn"), "'dense' or 'conv'"),
        (lambda: models.Autoencoder(shape=()), "shape"),
        (lambda: models.Autoencoder(hidden=()), "hidden"),
        (lambda: models.Autoencoder(latent=0), "latent"),
        (lambda: models.Autoencoder(mask=1.0), "mask"),
        (lambda: models.Autoencoder(noise=-1), "noise"),
        (lambda: models.VAE(beta=float("nan")), "beta"),
        (lambda: models.VAE(loss="l1"), "'mse' or 'bce'"),
        (lambda: models.VAE().sample(-1), "n must be"),
        (lambda: models.VAE().sample(2, seed=1.5), "seed"),
        (lambda: models.VAE().sample(2, seed=1, generator=lamina.Generator()), "not both"),
        (lambda: models.VAE().elbo(lamina.zeros(1, 1, 8, 8), samples=0), "samples"),
        (lambda: models.GAN(loss="hinge"), "wasserstein_gp"),
        (lambda: models.GAN(norm="batch"), "'none' or 'layer'"),
        (lambda: models.GAN(value_range=(1, 0)), "low < high"),
        (lambda: models.GAN(betas=(0.5, 1.0)), r"betas\[1\]"),
        (lambda: models.GAN(critic_steps=0), "critic_steps"),
        (lambda: models.DCGAN(size=12), "power of two"),
        (lambda: models.DCGAN(size=4), "power of two"),
        (lambda: models.DCGAN(norm="group"), "norm must be"),
        (lambda: models.wgan_gp(norm="batch"), "batch norm mixes"),
        (lambda: models.AnomalyDetector(Fixed()).predict(lamina.zeros(2, 3)), "fit_threshold"),
        (lambda: models.AnomalyDetector(Fixed()).fit_threshold(lamina.zeros(2, 3), 1.5), "quantile"),
        (lambda: models.AnomalyDetector(Fixed()).evaluate(lamina.zeros(2, 3), [1]), "2 rows need as many truths"),
        (lambda: models.AnomalyDetector(models.MLP()).score(lamina.zeros(2, 64)), "should predict its input"),
    ],
)
def test_wrong_arguments(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_wrong_data():
    with pytest.raises(TypeError, match=r"lamina\.models\.Model"):
        models.AnomalyDetector(lamina.nn.Linear(2, 2))
    for model in (models.Autoencoder(), models.VAE()):
        name = type(model).__name__
        with pytest.raises(lamina.ShapeError, match=rf"{name}: expected shape \(N, 1, 8, 8\), got \(2, 64\)"):
            model(lamina.zeros(2, 64))
        with pytest.raises(lamina.DtypeError, match=name):
            model(lamina.zeros(2, 1, 8, 8, dtype=lamina.uint8))
        model = type(model)(loss="bce")
        with pytest.raises(ValueError, match=rf"{name}: loss 'bce' needs values in \[0, 1\].* -1 to 1"):
            model.training_loss(lamina.linspace(-1, 1, 128).reshape(2, 1, 8, 8))
    for model in (models.GAN(), models.DCGAN(size=8, channels=1, width=4)):
        name = type(model).__name__
        optimizers = model.configure_optimizers(1e-3)
        with pytest.raises(ValueError, match=f"{name}: the data reaches from 0 to 255, expected -1 to 1"):
            model.training_step((lamina.linspace(0, 255, 128).reshape(2, 1, 8, 8),), optimizers)
        with pytest.raises(ValueError, match=f"{name}: the data reaches from nan"):
            model.training_step((lamina.full((2, 1, 8, 8), math.nan),), optimizers)
        with pytest.raises(lamina.ShapeError, match=name):
            model.predict(lamina.zeros(2, 1, 4, 8))
        with pytest.raises(lamina.ShapeError, match=name):
            model(lamina.zeros(2, 3))
