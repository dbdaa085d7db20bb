"""What a run leaves behind: history, logs, progress, energy; and the callbacks that are called while it goes."""

from __future__ import annotations

import csv
import io
import json
import math
import os
import subprocess
import sys

import lamina
import pytest
from lamina import nn
from lamina.training import Callback, EarlyStopping, EnergyMeter, History, Trainer


def rows(n=48, seed=1):
    g = lamina.Generator().manual_seed(seed)
    x = lamina.randn(n, 4, generator=g)
    return x, (x[:, 0] > 0).long() + (x[:, 1] > 0).long()


def net():
    lamina.manual_seed(2)
    return nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Linear(16, 3))


def fit(model, data=None, validation=None, **options):
    options = {"loss": "cross_entropy", "epochs": 3, "lr": 0.01, "batch_size": 8, "progress": False, **options}
    return lamina.fit(model, rows() if data is None else data, validation, **options)


def without_time(history):
    return [{k: v for k, v in record.items() if k not in ("seconds", "joules")} for record in history]


# -- history, logs, progress, energy, callbacks ------------------------------------------------------------------------
def test_history_reads_like_a_list_and_a_table(tmp_path):
    history = fit(net(), rows(), rows(seed=3))
    assert len(history) == 3 and history[-1]["epoch"] == 3 and history["epoch"] == [1, 2, 3]
    assert [r["step"] for r in history] == [6, 12, 18] and len(history[1:]) == 2
    text = history.csv(tmp_path / "h.csv")
    assert (tmp_path / "h.csv").read_text() == text
    read = list(csv.DictReader(io.StringIO(text)))
    assert [float(r["val_loss"]) for r in read] == history["val_loss"]
    with pytest.raises(KeyError, match="History has no 'acc'; it has epoch, step, loss"):
        history["acc"]
    lines = repr(history).splitlines()
    assert len(lines) == 4 and lines[0].split()[:3] == ["epoch", "step", "loss"]
    assert len(repr(History([{"epoch": i} for i in range(100)])).splitlines()) == 22
    assert repr(History()) == "History()" and History().csv() == "\n"


def test_logs(tmp_path):
    names = [tmp_path / "deep" / "run.csv", tmp_path / "run.jsonl"]
    history = fit(net(), log=names, checkpoint=tmp_path / "c", epochs=2)
    rest = fit(net(), log=names, checkpoint=tmp_path / "c", resume=True, epochs=4)
    assert without_time(rest[:2]) == without_time(history) and len(rest) == 4
    with open(names[0], encoding="utf-8") as file:
        assert [float(r["loss"]) for r in csv.DictReader(file)] == rest["loss"]
    assert [json.loads(line) for line in names[1].read_text().splitlines()] == rest.records
    assert sorted(os.listdir(tmp_path)) == ["c", "deep", "run.jsonl"]


def test_logs_of_what_is_no_number_and_of_what_comes_later(tmp_path):
    class Change(Callback):
        def on_validation_end(self, trainer, values):
            values["odd"] = math.nan
            if trainer.epoch == 1:
                values["late"] = 1.5

    names = [tmp_path / "run.csv", tmp_path / "run.jsonl"]
    fit(net(), rows(), rows(8), log=names, callbacks=[Change()])
    table = list(csv.DictReader(io.StringIO(names[0].read_text())))
    assert [r["val_late"] for r in table] == ["", "1.5", ""] and [r["val_odd"] for r in table] == ["nan"] * 3
    lines = [json.loads(line) for line in names[1].read_text().splitlines()]
    assert [r.get("val_late") for r in lines] == [None, 1.5, None] and lines[0]["val_odd"] is None


def test_tensorboard(tmp_path):
    pytest.importorskip("tensorboardX")
    from tensorboardX.proto import event_pb2
    from tensorboardX.record_writer import RecordWriter  # noqa: F401  (the format that is read below)

    history = fit(net(), log=tmp_path / "board", epochs=2)
    (name,) = os.listdir(tmp_path / "board")
    raw, found = (tmp_path / "board" / name).read_bytes(), {}
    while raw:  # length (8), its checksum (4), event, checksum (4)
        size = int.from_bytes(raw[:8], "little")
        event = event_pb2.Event.FromString(raw[12 : 12 + size])
        for value in event.summary.value:
            found.setdefault(value.tag, []).append((event.step, value.simple_value))
        raw = raw[16 + size :]
    assert [s for s, _ in found["step/loss"]] == list(range(1, 13))
    assert [v for _, v in found["loss"]] == pytest.approx(history["loss"]) and found["loss"][1][0] == 12


def test_progress_lines(capsys):
    fit(net(), rows(), rows(seed=3), epochs=2, progress=True, metrics="accuracy")
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2 and lines[0].startswith("epoch 1/2  loss ") and "val_accuracy 0." in lines[1]
    assert lines[0].endswith(" s") and "lr 0.01" in lines[0]


def test_progress_bar(monkeypatch, capsys):
    pytest.importorskip("tqdm")
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    fit(net(), epochs=2, progress=True)
    captured = capsys.readouterr()
    assert "/12" in captured.err and "loss " in captured.err and "epoch 2/2" in captured.out + captured.err


def test_energy_is_measured_or_says_that_it_is_an_estimate(tmp_path):
    history = fit(net(), energy=True, epochs=2)
    assert all(v >= 0 for v in history["joules"]) and history.watt_hours() == sum(history["joules"]) / 3600
    assert "energy: " in repr(history) and math.isnan(fit(net(), epochs=1).watt_hours())
    package = tmp_path / "intel-rapl:0"
    (tmp_path / "intel-rapl:0:0").mkdir()
    package.mkdir()
    for name, text in (("name", "package-0"), ("max_energy_range_uj", "1000000"), ("energy_uj", "900000")):
        (package / name).write_text(text + "\n")
    meter = EnergyMeter(str(tmp_path))
    assert meter.measured and meter.source == "energy: measured by RAPL (package-0)" and meter.joules() == 0
    (package / "energy_uj").write_text("950000")
    assert meter.joules() == pytest.approx(0.05)
    (package / "energy_uj").write_text("50000")  # wrapped around
    assert meter.joules() == pytest.approx(0.15)
    estimate = EnergyMeter(str(tmp_path / "none"))
    assert not estimate.measured and "an estimate" in estimate.source and estimate.joules() >= 0


def test_callbacks_are_called_in_order_and_may_stop(tmp_path):
    calls = []

    class Trace(Callback):
        def __getattribute__(self, name):
            if name.startswith("on_"):
                return lambda trainer, *rest: (
                    calls.append(name[3:])
                    or (trainer.stop("enough") if name == "on_batch_end" and trainer.step == 3 else None)
                )
            return object.__getattribute__(self, name)

    history = fit(net(), rows(16), rows(8), callbacks=[Trace()], checkpoint=tmp_path / "c", epochs=5)
    step = ["batch_begin", "batch_end"]
    record = ["validation_begin", "validation_end", "epoch_end"]
    first = ["fit_begin", "epoch_begin", *step, *step, *record, "checkpoint"]
    assert calls == [*first, "epoch_begin", *step, *record, "checkpoint", "fit_end"]
    assert history.stopped == "enough" and len(history) == 2


def test_callbacks_end_when_a_run_fails():
    ended = []

    class End(Callback):
        def on_fit_end(self, trainer):
            ended.append(trainer.step)

        def on_batch_end(self, trainer, loss):
            raise RuntimeError("mine")

    with pytest.raises(RuntimeError, match="mine"):
        fit(net(), callbacks=[End()])
    assert ended == [1]


def test_early_stopping_as_a_callback():
    history = fit(net(), callbacks=[EarlyStopping(2, "loss", min_delta=100.0)], epochs=9)
    assert len(history) == 3 and history.stopped.startswith("stopped early: loss was best")


def test_names_load_lazily():
    code = """
import sys, lamina
lamina.training, lamina.metrics, lamina.models
assert not any(m in sys.modules for m in ("numpy", "lamina.training.trainer", "lamina.metrics.ranking", "tqdm"))
lamina.fit, lamina.Trainer, lamina.Checkpoint, lamina.models.Model
assert "numpy" not in sys.modules
for name in lamina.training.__all__ + lamina.metrics.__all__:
    assert getattr(lamina.training, name, None) or getattr(lamina.metrics, name, None), name
try:
    lamina.training.Checkpont
except AttributeError as e:
    assert "Checkpoint" in str(e), e
"""
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert run.returncode == 0, run.stderr


def test_a_trainer_can_fit_twice():
    model = net()
    trainer = Trainer(model, loss="cross_entropy", epochs=1, progress=False)
    first, second = trainer.fit(rows()), trainer.fit(rows())
    assert len(first) == len(second) == 1 and second[0]["loss"] < first[0]["loss"]
