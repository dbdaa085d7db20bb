"""A hinge GAN with spectral norm, whose generator views a vector as an image and whose critic views images as vectors."""

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F

rng = np.random.RandomState(10)
dtype = torch.get_default_dtype()


class Generator(nn.Module):
    def __init__(self, nz=6):
        super().__init__()
        self.fc = nn.Linear(nz, 8 * 2 * 2)
        self.up = nn.ConvTranspose2d(8, 4, 4, 2, 1)
        self.bn = nn.BatchNorm2d(4)
        self.out = nn.Conv2d(4, 1, 3, padding=1)

    def forward(self, z):
        x = self.fc(z).view(-1, 8, 2, 2)
        x = F.relu(self.bn(self.up(x)))
        x = F.interpolate(x, scale_factor=2, mode="nearest")
        return torch.tanh(self.out(x))


class Critic(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.utils.parametrizations.spectral_norm(nn.Conv2d(1, 8, 4, 2, 1))
        self.conv2 = nn.Conv2d(8, 8, 4, 2, 1)
        self.fc = nn.Linear(32, 1)

    def forward(self, x):
        x = F.leaky_relu(self.conv1(x), 0.2)
        x = F.leaky_relu(self.conv2(x), 0.2)
        return self.fc(x.view(x.size(0), 32)).view(-1)


def fill(model):
    for name, p in model.named_parameters():
        if p.dim() > 1:
            p.data.copy_(torch.from_numpy(rng.randn(*p.shape) * 0.3))
        elif name.endswith("bias"):
            p.data.zero_()


netG, netD = Generator(), Critic()
fill(netG)
fill(netD)
for name, b in netD.named_buffers():  # the vectors of the power iteration
    b.data.copy_(F.normalize(torch.from_numpy(rng.randn(*b.shape)).to(dtype), dim=0))
yy, xx = np.mgrid[0:8, 0:8]
center = rng.uniform(2, 6, (64, 2, 1, 1))
real = torch.tensor(2 * np.exp(-((yy - center[:, 0]) ** 2 + (xx - center[:, 1]) ** 2) / 4) - 1, dtype=dtype).view(
    64, 1, 8, 8
)
optG = torch.optim.Adam(netG.parameters(), lr=2e-3, betas=(0.5, 0.9), eps=1e-3)
optD = torch.optim.Adam(netD.parameters(), lr=4e-3, betas=(0.5, 0.9), eps=1e-3)
losses, g_losses = [], []
for step in range(12):
    data = real[(step % 4) * 16 : (step % 4 + 1) * 16]
    noise = torch.from_numpy(rng.randn(16, 6)).to(dtype)
    optD.zero_grad()
    fake = netG(noise)
    d_loss = F.relu(1.0 - netD(data)).mean() + F.relu(1.0 + netD(fake.detach())).mean()
    d_loss.backward()
    optD.step()
    netG.zero_grad()
    for p in netD.parameters():
        p.requires_grad_(False)
    g_loss = -netD(fake).mean()
    g_loss.backward()
    for p in netD.parameters():
        p.requires_grad_(True)
    optG.step()
    losses.append(d_loss.item())
    g_losses.append(g_loss.item() + 2)
netG.eval()
with torch.no_grad():
    sample = netG(torch.from_numpy(rng.randn(3, 6)).to(dtype))
grid = sample.permute(0, 2, 3, 1).reshape(-1, 8)
result = {
    "losses": losses,
    "g": g_losses,
    "grid": grid.numpy(),
    "row": sample.view(3, -1)[:, :10].numpy(),
    "weight": netD.conv1.weight.detach().view(8, -1).numpy(),
}
