"""Fine-tuning as detection code does: a backbone with frozen batch norms that read ordinary checkpoints."""

import numpy as np
import torch
from torch import nn

rng = np.random.RandomState(1)
dtype = torch.get_default_dtype()


class FrozenBatchNorm2d(nn.Module):
    """BatchNorm2d whose statistics and affine parameters are fixed."""

    def __init__(self, n):
        super(FrozenBatchNorm2d, self).__init__()
        self.register_buffer("weight", torch.ones(n))
        self.register_buffer("bias", torch.zeros(n))
        self.register_buffer("running_mean", torch.zeros(n))
        self.register_buffer("running_var", torch.ones(n))

    def _load_from_state_dict(
        self, state_dict, prefix, local_metadata, strict, missing_keys, unexpected_keys, error_msgs
    ):
        num_batches_tracked_key = prefix + "num_batches_tracked"
        if num_batches_tracked_key in state_dict:
            del state_dict[num_batches_tracked_key]
        super(FrozenBatchNorm2d, self)._load_from_state_dict(
            state_dict, prefix, local_metadata, strict, missing_keys, unexpected_keys, error_msgs
        )

    def forward(self, x):
        w = self.weight.reshape(1, -1, 1, 1)
        b = self.bias.reshape(1, -1, 1, 1)
        rv = self.running_var.reshape(1, -1, 1, 1)
        rm = self.running_mean.reshape(1, -1, 1, 1)
        scale = w * (rv + 1e-5).rsqrt()
        return x * scale + (b - rm * scale)


def backbone(norm):
    return nn.Sequential(nn.Conv2d(3, 6, 3, padding=1, bias=False), norm(6), nn.ReLU(inplace=True), nn.AvgPool2d(4))


def fill(model):
    for name, p in list(model.named_parameters()) + list(model.named_buffers()):
        if p.is_floating_point():
            values = rng.rand(*p.shape) + 0.5 if "var" in name else rng.randn(*p.shape) * 0.3
            p.data.copy_(torch.from_numpy(np.asarray(values)))


source = backbone(nn.BatchNorm2d)
fill(source)
model = nn.Sequential(backbone(FrozenBatchNorm2d), nn.Flatten(), nn.Linear(6 * 4, 2))
fill(model)
missing, unexpected = model[0].load_state_dict(source.state_dict())
assert not missing and not unexpected

model[0].requires_grad_(False)
for module in model[0].modules():
    module.eval()
images = torch.tensor(rng.randn(32, 3, 8, 8), dtype=dtype)
boxes = torch.tensor(rng.rand(32, 2), dtype=dtype)
optimizer = torch.optim.SGD(
    [p for p in model.parameters() if p.requires_grad], lr=0.05, momentum=0.9, weight_decay=1e-4
)
scheduler = torch.optim.lr_scheduler.MultiStepLR(optimizer, milestones=[8, 12], gamma=0.1)
losses = []
for epoch in range(15):
    if epoch == 10:  # the second stage: everything but the norms
        for p in model[0].parameters():
            p.requires_grad = True
        optimizer.add_param_group({"params": model[0].parameters(), "lr": 0.001})
    loss = nn.functional.smooth_l1_loss(model(images), boxes)
    optimizer.zero_grad()
    loss.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), max_norm=0.5)
    optimizer.step()
    scheduler.step()
    losses.append(loss.item())
result = {
    "losses": losses,
    "weight": model[0][0].weight.detach().numpy(),
    "norm": model[0][1].running_mean.numpy(),
    "rates": [g["lr"] for g in optimizer.param_groups],
}
