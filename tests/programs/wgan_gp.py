"""A Wasserstein GAN with gradient penalty on eight Gaussians in the plane."""

import numpy as np
import torch
import torch.autograd as autograd
import torch.nn as nn
import torch.optim as optim

LAMBDA = 1
CRITIC_ITERS = 3
BATCH_SIZE = 64
DIM = 32
rng = np.random.RandomState(1)
use_cuda = torch.cuda.is_available()
device = "cuda" if use_cuda else "cpu"


class Generator(nn.Module):
    def __init__(self):
        super().__init__()
        self.main = nn.Sequential(
            nn.Linear(2, DIM), nn.ReLU(True), nn.Linear(DIM, DIM), nn.ReLU(True), nn.Linear(DIM, 2)
        )

    def forward(self, noise):
        return self.main(noise)


class Critic(nn.Module):
    def __init__(self):
        super().__init__()
        layers = [nn.Linear(2, DIM), nn.LeakyReLU(0.2)]
        for _ in range(2):
            layers += [nn.Linear(DIM, DIM), nn.LeakyReLU(0.2)]
        self.body = nn.Sequential(*layers)
        self.head = nn.Linear(DIM, 1)

    def forward(self, x):
        return self.head(self.body(x)).view(-1)


def weights_init(m):
    if isinstance(m, nn.Linear):
        m.weight.data.copy_(torch.as_tensor(rng.normal(0.0, 0.3, m.weight.shape)))
        m.bias.data.zero_()


def inf_train_gen():
    angles = 2 * np.pi * np.arange(8) / 8
    centers = 2 * np.stack([np.cos(angles), np.sin(angles)], 1)
    while True:
        yield (centers[rng.randint(0, 8, BATCH_SIZE)] + 0.02 * rng.randn(BATCH_SIZE, 2)) / 1.414


def tensor(array):
    return torch.tensor(array, dtype=torch.get_default_dtype(), device=device)


def calc_gradient_penalty(netD, real_data, fake_data):
    alpha = tensor(rng.rand(BATCH_SIZE, 1)).expand(real_data.size())
    interpolates = alpha * real_data + ((1 - alpha) * fake_data)
    interpolates = autograd.Variable(interpolates, requires_grad=True)
    disc_interpolates = netD(interpolates)
    gradients = autograd.grad(
        outputs=disc_interpolates,
        inputs=interpolates,
        grad_outputs=torch.ones(disc_interpolates.size(), device=device),
        create_graph=True,
        retain_graph=True,
        only_inputs=True,
    )[0]
    return ((gradients.norm(2, dim=1) - 1) ** 2).mean() * LAMBDA


netG, netD = Generator().to(device), Critic().to(device)
netG.apply(weights_init)
netD.apply(weights_init)
optimizerD = optim.Adam(netD.parameters(), lr=1e-3, betas=(0.5, 0.9))
optimizerG = optim.RMSprop(netG.parameters(), lr=5e-4)
data = inf_train_gen()
one = torch.tensor(1.0)
mone = one * -1

costs, penalties, wasserstein, generator = [], [], [], []
for iteration in range(8):
    for p in netD.parameters():  # they are set to False below in netG update
        p.requires_grad = True
    for iter_d in range(CRITIC_ITERS):
        real = tensor(next(data))
        netD.zero_grad()
        D_real = netD(real).mean()
        D_real.backward(mone.to(D_real))
        with torch.no_grad():
            fake = netG(tensor(rng.randn(BATCH_SIZE, 2)))
        D_fake = netD(fake).mean()
        D_fake.backward(one.to(D_fake))
        gradient_penalty = calc_gradient_penalty(netD, real.data, fake.data)
        gradient_penalty.backward()
        costs.append((D_fake - D_real + gradient_penalty).item())
        wasserstein.append((D_real - D_fake).item())
        penalties.append(gradient_penalty.item())
        optimizerD.step()
    for p in netD.parameters():
        p.requires_grad_(False)
    netG.zero_grad()
    G = -netD(netG(tensor(rng.randn(BATCH_SIZE, 2)))).mean()
    assert all(p.grad is not None for p in netD.parameters())
    G.backward()
    optimizerG.step()
    generator.append(G.item())
    print("iter %d cost %.4f penalty %.4f W %.4f" % (iteration, costs[-1], penalties[-1], wasserstein[-1]))

result = {
    "losses": costs,
    "penalties": penalties,
    "wasserstein": wasserstein,
    "generator": generator,
    "samples": netG(tensor(np.linspace(-2, 2, 20).reshape(10, 2))).data.cpu().numpy(),
}
