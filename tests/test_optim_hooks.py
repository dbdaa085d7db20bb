"""Optimizers as libraries use them: state made when asked for, hooks, state of any shape, PyTorch's files."""

from __future__ import annotations

import copy
import gc
import pickle
import weakref

import lamina
import pytest
from conftest import needs_torch, torch
from lamina import nn, optim
from lamina.optim._hooks import register_optimizer_step_post_hook, register_optimizer_step_pre_hook


def parameter():
    return nn.Parameter(lamina.ones(3, 2))


def backward(w):
    (w * w).sum().backward()


@pytest.mark.parametrize("name", ["SGD", "Adam", "AdamW", "RMSprop", "Adagrad", "Adamax", "ASGD", "Adafactor", "LBFGS"])
def test_asking_for_the_state_changes_nothing(name):
    """`optimizer.state[p]` makes an empty dict; the next step still begins as the first."""
    found = []
    for ask in (False, True):
        w = parameter()
        options = {"momentum": 0.9} if name == "SGD" else {}
        optimizer = getattr(optim, name)([w], lr=0.1, **options)
        if ask and name != "Adagrad":
            assert optimizer.state[w] == {} and len(optimizer.state) == 1
        for _ in range(2):

            def closure():
                optimizer.zero_grad()
                loss = (w * w).sum()
                loss.backward()
                return loss

            closure()
            optimizer.step(closure if name == "LBFGS" else None)
        found.append(w.tolist())
    assert found[0] == found[1]


class Mine(optim.Optimizer):
    """A step of its own, which calls another optimizer's code, and state of other shapes."""

    def __init__(self, params, lr=0.1):
        super().__init__(params, {"lr": lr})

    @lamina.no_grad()
    def step(self, closure=None):
        loss = None if closure is None else closure()
        for group in self.param_groups:
            for p in group["params"]:
                state = self.state[p]
                if not state:
                    state.update(
                        step=lamina.tensor(0.0), row=lamina.zeros(p.shape[0]), factors=[lamina.eye(2)], note="x"
                    )
                    state["nested"] = {"a": lamina.zeros(1)}
                state["step"] += 1
                state["row"].add_(p.grad.sum(1))
                p.add_(p.grad, alpha=-group["lr"])
        return loss


class Child(Mine):
    def step(self, closure=None):
        return super().step(closure)


@pytest.mark.parametrize("make", [lambda p: optim.SGD(p, lr=0.1), lambda p: optim.AdamW(p, lr=0.1), Mine, Child])
def test_step_hooks_run_once(make):
    w, seen = parameter(), []
    optimizer = make([w])
    first = optimizer.register_step_pre_hook(lambda o, args, kwargs: seen.append(("pre", o is optimizer, args, kwargs)))
    optimizer.register_step_post_hook(lambda o, args, kwargs: seen.append(("post", o is optimizer)))
    every = register_optimizer_step_post_hook(lambda o, args, kwargs: seen.append(("every", o is optimizer)))
    try:
        backward(w)
        optimizer.step()
        assert seen == [("pre", True, (), {}), ("post", True), ("every", True)]
        first.remove()
        optimizer.step()
        assert [kind for kind, *_ in seen[3:]] == ["post", "every"]
        later = make([w])  # made after the hook for all
        later.step()
        assert seen[-1] == ("every", False)
    finally:
        every.remove()
    later.step()
    assert len(seen) == 6


def test_a_pre_hook_may_change_the_arguments():
    w = parameter()
    optimizer = Mine([w])
    optimizer.register_step_pre_hook(lambda o, args, kwargs: ((lambda: 7.0,), {}))
    backward(w)
    assert optimizer.step() == 7.0
    optimizer.register_step_pre_hook(lambda o, args, kwargs: 3)
    with pytest.raises(RuntimeError, match="must return None or a tuple"):
        optimizer.step()
    handle = register_optimizer_step_pre_hook(lambda o, args, kwargs: None)
    handle.remove()


def test_state_dict_hooks():
    w, seen = parameter(), []
    optimizer = optim.Adam([w], lr=0.1)
    optimizer.register_state_dict_pre_hook(lambda o: seen.append("pre"))
    optimizer.register_state_dict_post_hook(lambda o, state: {**state, "more": 1})
    optimizer.register_load_state_dict_pre_hook(lambda o, state: {k: v for k, v in state.items() if k != "more"})
    optimizer.register_load_state_dict_post_hook(lambda o: seen.append("loaded"))
    state = optimizer.state_dict()
    assert state["more"] == 1
    optimizer.load_state_dict(state)
    assert seen == ["pre", "loaded"] and "more" in state
    for prepend, expected in ((False, ["a", "b"]), (True, ["b", "a"])):
        other, order = optim.SGD([w]), []
        other.register_state_dict_pre_hook(lambda o, order=order: order.append("a"))
        other.register_state_dict_pre_hook(lambda o, order=order: order.append("b"), prepend=prepend)
        other.state_dict()
        assert order == expected


def test_state_of_any_shape_is_saved_and_loaded():
    w = parameter()
    optimizer = Mine([w])
    backward(w)
    optimizer.step()
    optimizer.state["own"] = 3  # of the optimizer itself
    other = Mine([nn.Parameter(lamina.ones(3, 2, dtype=lamina.float64))])
    other.load_state_dict(copy.deepcopy(optimizer.state_dict()))
    (state,) = [value for key, value in other.state.items() if key != "own"]
    assert state["row"].tolist() == [4.0] * 3 and state["row"].dtype == lamina.float64
    assert state["step"].item() == 1 and state["step"].dtype == lamina.float32  # as PyTorch's
    assert state["factors"][0].shape == (2, 2) and state["nested"]["a"].dtype == lamina.float64 and state["note"] == "x"
    assert other.state["own"] == 3
    next(iter(other.param_groups[0]["params"])).grad = lamina.ones(3, 2, dtype=lamina.float64)
    other.step()
    wrong = optim.Adam([w])
    backward(w)
    wrong.step()
    saved = wrong.state_dict()
    saved["state"][0]["exp_avg"] = lamina.zeros(5)
    with pytest.raises(ValueError, match="'exp_avg' has shape"):
        wrong.load_state_dict(saved)


def test_copies_and_pickle_leave_hooks_behind():
    w = parameter()
    optimizer, seen = optim.SGD([w], lr=0.5, momentum=0.9), []
    optimizer.register_step_post_hook(lambda *a: seen.append(1))
    backward(w)
    optimizer.step()
    for other in (copy.deepcopy(optimizer), pickle.loads(pickle.dumps(optimizer))):
        (p,) = other.param_groups[0]["params"]
        assert p is not w and p.tolist() == w.tolist()
        p.grad = lamina.ones(3, 2)
        other.step()
        assert other.state[p]["momentum_buffer"].shape == (3, 2) and p.tolist() != w.tolist()
    assert seen == [1]
    schedule = optim.lr_scheduler.StepLR(optimizer, 2)
    again = pickle.loads(pickle.dumps(schedule))
    assert again.get_last_lr() == schedule.get_last_lr() and copy.deepcopy(schedule).last_epoch == 0


def test_hooks_keep_no_optimizer_alive():
    gc.disable()
    try:
        optimizer = optim.SGD([parameter()], lr=0.1)
        optimizer.register_step_post_hook(lambda *a: None)
        gone = weakref.ref(optimizer)
        del optimizer
        assert gone() is None
    finally:
        gc.enable()


@needs_torch
def test_state_of_pytorch_schedules():
    """MultiStepLR keeps its milestones in a Counter there, of which some may count twice."""
    their = torch.optim.SGD([torch.nn.Parameter(torch.ones(1))], lr=1.0)
    schedule = torch.optim.lr_scheduler.MultiStepLR(their, [2, 4, 4], gamma=0.5)
    for _ in range(3):
        their.step()
        schedule.step()
    own = optim.SGD([nn.Parameter(lamina.ones(1))], lr=1.0)
    ours = optim.lr_scheduler.MultiStepLR(own, [9])
    ours.load_state_dict(schedule.state_dict())
    own.param_groups[0]["lr"] = their.param_groups[0]["lr"]
    for _ in range(4):
        their.step()
        schedule.step()
        ours.step()
        assert ours.get_last_lr() == schedule.get_last_lr()


@pytest.mark.parametrize("last_epoch", [-1, 0, 1, 2, 4, 9])
def test_sequential_lr_begins_anywhere(last_epoch):
    from lamina.optim.lr_scheduler import CosineAnnealingLR, ExponentialLR, LinearLR, SequentialLR

    def make(last=-1):
        optimizer = optim.SGD([{"params": [parameter()], "initial_lr": 1.0}], lr=1.0)
        parts = [
            LinearLR(optimizer, 0.1, total_iters=2),
            ExponentialLR(optimizer, 0.5),
            CosineAnnealingLR(optimizer, 5),
        ]
        return optimizer, SequentialLR(optimizer, parts, [2, 5], last_epoch=last)

    optimizer, schedule = make()
    for _ in range(last_epoch + 1):
        schedule.step()
    other, begun = make(last_epoch)
    for _ in range(4):
        assert begun.last_epoch == schedule.last_epoch
        assert other.param_groups[0]["lr"] == optimizer.param_groups[0]["lr"] == begun.get_last_lr()[0]
        schedule.step()
        begun.step()
