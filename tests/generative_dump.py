"""Prints a hash of the weights of generative models after 50 steps: the same at any thread count and SIMD level."""

from __future__ import annotations

import hashlib
import json
import sys

import lamina
from lamina import models, optim

MAKERS = {
    "vae": lambda: models.VAE(),
    "vae conv": lambda: models.VAE(kind="conv", hidden=(8, 16), loss="mse"),
    "autoencoder": lambda: models.Autoencoder(kind="conv", hidden=(8, 16), noise=0.1, mask=0.1),
    "dcgan": lambda: models.DCGAN(size=8, channels=1, width=12, latent=16),
    "wgan_gp": lambda: models.wgan_gp(size=8, channels=1, width=12, latent=16),
    "gan": lambda: models.GAN(loss="wasserstein_gp", hidden=(24, 48)),
}


def trained(name: str) -> str:
    lamina.manual_seed(7)
    model = MAKERS[name]()
    x, _ = lamina.datasets.digits()
    adversarial = hasattr(model, "training_step")
    optimizers = model.configure_optimizers(2e-4) if adversarial else {"all": optim.AdamW(model.parameters(), 2e-3)}
    for i in range(50):
        batch = x[i * 24 : i * 24 + 24]
        if adversarial:
            model.training_step((2 * batch - 1,), optimizers)
            continue
        optimizers["all"].zero_grad()
        model.training_loss(batch).backward()
        optimizers["all"].step()
    h = hashlib.sha256()
    for value in model.state_dict().values():
        h.update(value.contiguous().numpy().tobytes())
    if hasattr(model, "sample"):
        h.update(model.sample(5, seed=1).contiguous().numpy().tobytes())
    return h.hexdigest()[:16]


def main() -> None:
    out = {}
    for threads in map(int, sys.argv[1:]):
        lamina.set_num_threads(threads)
        out[threads] = {name: trained(name) for name in MAKERS}
    print(json.dumps(out))


if __name__ == "__main__":
    main()
