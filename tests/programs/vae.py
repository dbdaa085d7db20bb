"""A variational autoencoder on synthetic blobs; the noise of the reparametrization comes from NumPy."""

import numpy as np
import torch
import torch.utils.data
from torch import nn, optim
from torch.nn import functional as F

rng = np.random.RandomState(5)
device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
log_interval = 5


def blobs(n):
    yy, xx = np.mgrid[0:16, 0:16]
    cy, cx, r = (rng.uniform(low, high, (n, 1, 1)) for low, high in ((4, 12), (4, 12), (1.5, 4)))
    return np.exp(-((yy - cy) ** 2 + (xx - cx) ** 2) / (2 * r**2)).reshape(n, 1, 16, 16)


class VAE(nn.Module):
    def __init__(self):
        super(VAE, self).__init__()
        self.fc1 = nn.Linear(256, 100)
        self.fc21 = nn.Linear(100, 8)
        self.fc22 = nn.Linear(100, 8)
        self.fc3 = nn.Linear(8, 100)
        self.fc4 = nn.Linear(100, 256)

    def encode(self, x):
        h1 = F.relu(self.fc1(x))
        return self.fc21(h1), self.fc22(h1)

    def reparameterize(self, mu, logvar):
        std = torch.exp(0.5 * logvar)
        eps = torch.from_numpy(rng.randn(*std.shape)).to(std)
        return mu + eps * std

    def decode(self, z):
        h3 = F.relu(self.fc3(z))
        return torch.sigmoid(self.fc4(h3))

    def forward(self, x):
        mu, logvar = self.encode(x.view(-1, 256))
        z = self.reparameterize(mu, logvar)
        return self.decode(z), mu, logvar


def loss_function(recon_x, x, mu, logvar):
    """Reconstruction and KL divergence losses summed over all elements and batch."""
    BCE = F.binary_cross_entropy(recon_x, x.view(-1, 256), reduction="sum")
    KLD = -0.5 * torch.sum(1 + logvar - mu.pow(2) - logvar.exp())
    return BCE + KLD


def init(m):
    if type(m) == nn.Linear:  # noqa: E721
        m.weight.data = torch.tensor(rng.randn(*m.weight.shape) / np.sqrt(m.in_features)).type_as(m.weight)
        m.bias.data.fill_(0.01)


images = torch.as_tensor(blobs(400)).to(torch.get_default_dtype())
train_loader = torch.utils.data.DataLoader(images[:320], batch_size=32, shuffle=False, num_workers=0, drop_last=True)
test_loader = torch.utils.data.DataLoader(images[320:], batch_size=40)
model = VAE().to(device)
model.apply(init)
optimizer = optim.Adam(model.parameters(), lr=1e-3)
losses, parts = [], []


def train(epoch):
    model.train()
    train_loss = 0
    for batch_idx, data in enumerate(train_loader):
        data = data.to(device)
        optimizer.zero_grad()
        recon_batch, mu, logvar = model(data)
        loss = loss_function(recon_batch, data, mu, logvar)
        loss.backward()
        train_loss += loss.item()
        optimizer.step()
        losses.append(loss.item() / len(data))
        if batch_idx % log_interval == 0:
            print(
                "Train Epoch: {} [{}/{} ({:.0f}%)]\tLoss: {:.6f}".format(
                    epoch,
                    batch_idx * len(data),
                    len(train_loader.dataset),
                    100.0 * batch_idx / len(train_loader),
                    loss.item() / len(data),
                )
            )
    print("====> Epoch: {} Average loss: {:.4f}".format(epoch, train_loss / len(train_loader.dataset)))


def test(epoch):
    model.eval()
    test_loss = 0
    with torch.no_grad():
        for i, data in enumerate(test_loader):
            data = data.to(device)
            recon_batch, mu, logvar = model(data)
            test_loss += loss_function(recon_batch, data, mu, logvar).item()
            if i == 0:
                n = min(data.size(0), 8)
                comparison = torch.cat([data[:n], recon_batch.view(40, 1, 16, 16)[:n]])
    return test_loss / len(test_loader.dataset), comparison.cpu()


for epoch in range(1, 3):
    train(epoch)
test_loss, comparison = test(2)
with torch.no_grad():
    sample = torch.from_numpy(rng.randn(6, 8)).to(images.dtype).to(device)
    sample = model.decode(sample).cpu().view(6, 1, 16, 16)
result = {
    "losses": losses,
    "test_loss": test_loss,
    "comparison": comparison.numpy(),
    "sample": sample.numpy(),
    "learned": optimizer.state_dict()["param_groups"][0]["lr"],
}
