"""An optimizer of the program's own, with hooks around its steps, in place of the library's."""

import math

import numpy as np
import torch
from torch import nn
from torch.optim import Optimizer

rng = np.random.RandomState(4)
dtype = torch.get_default_dtype()


class Adan(Optimizer):
    """Adam with a look at the difference of gradients, decoupled decay, and lazily made state."""

    def __init__(self, params, lr=1e-3, betas=(0.98, 0.92, 0.99), eps=1e-8, weight_decay=0.0):
        if not 0.0 <= lr:
            raise ValueError("Invalid learning rate: {}".format(lr))
        defaults = dict(lr=lr, betas=betas, eps=eps, weight_decay=weight_decay)
        super(Adan, self).__init__(params, defaults)

    def __setstate__(self, state):
        super(Adan, self).__setstate__(state)
        for group in self.param_groups:
            group.setdefault("no_prox", False)

    @torch.no_grad()
    def step(self, closure=None):
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            beta1, beta2, beta3 = group["betas"]
            for p in group["params"]:
                if p.grad is None:
                    continue
                state = self.state[p]
                if len(state) == 0:
                    state["step"] = 0
                    state["exp_avg"] = torch.zeros_like(p, memory_format=torch.preserve_format)
                    state["exp_avg_sq"] = torch.zeros_like(p)
                    state["exp_avg_diff"] = torch.zeros_like(p)
                    state["previous_grad"] = p.grad.clone()
                    state["row"] = torch.zeros(p.shape[0], dtype=p.dtype)  # of another shape
                state["step"] += 1
                diff = p.grad - state["previous_grad"]
                update = p.grad + beta2 * diff
                state["exp_avg"].mul_(beta1).add_(p.grad, alpha=1 - beta1)
                state["exp_avg_diff"].mul_(beta2).add_(diff, alpha=1 - beta2)
                state["exp_avg_sq"].mul_(beta3).addcmul_(update, update, value=1 - beta3)
                state["row"].add_(p.grad.reshape(p.shape[0], -1).pow(2).sum(1))
                correction = math.sqrt(1 - beta3 ** state["step"])
                denom = (state["exp_avg_sq"].sqrt() / correction).add_(group["eps"])
                p.addcdiv_(state["exp_avg"] + beta2 * state["exp_avg_diff"], denom, value=-group["lr"])
                p.mul_(1 - group["lr"] * group["weight_decay"])
                state["previous_grad"].copy_(p.grad)
        return loss


model = nn.Sequential(nn.Linear(5, 16), nn.Tanh(), nn.Linear(16, 1))
for p in model.parameters():
    p.data.copy_(torch.from_numpy(rng.randn(*p.shape) * 0.4))
decay = [p for n, p in model.named_parameters() if not n.endswith("bias")]
no_decay = [p for n, p in model.named_parameters() if n.endswith("bias")]
optimizer = Adan([{"params": decay, "weight_decay": 0.02}, {"params": no_decay}], lr=np.float64(2e-2))
norms, calls = [], []


def clip(opt, args, kwargs):
    norms.append(float(nn.utils.clip_grad_norm_(model.parameters(), 5.0)))


optimizer.register_step_pre_hook(clip)
optimizer.register_step_post_hook(lambda opt, args, kwargs: calls.append(opt.state[decay[0]]["step"]))
x = torch.tensor(rng.randn(64, 5), dtype=dtype)
y = (x[:, :1] * x[:, 1:2]).sin()
scheduler = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=0.03, total_steps=30)
losses = []
for step in range(30):
    if step == 15:  # as after a restart
        saved = optimizer.state_dict()
        optimizer.load_state_dict(saved)

    def closure():
        optimizer.zero_grad()
        loss = nn.functional.mse_loss(model(x), y)
        loss.backward()
        return loss

    losses.append(closure().item() if step % 2 == 0 else losses[-1])
    optimizer.step(closure if step % 2 else None)
    scheduler.step()
result = {
    "losses": losses,
    "norms": norms,
    "calls": calls,
    "row": optimizer.state[decay[0]]["row"].numpy(),
    "rates": [g["lr"] for g in optimizer.param_groups] + [1.0],
}
