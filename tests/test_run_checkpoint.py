"""A run that was broken off ends in the same bits as the unbroken one: killed, interrupted, stopped by an error."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time

import lamina
import numpy as np
import pytest
from lamina import nn
from lamina.training import Callback, Checkpoint, Trainer
from lamina.utils.data import DataLoader, Dataset, IterableDataset, TensorDataset, WeightedRandomSampler

# Everything that could make a resumed run differ: dropout, batch norm, order and augmentation from three generators,
# groups of batches, a schedule, averaged weights, early stopping. Arguments: folder, milliseconds a step, resume?
SCRIPT = """
import sys, time, lamina
from lamina import nn
from lamina.utils.data import DataLoader, Dataset, TensorDataset
folder, pause, resume = sys.argv[1], float(sys.argv[2]) / 1000, sys.argv[3] == "resume"

class Noisy(Dataset):
    def __init__(self):
        g = lamina.Generator().manual_seed(1)
        self.x, self.y = lamina.randn(63, 6, generator=g), lamina.randint(3, (63,), generator=g)
        self.own = lamina.Generator().manual_seed(2)
    def __len__(self):
        return 63
    def __getitem__(self, i):
        noise = lamina.randn(6) * 0.1 + lamina.randn(6, generator=self.own) * 0.1
        return self.x[i] + noise, self.y[i]

class Pause(lamina.training.Callback):
    def on_fit_begin(self, trainer):
        print("ready", trainer.step, flush=True)
    def on_batch_end(self, trainer, loss):
        if pause:
            print("step", flush=True)
        time.sleep(pause)

lamina.set_num_threads(1)
lamina.manual_seed(5)
model = nn.Sequential(nn.Linear(6, 16), nn.BatchNorm1d(16), nn.ReLU(), nn.Dropout(0.3), nn.Linear(16, 3))
loader = DataLoader(Noisy(), 4, shuffle=True, generator=lamina.Generator().manual_seed(3))
history = lamina.fit(
    model, loader, TensorDataset(*Noisy()[:]) if False else (Noisy().x, Noisy().y), loss="cross_entropy", lr=0.01,
    epochs=EPOCHS, accumulate=2, clip_norm=1.0, ema=0.9, scheduler="onecycle", early_stopping=100,
    checkpoint=folder + "/run", checkpoint_every=3, resume=resume, callbacks=[Pause()], progress=False, seed=7,
)
for record in history:
    del record["seconds"]
lamina.save({"model": model.state_dict(), "history": history.records, "rng": lamina.rand(1)}, folder + "/final")
print("done")
""".replace("TensorDataset(*Noisy()[:]) if False else ", "")


def start(folder, pause, resume, epochs=25):
    arguments = [sys.executable, "-c", SCRIPT.replace("EPOCHS", str(epochs)), str(folder), str(pause)]
    return subprocess.Popen(
        [*arguments, "resume" if resume else "anew"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def finish(process):
    out, error = process.communicate(timeout=120)
    assert process.returncode == 0, error[-3000:]
    assert out.endswith("done\n")


def same_bits(a, b):
    assert list(a) == list(b)
    for name in a:
        x, y = a[name], b[name]
        assert (x.shape, x.dtype) == (y.shape, y.dtype) and x.numpy().tobytes() == y.numpy().tobytes(), name


def same_runs(a, b):
    same_bits(a["model"], b["model"])
    assert a["history"] == b["history"]
    assert a["rng"].item() == b["rng"].item()


@pytest.mark.slow
def test_killed_thirty_times(tmp_path):
    unbroken, broken = tmp_path / "unbroken", tmp_path / "broken"
    unbroken.mkdir()
    broken.mkdir()
    finish(start(unbroken, 0, False))
    points, reached = random.Random(11), []
    for kill in range(30):
        process = start(broken, 4, kill > 0)
        reached.append(int(process.stdout.readline().split()[1]))  # "ready STEP": the checkpoint is loaded
        for _ in range(points.randint(0, 10)):
            process.stdout.readline()
        time.sleep(points.uniform(0, 0.02))  # a step takes 4 ms, a checkpoint some more
        process.send_signal(signal.SIGKILL)
        process.communicate()
        assert process.returncode == -signal.SIGKILL, "the run ended before it was killed"
    assert reached == sorted(reached) and reached[-1] > 20 and len(set(reached)) > 8
    assert {step % 3 for step in reached} == {0}
    finish(start(broken, 0, True))
    same_runs(lamina.load(unbroken / "final"), lamina.load(broken / "final"))


def test_ctrl_c_saves_says_how_to_go_on_and_ends(tmp_path):
    unbroken, broken = tmp_path / "unbroken", tmp_path / "broken"
    unbroken.mkdir()
    broken.mkdir()
    finish(start(unbroken, 0, False, epochs=6))
    for part in range(3):
        process = start(broken, 5, part > 0, epochs=6)
        process.stdout.readline()
        time.sleep(0.03 + 0.01 * part)
        process.send_signal(signal.SIGINT)
        _, error = process.communicate(timeout=60)
        assert "KeyboardInterrupt" in error and process.returncode != 0
        assert f"saved {broken}/run; to go on: the same call with resume=True" in error
        assert error.splitlines()[-1].startswith("KeyboardInterrupt: interrupted in epoch ")
    finish(start(broken, 0, True, epochs=6))
    same_runs(lamina.load(unbroken / "final"), lamina.load(broken / "final"))


# -- every step of a small run -----------------------------------------------------------------------------------------
class Stop(Exception):
    pass


class StopAt(Callback):
    def __init__(self, step):
        self.at = step

    def on_batch_end(self, trainer, loss):
        if trainer.step == self.at:
            raise Stop


def net():
    lamina.manual_seed(3)
    return nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.Tanh(), nn.Dropout(0.4), nn.Linear(8, 2))


def rows(n=23):
    g = lamina.Generator().manual_seed(9)
    return lamina.randn(n, 4, generator=g), lamina.randint(2, (n,), generator=g)


class Numbers(Dataset):
    """Augmented from a NumPy generator, Python's random and the default generator."""

    def __init__(self, np_generator, py_generator):
        self.x, self.y = rows()
        self.np_generator, self.py_generator = np_generator, py_generator

    def __len__(self):
        return len(self.y)

    def __getitem__(self, i):
        noise = lamina.rand(4) + self.py_generator.random() + float(self.np_generator.normal())
        return self.x[i] + noise, self.y[i]


class ByIndex(Dataset):
    """Slow enough for threads to be at work, and noisy by a rule of its own for each index."""

    def __init__(self):
        self.x, self.y = rows()

    def __len__(self):
        return len(self.y)

    def __getitem__(self, i):
        return self.x[i] + lamina.randn(4, generator=lamina.Generator().manual_seed(i)), self.y[i]


class Flow(IterableDataset):
    def __iter__(self):
        for i in range(23):
            yield lamina.rand(4) + i % 3, i % 2


def plain():
    return rows(), {}


def with_foreign_generators():
    a, b = np.random.Generator(np.random.PCG64(1)), random.Random(2)
    return Numbers(a, b), {"generators": [a, b, np.random.Generator(np.random.MT19937(4))]}


def with_threads():
    return ByIndex(), {"num_workers": 2}


def weighted():
    sampler = WeightedRandomSampler([1.0, 2.0, 1.5] * 7 + [1.0, 1.0], 34)
    return DataLoader(TensorDataset(*rows()), 4, sampler=sampler), {}


def streamed():
    return Flow(), {"steps": 14, "epochs": 3}


def recorded_often():
    return rows(), {"record_every": 2, "scheduler": "plateau", "restore_best": True}


def bf16():
    return rows(), {"precision": "bf16", "optimizer": "sgd", "scheduler": "step", "lr": 0.1}


KINDS = [plain, with_foreign_generators, with_threads, weighted, streamed, recorded_often, bf16]


def run(kind, path, stop_at=None, resume=False):
    model = net()
    data, options = kind()
    options = {"epochs": 3, "lr": 0.02, "ema": 0.8, "accumulate": 2, "seed": 4, **options}
    trainer = Trainer(
        model,
        loss="cross_entropy",
        batch_size=3,
        checkpoint=path,
        checkpoint_every=1,
        resume=resume,
        callbacks=[StopAt(stop_at)],
        progress=False,
        **options,
    )
    history = trainer.fit(data, rows(10))
    return trainer, model.state_dict(), [{k: v for k, v in r.items() if k != "seconds"} for r in history]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_resumed_after_any_step(kind, tmp_path):
    trainer, weights, history = run(kind, tmp_path / "whole")
    steps = trainer.step
    assert 9 <= steps <= 27
    for stop in range(2, steps + 1, 1 if kind is plain else 3):
        path = tmp_path / f"part{stop}"
        with pytest.raises(Stop):
            run(kind, path, stop)  # the step after the last checkpoint is lost
        again, found, records = run(kind, path, None, True)
        same_bits(weights, found)
        assert records == history and again.step == steps


def test_a_finished_run_is_not_trained_further_and_more_epochs_go_on(tmp_path):
    _, weights, _ = run(plain, tmp_path / "run")
    _, again, _ = run(plain, tmp_path / "run", None, True)
    same_bits(weights, again)
    options = dict(loss="cross_entropy", lr=0.02, seed=4, progress=False)
    longer, model = net(), net()
    lamina.fit(longer, rows(), epochs=5, **options)
    lamina.fit(model, rows(), epochs=2, checkpoint=tmp_path / "c", **options)
    other = net()
    lamina.fit(other, rows(), epochs=5, checkpoint=tmp_path / "c", resume=True, **options)
    same_bits(longer.state_dict(), other.state_dict())


def test_the_file_is_a_readable_safetensors_file(tmp_path):
    run(plain, tmp_path / "run")
    tree = lamina.load(tmp_path / "run")
    model = net()
    model.load_state_dict(tree["model"])
    assert tree["epoch"] == 3 and tree["step"] == 12 and len(tree["extra"]["history"]) == 3
    safetensors = pytest.importorskip("safetensors.numpy")
    assert "model.0.weight" in safetensors.load_file(tmp_path / "run")


def test_what_does_not_fit_is_refused_before_anything_changes(tmp_path):
    path = tmp_path / "run"
    with pytest.raises(lamina.FileError, match="cannot open"):
        lamina.fit(net(), rows(), loss="cross_entropy", resume=path, progress=False)
    run(plain, path)
    model = net()
    before = {k: v.clone() for k, v in model.state_dict().items()}
    options = dict(loss="cross_entropy", batch_size=3, accumulate=2, seed=4, resume=path, progress=False, checks=False)
    for change, message in (
        ({"batch_size": 4}, "resume: batches was 8 when the file was written, now 6"),
        ({"accumulate": 1}, "accumulate was 2"),
        ({"seed": 5}, "seed was 4 when the file was written, now 5"),
        ({"callbacks": [StopAt(1)]}, "the file has ema, model, optimizer; asked for model, optimizer"),
        ({"callbacks": []}, "callbacks was .'StopAt'."),
    ):
        with pytest.raises(ValueError, match=message):
            lamina.fit(model, rows(), **{**options, **change})
    with pytest.raises(RuntimeError, match=r"size mismatch for 0\.weight"):
        wide = nn.Sequential(nn.Linear(5, 8), *net()[1:])
        lamina.fit(wide, rows(), callbacks=[StopAt(1)], ema=0.8, **options)
    same_bits(before, model.state_dict())
    lamina.save(model, tmp_path / "weights")
    with pytest.raises(ValueError, match="is not a checkpoint of fit"):
        lamina.fit(model, rows(), loss="cross_entropy", resume=tmp_path / "weights", progress=False)
    with pytest.raises(ValueError, match=r"weights is not a checkpoint; hint: lamina\.load"):
        Checkpoint(model=model).load(tmp_path / "weights")
    with pytest.raises(ValueError, match="resume=True needs checkpoint"):
        Trainer(model, loss="mse", resume=True)


def test_an_interrupt_within_a_step_leaves_the_earlier_checkpoint(tmp_path):
    class Break(nn.Module):
        calls = 0

        def __init__(self):
            super().__init__()
            self.inner = nn.Linear(4, 2)

        def forward(self, x):
            Break.calls += 1
            if Break.calls == 4:
                raise KeyboardInterrupt  # as the second Ctrl-C does
            return self.inner(x)

    with pytest.raises(KeyboardInterrupt, match="has an earlier step"):
        lamina.fit(
            Break(), rows(), loss="cross_entropy", checkpoint=tmp_path / "c", checkpoint_every="2 steps", progress=False
        )
    assert lamina.load(tmp_path / "c")["step"] == 2
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


@pytest.mark.parametrize(
    "options", [{"epochs": 3}, {"epochs": 3, "record_every": 3, "scheduler": "plateau"}, {"steps": 19}], ids=str
)
def test_an_interrupt_in_any_validation_is_gone_on_with(options, tmp_path):
    class Break(Callback):
        def __init__(self, at):
            self.at, self.steps = at, []

        def on_validation_end(self, trainer, values):
            self.steps.append(trainer.step)
            if trainer.step == self.at:
                raise KeyboardInterrupt

    def run(model, at, path, resume=False):
        breaks = Break(at)
        history = lamina.fit(
            model, rows(), rows(5), loss="cross_entropy", batch_size=3, seed=1, progress=False, early_stopping=50,
            checkpoint=path, resume=resume, callbacks=[breaks], **options,
        )  # fmt: skip
        return breaks.steps, [{k: v for k, v in r.items() if k != "seconds"} for r in history]

    whole = net()
    steps, expected = run(whole, None, tmp_path / "whole")
    assert len(steps) == len(expected) >= 3
    for i, at in enumerate(steps):
        with pytest.raises(KeyboardInterrupt, match=f" after step {at}; saved"):
            run(net(), at, tmp_path / "c", resume=i > 0)
    model = net()
    _, found = run(model, None, tmp_path / "c", resume=True)
    same_bits(whole.state_dict(), model.state_dict())
    assert found == expected


@pytest.mark.parametrize("seed", range(4))
def test_an_interrupt_while_batches_are_read_loses_none(seed, tmp_path):
    """The first of two batches of a step may have been read, with all that was drawn for it."""
    points = random.Random(seed)

    def run(path, resume):
        py, arrays = random.Random(1), np.random.Generator(np.random.PCG64(2))
        data = Numbers(arrays, py)
        plain, calls = type(data).__getitem__, iter(range(10**6))
        at = points.randint(1, 40) if path.name == "broken" else None

        class Breaking(Numbers):
            def __getitem__(self, i):
                item = plain(self, i)
                if next(calls) == at:
                    raise KeyboardInterrupt
                return item

        data.__class__ = Breaking
        model = net()
        lamina.fit(
            model, data, loss="cross_entropy", epochs=4, batch_size=3, accumulate=2, seed=1, progress=False,
            checkpoint=path, checkpoint_every="100 epochs", resume=resume, generators=[py, arrays],
        )  # fmt: skip
        return model.state_dict()

    whole = run(tmp_path / "whole", False)
    for breaks in range(40):
        try:
            found = run(tmp_path / "broken", breaks > 0)
            break
        except KeyboardInterrupt:
            continue
    assert breaks > 3
    same_bits(whole, found)


class Breaks(Callback):
    """Ends a run by an error or Ctrl-C at one turn in ten."""

    def __init__(self, points, share):
        self.points, self.share = points, share

    def perhaps(self, *_):
        if self.points.random() < self.share:
            raise Stop if self.points.random() < 0.5 else KeyboardInterrupt

    on_epoch_begin = on_batch_begin = on_batch_end = on_validation_begin = on_checkpoint = perhaps


@pytest.mark.parametrize("seed", range(12))
def test_random_runs_broken_at_random_turns(seed, tmp_path):
    points = random.Random(seed)
    options = {
        "epochs": points.randint(1, 4),
        "accumulate": points.choice([1, 2, 3]),
        "ema": points.choice([None, 0.5]),
        "scheduler": points.choice([None, "onecycle", "plateau", "step", "warmup_cosine"]),
        "clip_norm": points.choice([None, 0.5]),
        "early_stopping": points.choice([None, 1, 2]),
        "record_every": points.choice([None, 1, 2, 5]),
        "optimizer": points.choice(["adamw", "sgd", "rmsprop", "nadam"]),
        "checkpoint_every": points.choice(["epoch", "2 epochs", 1, 3, 7]),
        "steps": points.choice([None, None, points.randint(1, 30)]),
    }

    def run(path, share):
        model = net()
        history = lamina.fit(
            model, rows(), rows(7), loss="cross_entropy", batch_size=3, lr=0.02, progress=False, checks=False,
            checkpoint=path, resume=True, callbacks=[Breaks(points, share)], **options,
        )  # fmt: skip
        return model.state_dict(), [{k: v for k, v in r.items() if k != "seconds"} for r in history], history.stopped

    whole = run(tmp_path / "whole", 0.0)
    for tries in range(100):
        try:
            found = run(tmp_path / "broken", 0.1 if tries < 60 else 0.0)
            break
        except (Stop, KeyboardInterrupt):
            continue
    same_bits(whole[0], found[0])
    assert whole[1:] == found[1:]


def test_early_stopping_that_was_interrupted_stops(tmp_path):
    class Break(Callback):
        def on_validation_begin(self, trainer):
            if trainer.step == 4:
                raise KeyboardInterrupt

    options = dict(loss="cross_entropy", batch_size=3, progress=False, record_every=2, early_stopping=1, min_delta=9.0)
    path = tmp_path / "c"
    with pytest.raises(KeyboardInterrupt):
        lamina.fit(net(), rows(), rows(7), checkpoint=path, callbacks=[Break()], **options)
    Break.on_validation_begin = lambda self, trainer: None
    history = lamina.fit(net(), rows(), rows(7), checkpoint=path, resume=True, callbacks=[Break()], **options)
    assert history["step"] == [2, 4] and history.stopped.startswith("stopped early")


# -- loops of one's own ------------------------------------------------------------------------------------------------
def own_loop(path, stop_at=None):
    lamina.manual_seed(8)
    model = net()
    optimizer = lamina.optim.AdamW(model.parameters(), lr=0.01)
    scheduler = lamina.optim.lr_scheduler.StepLR(optimizer, 1, 0.5)
    ema = lamina.optim.swa_utils.AveragedModel(model)
    loader = DataLoader(TensorDataset(*rows()), 4, shuffle=True)
    checkpoint = Checkpoint(model=model, optimizer=optimizer, scheduler=scheduler, ema=ema, loader=loader)
    checkpoint.extra["losses"] = []
    if os.path.exists(path):
        checkpoint.load(path)
    for _ in checkpoint.epochs(3):
        model.train()
        for x, y in checkpoint.batches():
            optimizer.zero_grad()
            loss = nn.functional.cross_entropy(model(x), y)
            loss.backward()
            optimizer.step()
            ema.update_parameters(model)
            checkpoint.extra["losses"].append(loss.item())
            checkpoint.step += 1
            if checkpoint.step == stop_at:
                raise Stop
            if checkpoint.step % 2 == 0:
                checkpoint.save(path)
        scheduler.step()
        checkpoint.save(path)
    return checkpoint.state_dict()


def test_own_loops_go_on_in_the_same_bits(tmp_path):
    whole = own_loop(tmp_path / "whole")
    assert whole["epoch"] == 3 and whole["step"] == 18
    for stop in range(1, 19):
        path = tmp_path / f"part{stop}"
        with pytest.raises(Stop):
            own_loop(path, stop)
        part = own_loop(path)
        same_bits(whole["model"], part["model"])
        same_bits(whole["ema"], part["ema"])
        assert whole["extra"] == part["extra"] and whole["scheduler"] == part["scheduler"]


def test_leaving_the_batches_early_ends_the_epoch():
    loader = DataLoader(TensorDataset(lamina.arange(10)), 2)
    checkpoint, seen = Checkpoint(loader=loader), []
    for epoch in checkpoint.epochs(2):
        for (x,) in checkpoint.batches():
            seen.append((epoch, x[0].item()))
            if x[0].item() == 2:
                break
    assert seen == [(0, 0), (0, 2), (1, 0), (1, 2)] and checkpoint.epoch == 2


def test_generators_are_found_in_datasets_transforms_and_closures():
    from functools import partial

    from lamina.utils.data.streams import find_generators

    a, b, c, d = (lamina.Generator() for _ in range(4))

    class Holder:
        def __init__(self, thing):
            self.thing = thing

        def method(self):
            return self.thing

    transform = lambda x: x + lamina.rand(1, generator=b)
    loader = DataLoader([1, 2], generator=a)
    loader.extra = [Holder(transform), partial(transform, generator=c), Holder(d).method, lamina.default_generator]
    assert [id(g) for g in find_generators(loader)] == [id(g) for g in (a, b, c, d)]
    with pytest.raises(TypeError, match=r"expected lamina\.Generator, numpy"):
        Checkpoint(generators=["x"])
    with pytest.raises(TypeError, match="needs state_dict"):
        Checkpoint(model=3)
    with pytest.raises(ValueError, match="needs a loader"):
        list(Checkpoint().batches())


def test_parts_and_foreign_generators_round_trip(tmp_path):
    class Part:
        value = 1

        def state_dict(self):
            return {"value": self.value}

        def load_state_dict(self, state):
            self.value = state["value"]

    part = Part()
    generators = [
        np.random.Generator(np.random.MT19937(1)),
        random.Random(1),
        np.random.RandomState(3),
        lamina.Generator(),
    ]
    checkpoint = Checkpoint(parts={"mine": part}, generators=generators)
    checkpoint.save(tmp_path / "c")
    draw = lambda: [
        generators[0].random(),
        generators[1].random(),
        generators[2].rand(),
        lamina.rand(1, generator=generators[3]).item(),
    ]
    first = draw()
    part.value = 5
    checkpoint.load(tmp_path / "c")
    assert draw() == first and part.value == 1


def test_a_failed_load_rolls_back(tmp_path):
    class Refuses:
        def state_dict(self):
            return {}

        def load_state_dict(self, state):
            if state != {}:
                raise ValueError("no")

    model = nn.Linear(2, 2)
    tree = Checkpoint(model=model, parts={"a": Refuses()}).state_dict()
    tree["model"] = {k: v + 1 for k, v in tree["model"].items()}
    tree["parts.a"] = {"x": 1}
    before = {k: v.clone() for k, v in model.state_dict().items()}
    with pytest.raises(ValueError, match="no"):
        Checkpoint(model=model, parts={"a": Refuses()}).load_state_dict(tree)
    same_bits(before, model.state_dict())
