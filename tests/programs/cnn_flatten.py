"""Small convolutional classifiers that flatten their features in the five ways that programs do."""

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F

rng = np.random.RandomState(0)
dtype = torch.get_default_dtype()


def weights_init(m):
    if isinstance(m, (nn.Conv2d, nn.Linear)):
        fan_in = int(np.prod(m.weight.shape[1:]))
        m.weight.data.copy_(torch.from_numpy(rng.randn(*m.weight.shape) * np.sqrt(2.0 / fan_in)))
        m.bias.data.zero_()


class Net(nn.Module):
    def __init__(self, how):
        super().__init__()
        self.how = how
        self.conv1 = nn.Conv2d(1, 8, 3, padding=1)
        self.bn = nn.BatchNorm2d(8)
        self.conv2 = nn.Conv2d(8, 8, 3, stride=2)
        self.fc = nn.Linear(8 * 3 * 3, 3)
        self.flat = nn.Flatten()

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.bn(self.conv1(x))), 2)
        x = torch.tanh(self.conv2(x))
        if self.how == "view":
            x = x.view(x.size(0), -1)
        elif self.how == "size":
            x = x.view(-1, self.num_flat_features(x))
        elif self.how == "flatten":
            x = torch.flatten(x, 1)
        elif self.how == "permute":
            x = x.permute(0, 2, 3, 1).contiguous().view(x.shape[0], -1)
        else:
            x = self.flat(x)
        return self.fc(x)

    def num_flat_features(self, x):
        size = x.size()[1:]
        num_features = 1
        for s in size:
            num_features *= s
        return num_features


labels = rng.randint(0, 3, 96)
images = rng.randn(96, 1, 14, 14) * 0.3
for i, label in enumerate(labels):
    images[i, 0, 2 + 4 * label : 6 + 4 * label, :] += 1.0
data, target = torch.tensor(images, dtype=dtype), torch.tensor(labels)

losses, kept = [], []
for how in ("view", "size", "flatten", "permute", "module"):
    net = Net(how)
    net.apply(weights_init)
    optimizer = torch.optim.SGD(net.parameters(), lr=0.05, momentum=0.9)
    criterion = nn.CrossEntropyLoss()
    first = []
    for step in range(6):
        optimizer.zero_grad()
        output = net(data)
        loss = criterion(output, target)
        loss.backward()
        optimizer.step()
        first.append(loss.item())
    features = F.max_pool2d(net.conv1(data[:4]), 2)
    assert features.is_contiguous() and features.view(-1).shape[0] == 4 * 8 * 49
    kept.append(
        [first[-1], float(features.view(4, 8, -1).mean(2).sum()), net.conv1.weight.grad.view(-1).abs().sum().item()]
    )
    losses += first if how == "view" else []
result = {"losses": losses, "kept": kept, "shape": list(features.stride())}
