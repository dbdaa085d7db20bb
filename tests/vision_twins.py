"""The image models written a second time, in PyTorch and with torchvision's names: what lamina's are compared with."""

from __future__ import annotations

import math

import torch
from torch import nn


def plain(module):
    """PyTorch's layer for one of lamina's that stands in a Sequential: by its representation."""
    children = list(module.children())
    if type(module).__name__ == "Sequential":
        return nn.Sequential(*map(plain, children))
    if type(module).__name__ == "Scaled":
        return Scaled(module.low, module.high)
    assert not children
    return eval(f"nn.{module!r}")


class Scaled(nn.Module):
    def __init__(self, low, high):
        super().__init__()
        self.low, self.high = low, high

    def forward(self, x):
        return self.low + (torch.tanh(x) + 1) * (self.high - self.low) / 2


# -- ResNet ----------------------------------------------------------------------------------------------------------
class Basic(nn.Module):
    factor = 1

    def __init__(self, i, w, s):
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(i, w, 3, s, 1, bias=False), nn.BatchNorm2d(w)
        self.conv2, self.bn2 = nn.Conv2d(w, w, 3, 1, 1, bias=False), nn.BatchNorm2d(w)
        if s != 1 or i != w:
            self.downsample = nn.Sequential(nn.Conv2d(i, w, 1, s, bias=False), nn.BatchNorm2d(w))

    def forward(self, x):
        y = self.bn2(self.conv2(torch.relu(self.bn1(self.conv1(x)))))
        return torch.relu(y + (self.downsample(x) if hasattr(self, "downsample") else x))


class Bottle(nn.Module):
    factor = 4

    def __init__(self, i, w, s):
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(i, w, 1, bias=False), nn.BatchNorm2d(w)
        self.conv2, self.bn2 = nn.Conv2d(w, w, 3, s, 1, bias=False), nn.BatchNorm2d(w)
        self.conv3, self.bn3 = nn.Conv2d(w, 4 * w, 1, bias=False), nn.BatchNorm2d(4 * w)
        if s != 1 or i != 4 * w:
            self.downsample = nn.Sequential(nn.Conv2d(i, 4 * w, 1, s, bias=False), nn.BatchNorm2d(4 * w))

    def forward(self, x):
        y = torch.relu(self.bn2(self.conv2(torch.relu(self.bn1(self.conv1(x))))))
        return torch.relu(self.bn3(self.conv3(y)) + (self.downsample(x) if hasattr(self, "downsample") else x))


class ResNet(nn.Module):
    def __init__(self, block, layers, width=64, classes=1000, channels=3, small=False):
        super().__init__()
        self.small = small
        self.conv1 = nn.Conv2d(channels, width, *((3, 1, 1) if small else (7, 2, 3)), bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        inputs = width
        for i, n in enumerate(layers):
            w, blocks = width << i, []
            for k in range(n):
                blocks.append(block(inputs, w, 2 if i and not k else 1))
                inputs = w * block.factor
            setattr(self, f"layer{i + 1}", nn.Sequential(*blocks))
        self.count = len(layers)
        self.fc = nn.Linear(inputs, classes)

    def forward(self, x):
        x = torch.relu(self.bn1(self.conv1(x)))
        if not self.small:
            x = nn.functional.max_pool2d(x, 3, 2, 1)
        for i in range(self.count):
            x = getattr(self, f"layer{i + 1}")(x)
        return self.fc(x.mean((2, 3)))


# -- MobileNetV2 and EfficientNet ------------------------------------------------------------------------------------
def cna(i, o, k, s=1, g=1, act=None):
    return nn.Sequential(
        nn.Conv2d(i, o, k, s, (k - 1) // 2, groups=g, bias=False), nn.BatchNorm2d(o), *([act()] if act else [])
    )


def eight(v):
    n = max(8, int(v + 4) // 8 * 8)
    return n + 8 if n < 0.9 * v else n


class Inverted(nn.Module):
    def __init__(self, i, o, s, t):
        super().__init__()
        w = i * t
        first = [cna(i, w, 1, act=nn.ReLU6)] if t != 1 else []
        self.conv = nn.Sequential(
            *first, cna(w, w, 3, s, w, nn.ReLU6), nn.Conv2d(w, o, 1, bias=False), nn.BatchNorm2d(o)
        )
        self.same = s == 1 and i == o

    def forward(self, x):
        return x + self.conv(x) if self.same else self.conv(x)


class MobileNetV2(nn.Module):
    STAGES = (1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1)

    def __init__(self, mult=1.0, classes=1000, stages=STAGES, last=1280):
        super().__init__()
        i = eight(32 * mult)
        layers = [cna(3, i, 3, 2, act=nn.ReLU6)]
        for t, c, n, s in stages:
            for k in range(n):
                layers.append(Inverted(i, eight(c * mult), s if k == 0 else 1, t))
                i = eight(c * mult)
        self.features = nn.Sequential(*layers, cna(i, last, 1, act=nn.ReLU6))
        self.classifier = nn.Sequential(nn.Dropout(0.2), nn.Linear(last, classes))

    def forward(self, x):
        return self.classifier(self.features(x).mean((2, 3)))


class Squeeze(nn.Module):
    def __init__(self, c, q):
        super().__init__()
        self.fc1, self.fc2 = nn.Conv2d(c, q, 1), nn.Conv2d(q, c, 1)

    def forward(self, x):
        m = x.mean((2, 3), keepdim=True)
        return torch.sigmoid(self.fc2(nn.functional.silu(self.fc1(m)))) * x


class MBConv(nn.Module):
    def __init__(self, i, o, k, s, t):
        super().__init__()
        w = eight(i * t)
        first = [cna(i, w, 1, act=nn.SiLU)] if w != i else []
        self.block = nn.Sequential(*first, cna(w, w, k, s, w, nn.SiLU), Squeeze(w, max(1, i // 4)), cna(w, o, 1))
        self.same = s == 1 and i == o

    def forward(self, x):
        return x + self.block(x) if self.same else self.block(x)


class EfficientNet(nn.Module):
    STAGES = (
        *((1, 3, 1, 16, 1), (6, 3, 2, 24, 2), (6, 5, 2, 40, 2), (6, 3, 2, 80, 3)),
        *((6, 5, 1, 112, 3), (6, 5, 2, 192, 4), (6, 3, 1, 320, 1)),
    )

    def __init__(self, mult=1.0, classes=1000, stages=STAGES):
        super().__init__()
        i = eight(32 * mult)
        layers = [cna(3, i, 3, 2, act=nn.SiLU)]
        for t, k, s, c, n in stages:
            blocks = []
            for j in range(n):
                blocks.append(MBConv(i, eight(c * mult), k, s if j == 0 else 1, t))
                i = eight(c * mult)
            layers.append(nn.Sequential(*blocks))
        self.features = nn.Sequential(*layers, cna(i, 4 * i, 1, act=nn.SiLU))
        self.classifier = nn.Sequential(nn.Dropout(0.2), nn.Linear(4 * i, classes))

    def forward(self, x):
        return self.classifier(self.features(x).mean((2, 3)))


# -- VGG, U-Net, ViT -------------------------------------------------------------------------------------------------
class VGG(nn.Module):
    def __init__(self, stages, norm, width=64, hidden=4096, pool=7, classes=1000):
        super().__init__()
        layers, i = [], 3
        for stage, n in enumerate(stages):
            o = min(width << stage, 8 * width)
            for _ in range(n):
                layers += [nn.Conv2d(i, o, 3, padding=1), *([nn.BatchNorm2d(o)] if norm else []), nn.ReLU()]
                i = o
            layers.append(nn.MaxPool2d(2, 2))
        self.features = nn.Sequential(*layers)
        self.avgpool = nn.AdaptiveAvgPool2d((pool, pool))
        a, b = nn.Linear(i * pool * pool, hidden), nn.Linear(hidden, hidden)
        self.classifier = nn.Sequential(
            a, nn.ReLU(), nn.Dropout(), b, nn.ReLU(), nn.Dropout(), nn.Linear(hidden, classes)
        )

    def forward(self, x):
        return self.classifier(torch.flatten(self.avgpool(self.features(x)), 1))


def pair(i, o):
    def one(a):
        return nn.Conv2d(a, o, 3, padding=1, bias=False), nn.BatchNorm2d(o), nn.ReLU()

    return nn.Sequential(*one(i), *one(o))


class Up(nn.Module):
    def __init__(self, w):
        super().__init__()
        self.up, self.conv = nn.ConvTranspose2d(2 * w, w, 2, 2), pair(2 * w, w)


class UNet(nn.Module):
    def __init__(self, channels, classes, width, depth):
        super().__init__()
        w = [width << i for i in range(depth + 1)]
        self.down = nn.ModuleList(pair(a, b) for a, b in zip([channels, *w[:-1]], w, strict=True))
        self.up = nn.ModuleList(Up(v) for v in w[-2::-1])
        self.head = nn.Conv2d(width, classes, 1)

    def forward(self, x):
        skips = []
        for i, block in enumerate(self.down):
            x = block(nn.functional.max_pool2d(x, 2) if i else x)
            skips.append(x)
        for block, skip in zip(self.up, skips[-2::-1], strict=True):
            x = block.conv(torch.cat([skip, block.up(x, output_size=skip.shape[2:])], 1))
        return self.head(x)


class ViTLayer(nn.Module):
    def __init__(self, width, heads, hidden):
        super().__init__()
        self.ln_1 = nn.LayerNorm(width, eps=1e-6)
        self.self_attention = nn.MultiheadAttention(width, heads, batch_first=True)
        self.ln_2 = nn.LayerNorm(width, eps=1e-6)
        self.mlp = nn.Sequential(
            nn.Linear(width, hidden), nn.GELU(), nn.Dropout(0), nn.Linear(hidden, width), nn.Dropout(0)
        )

    def forward(self, x):
        y = self.ln_1(x)
        x = x + self.self_attention(y, y, y)[0]
        return x + self.mlp(self.ln_2(x))


class ViT(nn.Module):
    def __init__(self, size=224, patch=16, channels=3, classes=1000, width=768, layers=12, heads=12, hidden=3072):
        super().__init__()
        self.class_token = nn.Parameter(torch.zeros(1, 1, width))
        self.conv_proj = nn.Conv2d(channels, width, patch, patch)
        self.encoder = nn.Module()
        self.encoder.pos_embedding = nn.Parameter(torch.zeros(1, (size // patch) ** 2 + 1, width))
        self.encoder.layers = nn.Sequential()
        for i in range(layers):
            self.encoder.layers.add_module(f"encoder_layer_{i}", ViTLayer(width, heads, hidden))
        self.encoder.ln = nn.LayerNorm(width, eps=1e-6)
        self.heads = nn.Sequential()
        self.heads.add_module("head", nn.Linear(width, classes))

    def forward(self, x):
        t = self.conv_proj(x).flatten(2).transpose(1, 2)
        t = torch.cat([self.class_token.expand(len(x), -1, -1), t], 1) + self.encoder.pos_embedding
        return self.heads(self.encoder.ln(self.encoder.layers(t))[:, 0])


def bce(logits, label):
    return nn.functional.binary_cross_entropy_with_logits(logits, torch.full_like(logits, label))


def vae_terms(encoder, mean, logvar, decoder, x, eps, loss):
    """(-log p(x | z), KL) per row, straight from the paper's appendix B."""
    h = encoder(x)
    mu, lv = mean(h), logvar(h)
    raw = decoder(mu + torch.exp(lv / 2) * eps).flatten(1)
    x = x.flatten(1)
    if loss == "bce":
        p = torch.sigmoid(raw)
        error = -(x * torch.log(p) + (1 - x) * torch.log(1 - p)).sum(1)
    else:
        error = ((raw - x) ** 2).sum(1) / 2
    return error, -0.5 * (1 + lv - mu**2 - torch.exp(lv)).sum(1)


def penalty(critic, real, fake, mix):
    mix = mix.reshape(-1, *[1] * (real.dim() - 1))
    points = (mix * real + (1 - mix) * fake).detach().requires_grad_()
    slope = torch.autograd.grad(critic(points).sum(), points, create_graph=True)[0]
    return ((slope.reshape(len(real), -1).pow(2).sum(1).sqrt() - 1) ** 2).mean()


def spread(module, seed):
    """Weights and statistics that no symmetry makes easy: also biases, norms and tokens that begin at 0 or 1."""
    g = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, t in module.state_dict().items():
            if not t.is_floating_point():
                continue
            noise = torch.randn(t.shape, generator=g, dtype=torch.float64).to(t.dtype)
            if name.endswith("running_var"):
                t.copy_(1 + 0.2 * noise.abs())
            elif t.dim() > 1:
                t.copy_(noise / math.sqrt(max(1, t[0].numel())))
            else:
                t.add_(0.1 * noise)
    return module
