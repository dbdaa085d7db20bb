"""A small U-Net with skip connections by cat, trained on a Dice and a focal loss, evaluated in tiles."""

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F

rng = np.random.RandomState(11)
dtype = torch.get_default_dtype()


def double_conv(in_ch, out_ch):
    return nn.Sequential(
        nn.Conv2d(in_ch, out_ch, 3, padding=1), nn.InstanceNorm2d(out_ch, affine=True), nn.ReLU(inplace=True),
        nn.Conv2d(out_ch, out_ch, 3, padding=1), nn.GroupNorm(2, out_ch), nn.ReLU(inplace=True),
    )  # fmt: skip


class UNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.down1, self.down2, self.bottom = double_conv(1, 4), double_conv(4, 8), double_conv(8, 8)
        self.up2, self.up1 = (
            nn.ConvTranspose2d(8, 8, 2, stride=2),
            nn.Upsample(scale_factor=2, mode="bilinear", align_corners=True),
        )
        self.dec2, self.dec1 = double_conv(16, 4), double_conv(8, 4)
        self.out = nn.Conv2d(4, 1, 1)

    def forward(self, x):
        d1 = self.down1(x)
        d2 = self.down2(F.max_pool2d(d1, 2))
        b = self.bottom(F.max_pool2d(d2, 2))
        u2 = self.dec2(torch.cat([self.up2(b), d2], dim=1))
        u1 = self.up1(u2)
        diff = d1.size(2) - u1.size(2)
        u1 = F.pad(u1, [diff // 2, diff - diff // 2, diff // 2, diff - diff // 2])
        return self.out(self.dec1(torch.cat([u1, d1], dim=1)))


def dice_loss(logits, target, smooth=1.0):
    p = torch.sigmoid(logits).view(logits.size(0), -1)
    t = target.view(target.size(0), -1)
    inter = (p * t).sum(1)
    return (1 - (2.0 * inter + smooth) / (p.sum(1) + t.sum(1) + smooth)).mean()


def focal_loss(logits, target, gamma=2.0):
    ce = F.binary_cross_entropy_with_logits(logits, target, reduction="none")
    pt = torch.exp(-ce)
    return ((1 - pt) ** gamma * ce).mean()


yy, xx = np.mgrid[0:16, 0:16]
c, r = rng.uniform(4, 12, (12, 2, 1, 1)), rng.uniform(2, 4, (12, 1, 1))
mask = ((yy - c[:, 0]) ** 2 + (xx - c[:, 1]) ** 2 < r**2).astype(float)
images = torch.tensor(mask + 0.3 * rng.randn(12, 16, 16), dtype=dtype).unsqueeze(1)
masks = torch.tensor(mask, dtype=dtype)[:, None]
model = UNet()
for name, p in model.named_parameters():
    if p.dim() > 1:
        p.data.copy_(torch.from_numpy(rng.randn(*p.shape) * np.sqrt(2.0 / np.prod(p.shape[1:]))))
    elif name.endswith("bias"):
        p.data.fill_(0.01)
optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
losses = []
for step in range(10):
    logits = model(images)
    loss = dice_loss(logits, masks) + 0.5 * focal_loss(logits, masks)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    losses.append(loss.item())
model.eval()
with torch.no_grad():
    logits = model(images)
    iou = ((logits > 0) & (masks > 0.5)).sum((1, 2, 3)) / ((logits > 0) | (masks > 0.5)).sum((1, 2, 3)).clamp(min=1)
    tiles = images.unfold(2, 8, 8).unfold(3, 8, 8).contiguous().view(-1, 1, 8, 8)
    back = tiles.view(12, 1, 2, 2, 8, 8).permute(0, 1, 2, 4, 3, 5).reshape(12, 1, 16, 16)
assert torch.equal(back, images)
result = {
    "losses": losses,
    "logits": logits[:2].numpy(),
    "iou": (iou + 1).numpy(),
    "tiles": model(tiles[:2]).detach().numpy(),
}
