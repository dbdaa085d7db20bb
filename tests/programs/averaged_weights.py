"""Schedules in a row, weight decay by groups, averaged weights with their batch norms measured anew, gradient penalties."""

import numpy as np
import torch
from torch import nn
from torch.optim.lr_scheduler import CosineAnnealingLR, LinearLR, SequentialLR
from torch.optim.swa_utils import SWALR, AveragedModel, update_bn
from torch.utils.data import DataLoader, TensorDataset

rng = np.random.RandomState(15)
dtype = torch.get_default_dtype()
model = nn.Sequential(nn.Linear(4, 12), nn.BatchNorm1d(12), nn.SiLU(), nn.Linear(12, 1))
for p in model.parameters():
    if p.dim() > 1:
        p.data.copy_(torch.from_numpy(rng.randn(*p.shape) * 0.5))
model[0].bias.data.zero_()
model[3].bias.data.zero_()
decay, rest = [], []
for module in model.modules():
    for name, p in module.named_parameters(recurse=False):
        (decay if isinstance(module, nn.Linear) and name == "weight" else rest).append(p)
optimizer = torch.optim.SGD(
    [{"params": decay, "weight_decay": 0.01}, {"params": rest, "weight_decay": 0.0}], lr=0.1, momentum=0.9
)
warmup = LinearLR(optimizer, start_factor=0.1, total_iters=3)
scheduler = SequentialLR(optimizer, [warmup, CosineAnnealingLR(optimizer, T_max=9)], milestones=[3])
swa_model, swa_scheduler = AveragedModel(model), SWALR(optimizer, swa_lr=0.02, anneal_epochs=2)
x = torch.tensor(rng.randn(96, 4), dtype=dtype)
y = torch.sin(x.sum(1, keepdim=True)) + 0.1 * torch.tensor(rng.randn(96, 1), dtype=dtype)
loader = DataLoader(TensorDataset(x, y), batch_size=24)
losses, rates = [], []
for epoch in range(14):
    total = 0.0
    for data, target in loader:
        data = data.clone().requires_grad_()
        output = model(data)
        grad = torch.autograd.grad(output.sum(), data, create_graph=True)[0]
        penalty = ((grad.norm(2, dim=1) - 1.0) ** 2).mean()
        loss = nn.functional.huber_loss(output, target) + 0.01 * penalty
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total += loss.item() * len(data)
    if epoch >= 10:
        swa_model.update_parameters(model)
        swa_scheduler.step()
    else:
        scheduler.step()
    losses.append(total / 96)
    rates.append(optimizer.param_groups[0]["lr"])
update_bn(loader, swa_model)
swa_model.eval()
result = {
    "losses": losses,
    "rates": rates,
    "averaged": swa_model(x[:8]).detach().numpy(),
    "norm": swa_model.module[1].running_mean.numpy(),
    "count": int(swa_model.n_averaged),
}
