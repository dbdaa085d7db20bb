"""Metric learning: batch-hard triplets by cdist, a cosine-margin head, nearest neighbours at the end."""

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F

rng = np.random.RandomState(12)
dtype = torch.get_default_dtype()


class ArcMargin(nn.Module):
    def __init__(self, in_features, out_features, s=8.0, m=0.2):
        super().__init__()
        self.weight = nn.Parameter(torch.empty(out_features, in_features))
        nn.init.xavier_uniform_(self.weight)
        self.s, self.m = s, m

    def forward(self, x, label):
        cosine = F.linear(F.normalize(x), F.normalize(self.weight))
        phi = torch.cos(torch.acos(cosine.clamp(-1 + 1e-6, 1 - 1e-6)) + self.m)
        one_hot = torch.zeros_like(cosine)
        one_hot.scatter_(1, label.view(-1, 1).long(), 1)
        return self.s * torch.where(one_hot.bool(), phi, cosine)


def batch_hard(embeddings, labels, margin):
    dist = torch.cdist(embeddings, embeddings, p=2)
    same = labels.unsqueeze(0) == labels.unsqueeze(1)
    eye = torch.eye(len(labels), dtype=torch.bool)
    hardest_positive = dist.masked_fill(~(same & ~eye), float("-inf")).max(dim=1)[0]
    hardest_negative = dist.masked_fill(same, float("inf")).min(dim=1)[0]
    return F.relu(hardest_positive - hardest_negative + margin).mean()


labels = torch.from_numpy(np.repeat(np.arange(4), 10))
centers = rng.randn(4, 6)
x = torch.tensor(centers[labels.numpy()] + 0.8 * rng.randn(40, 6), dtype=dtype)
net = nn.Sequential(nn.Linear(6, 16), nn.PReLU(), nn.Linear(16, 4))
head = ArcMargin(4, 4)
for p in list(net.parameters()) + list(head.parameters()):
    p.data.copy_(torch.from_numpy(rng.randn(*p.shape) * 0.4))
net[1].weight.data.fill_(0.25)
optimizer = torch.optim.Adam([{"params": net.parameters()}, {"params": head.parameters(), "lr": 0.02}], lr=0.01)
losses = []
for step in range(25):
    e = net(x)
    loss = batch_hard(e, labels, 0.5) + F.cross_entropy(head(e, labels), labels)
    pairs = F.cosine_embedding_loss(e[:20], e[20:], torch.where(labels[:20] == labels[20:], 1, -1))
    loss = loss + 0.1 * pairs + 0.1 * F.triplet_margin_loss(e[0:10], e[1:11], e[20:30], swap=True)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    losses.append(loss.item())
with torch.no_grad():
    e = F.normalize(net(x))
    similarity = e @ e.t()
    similarity.fill_diagonal_(-1.0)
    nearest = similarity.argmax(dim=1)
    accuracy = (labels[nearest] == labels).to(dtype).mean()
    ranks = torch.argsort(similarity, dim=1, descending=True)[:, :3]
result = {
    "losses": losses,
    "e": e.numpy(),
    "accuracy": accuracy.item(),
    "ranks": ranks.numpy() + 1,
    "pdist": torch.pdist(e[:6]).numpy(),
}
