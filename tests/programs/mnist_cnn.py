"""A small convolutional network on synthetic seven-segment digits, written as the usual MNIST example."""

import os
import tempfile

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
import torch.optim as optim
from torch.optim.lr_scheduler import StepLR
from torch.utils.data import DataLoader, TensorDataset

SEGMENTS = ["abcdef", "bc", "abged", "abgcd", "fgbc", "afgcd", "afgedc", "abc", "abcdefg", "abcdfg"]
BOXES = {
    "a": (4, 6, 8, 20),
    "b": (4, 14, 18, 20),
    "c": (14, 24, 18, 20),
    "d": (22, 24, 8, 20),
    "e": (14, 24, 8, 10),
    "f": (4, 14, 8, 10),
    "g": (13, 15, 8, 20),
}


def make_digits(n, seed):
    rng = np.random.RandomState(seed)
    labels = rng.randint(0, 10, n)
    images = 0.1 * rng.rand(n, 1, 28, 28)
    for image, label in zip(images, labels):
        dy, dx = rng.randint(-3, 4, 2)
        for s in SEGMENTS[label]:
            y0, y1, x0, x1 = BOXES[s]
            image[0, y0 + dy : y1 + dy, x0 + dx : x1 + dx] += 0.9
    images = (images - 0.1307) / 0.3081
    return TensorDataset(torch.tensor(images, dtype=torch.get_default_dtype()), torch.from_numpy(labels).long())


class Net(nn.Module):
    def __init__(self):
        super(Net, self).__init__()
        self.conv1 = nn.Conv2d(1, 8, 3, 1)
        self.conv2 = nn.Conv2d(8, 16, 3, 1)
        self.dropout1 = nn.Dropout(0.0)
        self.dropout2 = nn.Dropout(0.0)
        self.fc1 = nn.Linear(2304, 32)
        self.fc2 = nn.Linear(32, 10)

    def forward(self, x):
        x = self.conv1(x)
        x = F.relu(x)
        x = self.conv2(x)
        x = F.relu(x)
        x = F.max_pool2d(x, 2)
        x = self.dropout1(x)
        x = torch.flatten(x, 1)
        x = self.fc1(x)
        x = F.relu(x)
        x = self.dropout2(x)
        x = self.fc2(x)
        output = F.log_softmax(x, dim=1)
        return output


def fill_parameters(model, seed):
    rng = np.random.RandomState(seed)
    for p in model.parameters():
        bound = 1.0 / np.sqrt(np.prod(p.shape[1:])) if p.dim() > 1 else 0.05
        p.data.copy_(torch.from_numpy(rng.uniform(-bound, bound, p.shape)))


def train(model, device, train_loader, optimizer, losses):
    model.train()
    for batch_idx, (data, target) in enumerate(train_loader):
        data, target = data.to(device), target.to(device)
        optimizer.zero_grad()
        output = model(data)
        loss = F.nll_loss(output, target)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())


def test(model, device, test_loader):
    model.eval()
    test_loss = 0
    correct = 0
    with torch.no_grad():
        for data, target in test_loader:
            data, target = data.to(device), target.to(device)
            output = model(data)
            test_loss += F.nll_loss(output, target, reduction="sum").item()
            pred = output.argmax(dim=1, keepdim=True)
            correct += pred.eq(target.view_as(pred)).sum().item()
    test_loss /= len(test_loader.dataset)
    print("\nTest set: Average loss: {:.4f}, Accuracy: {}/{}\n".format(test_loss, correct, len(test_loader.dataset)))
    return test_loss


torch.manual_seed(1)
device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
train_loader = DataLoader(make_digits(320, 0), batch_size=64, shuffle=False)
test_loader = DataLoader(make_digits(100, 1), batch_size=50)

model = Net().to(device)
fill_parameters(model, 7)
optimizer = optim.Adadelta(model.parameters(), lr=0.5)
scheduler = StepLR(optimizer, step_size=1, gamma=0.7)
losses, test_losses = [], []
for epoch in range(1, 4):
    train(model, device, train_loader, optimizer, losses)
    test_losses.append(test(model, device, test_loader))
    scheduler.step()

with tempfile.TemporaryDirectory() as folder:
    path = os.path.join(folder, "mnist_cnn.pt")
    torch.save(model.state_dict(), path)
    copy = Net().to(device)
    copy.load_state_dict(torch.load(path))
copy.eval()
with torch.no_grad():
    images = next(iter(test_loader))[0].to(device)
    output = copy(images)
result = {"losses": losses, "test_losses": test_losses, "output": output.cpu().numpy(), "lr": scheduler.get_last_lr()}
