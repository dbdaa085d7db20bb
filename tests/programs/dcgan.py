"""A deep convolutional GAN on synthetic coloured squares; all noise comes from NumPy."""

from __future__ import print_function

import random

import numpy as np
import torch
import torch.nn as nn
import torch.nn.parallel
import torch.optim as optim
import torch.utils.data

manualSeed = 7
random.seed(manualSeed)
torch.manual_seed(manualSeed)
noise = np.random.RandomState(manualSeed)

nz, ngf, ndf, nc = 16, 8, 8, 3
device = torch.device("cuda:0" if torch.cuda.is_available() else "cpu")


class Squares(torch.utils.data.Dataset):
    def __init__(self, n, transform=None):
        self.rng = np.random.RandomState(0)
        self.images = -np.ones((n, nc, 32, 32))
        self.transform = transform
        for image in self.images:
            y, x, s = self.rng.randint(2, 18), self.rng.randint(2, 18), self.rng.randint(5, 12)
            image[:, y : y + s, x : x + s] = self.rng.uniform(-0.5, 1, (nc, 1, 1))

    def __len__(self):
        return len(self.images)

    def __getitem__(self, index):
        image = self.images[index]
        return (self.transform(image) if self.transform else image), 0


class Generator(nn.Module):
    def __init__(self):
        super(Generator, self).__init__()
        self.main = nn.Sequential(
            nn.ConvTranspose2d(nz, ngf * 4, 4, 1, 0, bias=False),
            nn.BatchNorm2d(ngf * 4),
            nn.ReLU(True),
            nn.ConvTranspose2d(ngf * 4, ngf * 2, 4, 2, 1, bias=False),
            nn.BatchNorm2d(ngf * 2),
            nn.ReLU(True),
            nn.ConvTranspose2d(ngf * 2, ngf, 4, 2, 1, bias=False),
            nn.BatchNorm2d(ngf),
            nn.ReLU(True),
            nn.ConvTranspose2d(ngf, nc, 4, 2, 1, bias=False),
            nn.Tanh(),
        )

    def forward(self, input):
        return self.main(input)


class Discriminator(nn.Module):
    def __init__(self):
        super(Discriminator, self).__init__()
        self.main = nn.Sequential(
            nn.Conv2d(nc, ndf, 4, 2, 1, bias=False),
            nn.LeakyReLU(0.2, inplace=True),
            nn.Conv2d(ndf, ndf * 2, 4, 2, 1, bias=False),
            nn.BatchNorm2d(ndf * 2),
            nn.LeakyReLU(0.2, inplace=True),
            nn.Conv2d(ndf * 2, ndf * 4, 4, 2, 1, bias=False),
            nn.BatchNorm2d(ndf * 4),
            nn.LeakyReLU(0.2, inplace=True),
            nn.Conv2d(ndf * 4, 1, 4, 1, 0, bias=False),
            nn.Sigmoid(),
        )

    def forward(self, input):
        return self.main(input).view(-1, 1).squeeze(1)


def weights_init(m):
    classname = m.__class__.__name__
    if classname.find("Conv") != -1:
        m.weight.data = torch.tensor(noise.normal(0.0, 0.05, m.weight.shape), dtype=m.weight.dtype)
    elif classname.find("BatchNorm") != -1:
        m.weight.data = torch.tensor(noise.normal(1.0, 0.02, m.weight.shape), dtype=m.weight.dtype)
        m.bias.data.fill_(0)


def normal(*shape):
    return torch.from_numpy(noise.randn(*shape)).to(device, torch.get_default_dtype())


dataset = Squares(96, transform=lambda image: torch.tensor(image).to(torch.get_default_dtype()))
dataloader = torch.utils.data.DataLoader(dataset, batch_size=16, shuffle=False, num_workers=0)
netG, netD = Generator().to(device), Discriminator().to(device)
netG.apply(weights_init)
netD.apply(weights_init)
criterion = nn.BCELoss()
fixed_noise = normal(4, nz, 1, 1)
real_label, fake_label = 1.0, 0.0
optimizerD = optim.Adam(netD.parameters(), lr=0.0005, betas=(0.5, 0.999))
optimizerG = optim.Adam(netG.parameters(), lr=0.0005, betas=(0.5, 0.999))

D_losses, G_losses, scores = [], [], []
for epoch in range(2):
    for i, data in enumerate(dataloader, 0):
        # (1) Update D network: maximize log(D(x)) + log(1 - D(G(z)))
        netD.zero_grad()
        real_cpu = data[0].to(device)
        b_size = real_cpu.size(0)
        label = torch.full((b_size,), real_label, dtype=real_cpu.dtype, device=device)
        output = netD(real_cpu)
        errD_real = criterion(output, label)
        errD_real.backward()
        D_x = output.mean().item()
        fake = netG(normal(b_size, nz, 1, 1))
        label.fill_(fake_label)
        output = netD(fake.detach())
        errD_fake = criterion(output, label)
        errD_fake.backward()
        errD = errD_real + errD_fake
        optimizerD.step()
        # (2) Update G network: maximize log(D(G(z)))
        netG.zero_grad()
        label.fill_(real_label)
        output = netD(fake)
        errG = criterion(output, label)
        errG.backward()
        optimizerG.step()
        D_losses.append(errD.item())
        G_losses.append(errG.item())
        scores.append(D_x)
    print("[%d] Loss_D: %.4f Loss_G: %.4f D(x): %.4f" % (epoch, errD.item(), errG.item(), D_x))

with torch.no_grad():
    fake = netG(fixed_noise).detach().cpu()
result = {"losses": D_losses, "G_losses": G_losses, "scores": scores, "fake": fake.numpy()}
