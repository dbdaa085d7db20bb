"""A student learns from a teacher: features caught by hooks, Gram matrices, temperature, averaged weights."""

import copy

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F

rng = np.random.RandomState(9)
dtype = torch.get_default_dtype()


def network(width):
    return nn.Sequential(
        nn.Conv2d(1, width, 3, padding=1), nn.BatchNorm2d(width), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(width, 6, 3, padding=1), nn.ReLU(), nn.AdaptiveAvgPool2d(2), nn.Flatten(), nn.Linear(24, 5),
    )  # fmt: skip


def init(model):
    for name, p in model.named_parameters():
        if p.dim() > 1:
            p.data.copy_(torch.from_numpy(rng.randn(*p.shape) * 0.4))
        elif name.endswith("bias"):
            nn.init.zeros_(p)


def gram_matrix(input):
    a, b, c, d = input.size()
    features = input.view(a * b, c * d)
    G = torch.mm(features, features.t())
    return G.div(a * b * c * d)


class EMA:
    def __init__(self, model, decay):
        self.module = copy.deepcopy(model).eval()
        self.decay = decay

    @torch.no_grad()
    def update(self, model):
        for e, m in zip(self.module.state_dict().values(), model.state_dict().values()):
            e.copy_(self.decay * e + (1.0 - self.decay) * m if e.is_floating_point() else m)


teacher, student = network(12), network(4)
init(teacher)
init(student)
teacher.eval()
caught = {}


def catch(name):
    def hook(module, args, output):
        caught[name] = output

    return hook


handles = [m[4].register_forward_hook(catch(n)) for m, n in ((teacher, "teacher"), (student, "student"))]
x = torch.tensor(rng.randn(16, 1, 8, 8), dtype=dtype)
y = torch.tensor(rng.randint(0, 5, 16))
T, alpha = 4.0, 0.7
ema = EMA(student, 0.8)
optimizer = torch.optim.SGD(student.parameters(), lr=0.05, momentum=0.9, nesterov=True)
losses = []
for step in range(20):
    with torch.no_grad():
        target = teacher(x)
    output = student(x)
    soft = F.kl_div(F.log_softmax(output / T, dim=1), F.softmax(target / T, dim=1), reduction="batchmean") * (T * T)
    style = F.mse_loss(gram_matrix(caught["student"]), gram_matrix(caught["teacher"]))
    loss = alpha * soft + (1 - alpha) * F.cross_entropy(output, y, label_smoothing=0.1) + 10.0 * style
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    ema.update(student)
    losses.append(loss.item())
for handle in handles:
    handle.remove()
caught.clear()
student(x)
result = {
    "losses": losses,
    "ema": ema.module(x).detach().numpy(),
    "gram": gram_matrix(student[0](x)).detach().numpy(),
    "caught": len(caught) + 1,
    "tracked": int(ema.module[1].num_batches_tracked) + 1,
}
