"""A residual network on images of CIFAR's shape: SGD with momentum, weight decay, MultiStepLR, label smoothing."""

import numpy as np
import torch
import torch.backends.cudnn as cudnn
import torch.nn as nn
import torch.nn.functional as F
import torch.optim as optim
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, random_split


def conv3x3(in_planes: int, out_planes: int, stride: int = 1) -> nn.Conv2d:
    return nn.Conv2d(in_planes, out_planes, kernel_size=3, stride=stride, padding=1, bias=False)


class BasicBlock(nn.Module):
    expansion: int = 1

    def __init__(self, in_planes: int, planes: int, stride: int = 1) -> None:
        super(BasicBlock, self).__init__()
        self.conv1 = conv3x3(in_planes, planes, stride)
        self.bn1 = nn.BatchNorm2d(planes)
        self.conv2 = conv3x3(planes, planes)
        self.bn2 = nn.BatchNorm2d(planes)
        self.shortcut = nn.Sequential()
        if stride != 1 or in_planes != self.expansion * planes:
            self.shortcut = nn.Sequential(
                nn.Conv2d(in_planes, self.expansion * planes, kernel_size=1, stride=stride, bias=False),
                nn.BatchNorm2d(self.expansion * planes),
            )

    def forward(self, x: Tensor) -> Tensor:
        out = F.relu(self.bn1(self.conv1(x)))
        out = self.bn2(self.conv2(out))
        out += self.shortcut(x)
        return F.relu(out)


class ResNet(nn.Module):
    def __init__(self, block, num_blocks, width=8, num_classes=10):
        super(ResNet, self).__init__()
        self.in_planes = width
        self.register_buffer("mean", torch.tensor([0.4914, 0.4822, 0.4465]).view(1, 3, 1, 1))
        self.register_buffer("std", torch.tensor([0.2023, 0.1994, 0.2010]).view(1, 3, 1, 1), persistent=False)
        self.conv1 = conv3x3(3, width)
        self.bn1 = nn.BatchNorm2d(width)
        self.layer1 = self._make_layer(block, width, num_blocks[0], stride=1)
        self.layer2 = self._make_layer(block, 2 * width, num_blocks[1], stride=2)
        self.layer3 = self._make_layer(block, 4 * width, num_blocks[2], stride=2)
        self.linear = nn.Linear(4 * width * block.expansion, num_classes)
        rng = np.random.RandomState(8)
        for m in self.modules():
            if isinstance(m, nn.Conv2d):
                n = m.kernel_size[0] * m.kernel_size[1] * m.out_channels
                m.weight.data = torch.from_numpy(rng.normal(0, np.sqrt(2.0 / n), m.weight.shape)).to(m.weight.dtype)
            elif isinstance(m, (nn.BatchNorm2d, nn.GroupNorm)):
                nn.init.constant_(m.weight, 1)
                nn.init.constant_(m.bias, 0)
            elif isinstance(m, nn.Linear):
                m.weight.data = torch.from_numpy(rng.normal(0, 0.1, m.weight.shape)).to(m.weight.dtype)
                nn.init.constant_(m.bias, 0)

    def _make_layer(self, block, planes, num_blocks, stride):
        strides = [stride] + [1] * (num_blocks - 1)
        layers = []
        for stride in strides:
            layers.append(block(self.in_planes, planes, stride))
            self.in_planes = planes * block.expansion
        return nn.Sequential(*layers)

    def forward(self, x):
        out = F.relu(self.bn1(self.conv1((x - self.mean) / self.std)))
        out = self.layer3(self.layer2(self.layer1(out)))
        out = F.avg_pool2d(out, out.size()[3])
        out = out.view(out.size(0), -1)
        return self.linear(out)


class Gratings(Dataset):
    """32 x 32 colour images of ten classes: five directions of stripes in two colours."""

    def __init__(self, n):
        rng = np.random.RandomState(0)
        yy, xx = np.mgrid[0:32, 0:32] / 5.0
        self.targets = rng.randint(0, 10, n)
        angle = (self.targets % 5)[:, None, None] * np.pi / 5
        waves = np.sin(np.cos(angle) * xx + np.sin(angle) * yy + rng.uniform(0, 6, (n, 1, 1)))
        colour = np.where((self.targets < 5)[:, None], [1.0, 0.5, 0.2], [0.2, 0.5, 1.0])
        self.data = np.uint8(255 * (0.5 + 0.4 * waves[:, None] * colour[:, :, None, None]))

    def __len__(self):
        return self.data.shape[0]

    def __getitem__(self, i):
        return torch.from_numpy(self.data[i]).to(torch.get_default_dtype()).div(255), int(self.targets[i])


device = "cuda" if torch.cuda.is_available() else "cpu"
if device == "cuda":
    cudnn.benchmark = True
dataset = Gratings(136)
lengths = [len(random_split(dataset, [104, 32])[0]), 32]
assert lengths == [104, 32]
trainloader = DataLoader(torch.utils.data.Subset(dataset, range(104)), batch_size=26, num_workers=0)
testloader = DataLoader(torch.utils.data.Subset(dataset, list(range(104, 136))), batch_size=16)
net = ResNet(BasicBlock, [1, 1, 1]).to(device)
criterion = nn.CrossEntropyLoss(label_smoothing=0.1)
optimizer = optim.SGD(net.parameters(), lr=0.05, momentum=0.9, weight_decay=5e-4, nesterov=True)
scheduler = optim.lr_scheduler.MultiStepLR(optimizer, milestones=[1, 2], gamma=0.2)
losses, rates = [], []
for epoch in range(3):
    net.train()
    train_loss = correct = total = 0
    for inputs, targets in trainloader:
        inputs, targets = inputs.to(device), targets.to(device)
        optimizer.zero_grad()
        outputs = net(inputs)
        loss = criterion(outputs, targets)
        loss.backward()
        optimizer.step()
        train_loss += loss.item()
        _, predicted = outputs.max(1)
        total += targets.size(0)
        correct += predicted.eq(targets).sum().item()
        losses.append(loss.item())
    rates.append(scheduler.get_last_lr()[0])
    scheduler.step()
    print("epoch %d | loss: %.3f | acc: %.1f%% (%d/%d)" % (epoch, train_loss, 100.0 * correct / total, correct, total))

net.eval()
outputs = []
with torch.no_grad():
    for inputs, targets in testloader:
        outputs.append(net(inputs.to(device)).cpu())
checkpoint = {"net": net.state_dict(), "optimizer": optimizer.state_dict(), "epoch": epoch}
assert "mean" in checkpoint["net"] and "std" not in checkpoint["net"]
result = {
    "losses": losses,
    "rates": rates,
    "outputs": torch.cat(outputs).numpy(),
    "tracked": int(net.bn1.num_batches_tracked),
    "running_var": net.layer3[0].bn2.running_var.cpu().numpy(),
}
