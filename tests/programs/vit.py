"""A vision transformer of nn.TransformerEncoder layers that tells stripes from checkers, dots and rings."""

import math
from functools import partial

import numpy as np
import torch
import torch.nn as nn
from torch.optim import AdamW
from torch.optim.lr_scheduler import LambdaLR
from torch.utils.data import DataLoader, Dataset


def pair(t):
    return t if isinstance(t, tuple) else (t, t)


class Textures(Dataset):
    """Grey images, 24 x 24, of four classes."""

    def __init__(self, length, seed):
        super().__init__()
        rng = np.random.RandomState(seed)
        yy, xx = np.mgrid[0:24, 0:24]
        self.samples = []
        for _ in range(length):
            label, f, phase = rng.randint(4), rng.uniform(0.5, 1.2), rng.uniform(0, 6)
            pattern = {
                0: np.sin(f * xx + phase),
                1: np.sin(f * xx + phase) * np.sin(f * yy + phase),
                2: np.sin(f * xx + phase) + np.sin(f * yy + phase),
                3: np.sin(f * np.hypot(yy - 12, xx - 12) + phase),
            }[int(label)]
            self.samples.append((pattern[None] + 0.1 * rng.randn(1, 24, 24), int(label)))

    def __len__(self):
        return len(self.samples)

    def __getitem__(self, idx):
        image, label = self.samples[idx]
        return torch.as_tensor(image, dtype=torch.get_default_dtype()), label


class PatchEmbedding(nn.Module):
    def __init__(self, image_size, patch_size, channels, dim):
        super().__init__()
        (h, w), (ph, pw) = pair(image_size), pair(patch_size)
        assert h % ph == 0 and w % pw == 0, "Image dimensions must be divisible by the patch size."
        self.num_patches = (h // ph) * (w // pw)
        self.proj = nn.Conv2d(channels, dim, kernel_size=(ph, pw), stride=(ph, pw))

    def forward(self, x):
        return self.proj(x).flatten(2).transpose(1, 2)


class ViT(nn.Module):
    def __init__(self, *, image_size, patch_size, num_classes, dim, depth, heads, mlp_dim, norm_first=True, channels=1):
        super().__init__()
        norm_layer = partial(nn.LayerNorm, eps=1e-6)
        self.patch = PatchEmbedding(image_size, patch_size, channels, dim)
        self.cls_token = nn.Parameter(torch.zeros(1, 1, dim))
        self.pos_embedding = nn.Parameter(torch.empty(1, self.patch.num_patches + 1, dim))
        layer = nn.TransformerEncoderLayer(
            d_model=dim,
            nhead=heads,
            dim_feedforward=mlp_dim,
            dropout=0.0,
            activation="gelu",
            batch_first=True,
            norm_first=norm_first,
        )
        self.transformer = nn.TransformerEncoder(layer, depth, norm=norm_layer(dim), enable_nested_tensor=False)
        self.mlp_head = nn.Sequential(nn.LayerNorm(dim), nn.Linear(dim, num_classes))
        self._init(np.random.RandomState(2))

    def _init(self, rng):
        for name, p in self.named_parameters():
            if p.ndim > 1:
                nn.init.constant_(p, 0.0)
                std = 0.02 if "token" in name or "pos" in name else math.sqrt(1.0 / p[0].numel())
                p.data += torch.from_numpy(std * rng.standard_normal(p.shape)).to(p.dtype)
            elif name.endswith("bias"):
                nn.init.zeros_(p)
            else:
                nn.init.ones_(p)

    def forward(self, img):
        x = self.patch(img)
        b, n, _ = x.shape
        cls_tokens = self.cls_token.expand(b, -1, -1)
        x = torch.cat((cls_tokens, x), dim=1)
        x = x + self.pos_embedding[:, : (n + 1)]
        x = self.transformer(x)
        return self.mlp_head(x[:, 0])


def accuracy(logits, y):
    return (logits.argmax(-1) == y).to(torch.get_default_dtype()).mean().item()


device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
train_loader = DataLoader(Textures(192, 0), batch_size=24, shuffle=False, pin_memory=False)
test_x, test_y = next(iter(DataLoader(Textures(48, 1), batch_size=48)))
result = {}
for norm_first in (True, False):
    model = ViT(image_size=24, patch_size=6, num_classes=4, dim=32, depth=2, heads=4, mlp_dim=64, norm_first=norm_first)
    model.to(device)
    optimizer = AdamW(model.parameters(), lr=2e-3, weight_decay=0.05)
    total = 2 * len(train_loader)
    warmup = lambda step: min(1.0, (step + 1) / 3) * 0.5 * (1 + math.cos(math.pi * step / total))
    scheduler = LambdaLR(optimizer, warmup)
    criterion = nn.CrossEntropyLoss()
    losses, rates = [], []
    for epoch in range(2):
        model.train()
        for x, y in train_loader:
            x, y = x.to(device), y.to(device, non_blocking=True)
            loss = criterion(model(x), y)
            optimizer.zero_grad()
            loss.backward()
            grad_norm = nn.utils.clip_grad_norm_(model.parameters(), max_norm=1.0)
            optimizer.step()
            scheduler.step()
            losses += [loss.item()]
            rates.append(optimizer.param_groups[0]["lr"])
    model.eval()
    with torch.inference_mode():
        logits = model(test_x.to(device)).cpu()
    print(losses[0], losses[-1], accuracy(logits, test_y))
    name = "" if norm_first else "post "
    result.update({name + "losses": losses, name + "rates": rates, name + "logits": logits.numpy()})
