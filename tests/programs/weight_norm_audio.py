"""A speech encoder in the manner of wav2vec 2.0: strided convolutions with group norm, a weight-normed positional one."""

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

rng = np.random.RandomState(3)
dtype = torch.get_default_dtype()


class Encoder(nn.Module):
    def __init__(self, dim=8):
        super().__init__()
        self.conv0 = nn.Conv1d(1, dim, 8, stride=4, bias=False)
        self.norm0 = nn.GroupNorm(dim, dim, affine=True)
        self.conv1 = nn.Conv1d(dim, dim, 3, stride=2, bias=False)
        self.post = nn.LayerNorm(dim)
        self.pos_conv = nn.Conv1d(dim, dim, kernel_size=6, padding=3, groups=2)
        self.pos_conv = nn.utils.weight_norm(self.pos_conv, name="weight", dim=2)
        self.final = nn.Linear(dim, 4)

    def forward(self, x):
        x = F.gelu(self.norm0(self.conv0(x.unsqueeze(1))))
        x = F.gelu(self.conv1(x))
        x = self.post(x.transpose(1, 2))
        pos = self.pos_conv(x.transpose(1, 2))[:, :, :-1]
        x = x + F.gelu(pos).transpose(1, 2)
        return self.final(x)


model = Encoder()
for name, p in model.named_parameters():
    if p.dim() > 1:
        p.data.copy_(torch.from_numpy(rng.randn(*p.shape) * 0.4))
    elif name.endswith("bias"):
        nn.init.constant_(p, 0.01)
time = np.arange(200) / 50.0
labels = rng.randint(0, 4, 24)
waves = np.stack([np.sin(2 * np.pi * (2 + 3 * k) * (time + rng.rand())) + 0.1 * rng.randn(200) for k in labels])
waves, labels = torch.tensor(waves, dtype=dtype), torch.tensor(labels)
optimizer = torch.optim.Adam(model.parameters(), lr=1e-2, eps=1e-6)
warmup = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: min(1.0, (step + 1) / 5))
losses = []
for step in range(20):
    logits = model(waves)
    frames = F.log_softmax(logits, dim=-1).mean(1)
    loss = F.nll_loss(frames, labels)
    optimizer.zero_grad()
    loss.backward()
    nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()
    warmup.step()
    losses.append(loss.item())
assert {"pos_conv.weight_g", "pos_conv.weight_v"} <= set(model.state_dict())
lengths = torch.full((24,), logits.shape[1], dtype=torch.long)
ctc = F.ctc_loss(
    F.log_softmax(logits, -1).transpose(0, 1), labels.clamp(min=1).unsqueeze(1), lengths, torch.ones_like(lengths)
)
copy = Encoder()
copy.load_state_dict(model.state_dict())
before = copy(waves[:2]).detach()
nn.utils.remove_weight_norm(copy.pos_conv)
after = copy(waves[:2]).detach()
result = {
    "losses": losses,
    "before": before.numpy(),
    "after": after.numpy(),
    "ctc": ctc.item(),
    "g": model.pos_conv.weight_g.detach().numpy(),
}
