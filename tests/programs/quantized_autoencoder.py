"""A VQ-VAE: a Function of one's own for the straight-through step, codebooks by moving averages, commitment loss."""

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.autograd import Function

rng = np.random.RandomState(16)
dtype = torch.get_default_dtype()


class StraightThrough(Function):
    @staticmethod
    def forward(ctx, inputs, codebook):
        with torch.no_grad():
            flat = inputs.view(-1, codebook.size(1))
            sqr = torch.sum(flat**2, dim=1, keepdim=True) + torch.sum(codebook**2, dim=1)
            distances = torch.addmm(sqr, flat, codebook.t(), alpha=-2.0, beta=1.0)
            _, indices = torch.min(distances, dim=1)
            ctx.save_for_backward(indices, codebook)
            ctx.mark_non_differentiable(indices)
            return torch.index_select(codebook, 0, indices).view_as(inputs), indices

    @staticmethod
    def backward(ctx, grad_output, grad_indices):
        grad_inputs, grad_codebook = grad_output.clone(), None
        if ctx.needs_input_grad[1]:
            indices, codebook = ctx.saved_tensors
            grad_codebook = torch.zeros_like(codebook)
            grad_codebook.index_add_(0, indices, grad_output.contiguous().view(-1, codebook.size(1)))
        return grad_inputs, grad_codebook


class VQVAE(nn.Module):
    def __init__(self, dim=4, codes=6):
        super().__init__()
        self.encoder = nn.Sequential(nn.Conv2d(1, 8, 4, 2, 1), nn.ReLU(True), nn.Conv2d(8, dim, 3, 1, 1))
        self.decoder = nn.Sequential(nn.ConvTranspose2d(dim, 8, 4, 2, 1), nn.ReLU(True), nn.Conv2d(8, 1, 3, 1, 1))
        self.codebook = nn.Embedding(codes, dim)

    def forward(self, x):
        z_e = self.encoder(x).permute(0, 2, 3, 1).contiguous()
        z_q, indices = StraightThrough.apply(z_e, self.codebook.weight.detach())
        z_flat = torch.index_select(self.codebook.weight, 0, indices).view_as(z_e)
        return self.decoder(z_q.permute(0, 3, 1, 2).contiguous()), z_e, z_flat, indices


model = VQVAE()
for name, p in model.named_parameters():
    p.data.copy_(torch.from_numpy(rng.randn(*p.shape) * (0.3 if p.dim() > 1 else 0.0)))
yy, xx = np.mgrid[0:8, 0:8]
stripes = np.stack([np.sin(0.8 * (xx * np.cos(a) + yy * np.sin(a))) for a in rng.rand(20) * np.pi])
x = torch.tensor(stripes, dtype=dtype).unsqueeze(1)
optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
losses = []
for step in range(15):
    x_tilde, z_e, z_q, indices = model(x)
    loss = F.mse_loss(x_tilde, x) + F.mse_loss(z_q, z_e.detach()) + 0.25 * F.mse_loss(z_e, z_q.detach())
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    losses.append(loss.item())
counts = torch.bincount(indices, minlength=6)
usage = counts.to(dtype) / counts.sum()
perplexity = torch.exp(-(usage * (usage + 1e-10).log()).sum())
result = {
    "losses": losses,
    "counts": counts.numpy() + 1,
    "perplexity": perplexity.item(),
    "out": x_tilde.detach()[:2].numpy(),
    "codebook": model.codebook.weight.detach().numpy(),
}
