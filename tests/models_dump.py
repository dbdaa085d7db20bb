"""Prints a hash of the weights of image and generative models after some steps: the same at any thread count and SIMD
level."""

from __future__ import annotations

import hashlib
import json
import sys

import lamina
from lamina import models, optim

GENERATIVE = {
    "vae": lambda: models.VAE(),
    "vae conv": lambda: models.VAE(kind="conv", hidden=(8, 16), loss="mse"),
    "autoencoder": lambda: models.Autoencoder(kind="conv", hidden=(8, 16), noise=0.1, mask=0.1),
    "dcgan": lambda: models.DCGAN(size=8, channels=1, width=12, latent=16),
    "wgan_gp": lambda: models.wgan_gp(size=8, channels=1, width=12, latent=16),
    "gan": lambda: models.GAN(loss="wasserstein_gp", hidden=(24, 48)),
}
IMAGE = {
    "mlp": lambda: models.MLP(),
    "cnn": lambda: models.CNN(width=8),
    "vgg": lambda: models.VGG(stages=(1, 1), batch_norm=True, width=8, hidden=32, pool=2, channels=1, classes=10),
    "lenet": lambda: models.LeNet(size=8, padding=4, activation="relu"),
    "resnet": lambda: models.ResNet(layers=(1, 1), width=8, stem="small", channels=1, classes=10),
    "bottleneck": lambda: models.ResNet(
        block="bottleneck", layers=(1, 1), width=4, stem="small", channels=1, classes=10, zero_init_residual=True
    ),
    "mobilenet": lambda: models.MobileNetV2(
        stages=((1, 8, 1, 1), (4, 16, 2, 2)), stem=8, stem_stride=1, last=32, channels=1, classes=10
    ),
    "efficientnet": lambda: models.EfficientNet(
        stages=((1, 3, 1, 8, 1), (4, 3, 2, 16, 2)), stem=8, stem_stride=1, channels=1, classes=10
    ),
    "vit": lambda: models.ViT(size=8, patch=2, channels=1, classes=10, width=24, layers=2, heads=4, hidden=48),
    "unet": lambda: models.UNet(classes=10, width=4, depth=2, dice=0.5),
}


def trained(name: str) -> str:
    lamina.manual_seed(7)
    model = {**GENERATIVE, **IMAGE}[name]()
    x, y = lamina.datasets.digits()
    adversarial = hasattr(model, "training_step")
    optimizers = model.configure_optimizers(2e-4) if adversarial else {"all": optim.AdamW(model.parameters(), 2e-3)}
    for i in range(50 if name in GENERATIVE else 10):
        rows = slice(i * 24, i * 24 + 24)
        if adversarial:
            model.training_step((2 * x[rows] - 1,), optimizers)
            continue
        target = (x[rows, 0] * 9).long() if name == "unet" else y[rows]
        optimizers["all"].zero_grad()
        model.training_loss(x[rows], target).backward()
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
        out[threads] = {name: trained(name) for name in [*GENERATIVE, *IMAGE]}
    print(json.dumps(out))


if __name__ == "__main__":
    main()
