"""What a resumed, an interrupted and a diverged run say."""

from __future__ import annotations

import warnings

import lamina
import pytest
from lamina import nn, optim
from lamina.models import DCGAN, GAN
from lamina.training import Callback, NaNLossError, TrainingWarning


def rows():
    x = lamina.rand(24, 3, generator=lamina.Generator().manual_seed(1))
    return x, x.sum(1, keepdim=True)


def fit(path, **options):
    lamina.manual_seed(0)
    model = nn.Linear(3, 1)
    options = {"loss": "mse", "lr": 0.01, "batch_size": 4, "epochs": 2, "progress": False, **options}
    lamina.fit(model, rows(), checkpoint=path, **options)
    return model.weight.tolist()


def test_settings_that_a_resumed_run_does_not_follow_are_named(tmp_path, capsys):
    whole = fit(tmp_path / "whole", epochs=4)
    for options, words in [
        ({"lr": 0.5}, ["lr=0.01 (not 0.5)"]),
        ({"lr": 0.5, "weight_decay": 0.3}, ["lr=0.01 (not 0.5)", "weight_decay=None (not 0.3)"]),
        ({"optimizer": lambda p: optim.AdamW(p, lr=0.2, betas=(0.5, 0.9))}, ["betas=[0.9, 0.999] (not [0.5, 0.9])"]),
    ]:
        path = tmp_path / str(len(str(options)))
        fit(path)
        with pytest.warns(TrainingWarning, match="goes on with what it began with") as caught:
            found = fit(path, epochs=4, resume=True, **options)
        assert all(word in str(caught[0].message) for word in words)
        assert found == whole, "what is said is what is done"
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        path = tmp_path / "same"
        fit(path)
        capsys.readouterr()
        assert fit(path, epochs=4, resume=True) == whole
    assert f"lamina: resumes {path} at epoch 3 of 4 (12 of 24 steps done)" in capsys.readouterr().err


def test_settings_of_instances_and_schedules(tmp_path):
    def run(lr, gamma, **options):
        return fit(
            tmp_path / "run",
            optimizer=lambda p: optim.SGD(p, lr=lr, momentum=0.5),
            scheduler=lambda o: optim.lr_scheduler.StepLR(o, 1, gamma),
            **options,
        )

    run(0.1, 0.5)
    with pytest.warns(TrainingWarning) as caught:
        run(0.2, 0.9, epochs=4, resume=True)
    assert "lr=" in str(caught[0].message) and "scheduler: gamma=0.5 (not 0.9)" in str(caught[0].message)


@pytest.mark.parametrize("then", ["sgd", optim.Lion, lambda p: optim.Adam(p, lr=0.01)])
def test_another_optimizer_is_refused_by_name(tmp_path, then):
    fit(tmp_path / "run")
    before = (tmp_path / "run").read_bytes()
    with pytest.raises(
        ValueError, match=r"resume: the optimizer was AdamW when the run began, now it is (SGD|Lion|Adam)"
    ):
        fit(tmp_path / "run", optimizer=then, epochs=4, resume=True)
    assert (tmp_path / "run").read_bytes() == before
    fit(tmp_path / "cosine", scheduler="cosine", steps=6, epochs=None)
    with pytest.raises(ValueError, match="the scheduler was CosineAnnealingLR"):
        fit(tmp_path / "cosine", scheduler="linear", steps=6, epochs=None, resume=True)


def test_where_a_run_resumes_is_always_said(tmp_path, capsys):
    path = tmp_path / "run"
    fit(path, steps=4, resume=True)
    assert capsys.readouterr().err == f"lamina: resume: there is no {path} yet, so the run begins anew\n"
    fit(path, resume=True)
    assert capsys.readouterr().err == f"lamina: resumes {path} at epoch 1 of 2, batch 5 (4 of 12 steps done)\n"
    fit(path, resume=True)
    assert capsys.readouterr().err == f"lamina: resumes {path} at its end, after epoch 2 (12 of 12 steps done)\n"


def test_an_interrupt_says_in_its_last_line_what_is_kept(tmp_path, capsys):
    class Break(Callback):
        def on_batch_end(self, trainer, loss):
            if trainer.step == 3:
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt) as caught:
        fit(None, callbacks=[Break()])
    assert str(caught.value).startswith("interrupted in epoch 1 after step 3; nothing was saved; hint: checkpoint=path")
    with pytest.raises(KeyboardInterrupt) as caught:
        fit(tmp_path / "run", callbacks=[Break()])
    assert str(caught.value) == "interrupted in epoch 1 after step 3; nothing was saved yet"
    assert capsys.readouterr().err == ""


def test_a_loss_that_is_no_number_says_what_to_try():
    x, y = rows()
    model = nn.Linear(3, 1)
    for options, tries in [
        ({"optimizer": "sgd", "lr": 1e20}, "hint: a smaller lr (1e+19), clip_norm=1.0, scheduler='warmup_cosine'"),
        (
            {"optimizer": "sgd", "lr": 1e20, "clip_norm": 1e25, "precision": "bf16"},
            "scheduler='warmup_cosine', precision=",
        ),
    ]:
        with pytest.raises(NaNLossError) as caught:
            lamina.fit(model, (x, y), loss="mse", epochs=50, checks=False, progress=False, **options)
        assert tries in str(caught.value)
    x[3] = float("nan")
    with pytest.raises(NaNLossError, match=r"in the data$"):
        lamina.fit(nn.Linear(3, 1), (x, y), loss="mse", progress=False)


def test_a_gan_says_that_its_data_misses_half_of_the_range():
    x = lamina.rand(16, 1, 8, 8)
    quiet = {"epochs": 1, "progress": False}
    for make in (
        lambda **o: GAN(shape=(1, 8, 8), hidden=(8,), **o),
        lambda **o: DCGAN(channels=1, size=8, width=4, **o),
    ):
        with pytest.warns(TrainingWarning, match=r"reaches from 0.* upper half of value_range \(-1, 1\)") as caught:
            make().fit(x, **quiet)
        assert len([w for w in caught if "upper half" in str(w.message)]) == 1
        with warnings.catch_warnings():
            warnings.filterwarnings("error", message=".*upper half.*")
            make().fit(x * 2 - 1, **quiet)
            make(value_range=(0, 1)).fit(x, **quiet)
