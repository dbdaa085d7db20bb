"""NumPy's numbers wherever a program has them: temperatures, loss weights, schedules, sizes and thresholds."""

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

rng = np.random.RandomState(5)
dtype = torch.get_default_dtype()
dims, classes = np.int64(6), np.int32(4)
temperature, margin = np.sqrt(float(dims)), np.float64(0.2)
model = nn.Sequential(nn.Linear(dims, 12), nn.ReLU(), nn.Dropout(np.float64(0.0)), nn.Linear(12, classes))
for p in model.parameters():
    p.data.copy_(torch.from_numpy(rng.randn(*p.shape) * 0.5))
x = torch.tensor(rng.randn(np.int64(80), dims), dtype=dtype)
y = torch.tensor(rng.randint(0, classes, 80))
weights = 1.0 / (np.bincount(y.numpy(), minlength=classes) + np.float32(1.0))
optimizer = torch.optim.SGD(model.parameters(), lr=np.float32(0.5), momentum=np.float64(0.9))
losses, rates = [], []
for epoch in range(20):
    rate = 0.05 + 0.45 * (1 + np.cos(np.pi * epoch / 20)) / 2
    for group in optimizer.param_groups:
        group["lr"] = rate
    logits = model(x) / temperature
    loss = F.cross_entropy(logits, y, weight=torch.tensor(weights, dtype=dtype))
    top = logits.topk(np.int64(2), dim=np.int64(1)).values
    ranking = np.float64(0.1) * F.relu(margin - (top[:, 0] - top[:, 1])).mean()
    penalty = np.float64(1e-3) * sum((p**2).sum() for p in model.parameters())
    total = loss + ranking + penalty
    optimizer.zero_grad()
    total.backward()
    optimizer.step()
    losses.append(total.item())
    rates.append(rate)
with torch.no_grad():
    probability = (model(x) / np.float64(temperature)).softmax(np.int64(-1))
    chosen = probability[np.arange(80), y.numpy()]
    rows = probability[np.array([3, 1, 1])]
    mask = probability.max(1).values > np.float64(0.5)
    scaled = np.float64(2) * probability - np.float32(0.5) * probability
    powers = np.float64(2) ** probability
    parts = torch.split(probability, 40)
result = {
    "losses": losses,
    "rates": rates,
    "chosen": chosen.numpy(),
    "rows": rows.numpy(),
    "mask": mask.to(torch.int64).numpy() + 1,
    "scaled": scaled.numpy(),
    "powers": powers.numpy(),
    "parts": [float(part.sum()) for part in parts],
}
