"""Thirteen small models as people write them in PyTorch; each runs on PyTorch and on lamina from the same text.

usage: python bench/workloads.py LIBRARY WORKLOAD [--seconds 1.5] [--threads 1] [--clock cpu]  (a line of JSON: a step's time)

`bench/models.py` runs them side by side. A workload is a function of the library that gives one step: a training step
(forward, loss, backward, optimizer) or, for names that end in _inference, a forward pass of one example without gradients.
"""

from __future__ import annotations

import argparse
import importlib
import json
import statistics
import sys
import time
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np

VOCABULARY = 96


class Data:
    """Fixed inputs as tensors of one library."""

    def __init__(self, library: Any) -> None:
        self.library = library
        self.rng = np.random.default_rng(0)

    def normal(self, *shape: int) -> Any:
        return self.library.tensor(self.rng.standard_normal(shape).astype(np.float32))

    def uniform(self, *shape: int) -> Any:
        return self.library.tensor(self.rng.random(shape).astype(np.float32))

    def integers(self, high: int, *shape: int) -> Any:
        return self.library.tensor(self.rng.integers(0, high, shape))


def mlp(nn: Any, sizes: list[int], activation: Any = None) -> Any:
    layers = []
    for i, (inputs, outputs) in enumerate(pairwise(sizes)):
        if i:
            layers.append((activation or nn.ReLU)())
        layers.append(nn.Linear(inputs, outputs))
    return nn.Sequential(*layers)


def cnn(nn: Any) -> Any:
    F = nn.functional

    class CNN(nn.Module):
        """The network of PyTorch's MNIST example, with logits."""

        def __init__(self):
            super().__init__()
            self.conv1, self.conv2 = nn.Conv2d(1, 32, 3), nn.Conv2d(32, 64, 3)
            self.dropout1, self.dropout2 = nn.Dropout(0.25), nn.Dropout(0.5)
            self.fc1, self.fc2 = nn.Linear(9216, 128), nn.Linear(128, 10)

        def forward(self, x):
            x = F.relu(self.conv2(F.relu(self.conv1(x))))
            x = self.dropout1(F.max_pool2d(x, 2)).flatten(1)
            return self.fc2(self.dropout2(F.relu(self.fc1(x))))

    return CNN()


def resnet18(nn: Any, width: int = 64) -> Any:
    F = nn.functional

    class Block(nn.Module):
        def __init__(self, inputs, outputs, stride):
            super().__init__()
            self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
            self.norm1 = nn.BatchNorm2d(outputs)
            self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
            self.norm2 = nn.BatchNorm2d(outputs)
            self.shortcut = nn.Identity()
            if stride != 1 or inputs != outputs:
                self.shortcut = nn.Sequential(
                    nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs)
                )

        def forward(self, x):
            y = F.relu(self.norm1(self.conv1(x)))
            return F.relu(self.norm2(self.conv2(y)) + self.shortcut(x))

    class ResNet18(nn.Module):
        """For 32 x 32 images: a 3 x 3 stem, four stages of two blocks, mean over the image."""

        def __init__(self):
            super().__init__()
            self.stem, self.norm = nn.Conv2d(3, width, 3, 1, 1, bias=False), nn.BatchNorm2d(width)
            blocks, inputs = [], width
            for stage in range(4):
                for i in range(2):
                    blocks.append(Block(inputs, width << stage, 2 if stage and not i else 1))
                    inputs = width << stage
            self.blocks, self.head = nn.Sequential(*blocks), nn.Linear(inputs, 10)

        def forward(self, x):
            return self.head(self.blocks(F.relu(self.norm(self.stem(x)))).mean((2, 3)))

    return ResNet18()


def char_lstm(nn: Any, width: int = 256) -> Any:
    class CharLSTM(nn.Module):
        def __init__(self):
            super().__init__()
            self.embedding = nn.Embedding(VOCABULARY, width)
            self.lstm = nn.LSTM(width, width, 2, batch_first=True)
            self.head = nn.Linear(width, VOCABULARY)

        def forward(self, x):
            return self.head(self.lstm(self.embedding(x))[0])

    return CharLSTM()


def gpt(library: Any, context: int = 256, width: int = 384, heads: int = 6, layers: int = 6) -> Any:
    nn = library.nn
    F = nn.functional

    class Block(nn.Module):
        def __init__(self):
            super().__init__()
            self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
            self.qkv, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)
            self.up, self.down = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

        def attention(self, x):
            n, time_steps, _ = x.shape
            q, k, v = (
                part.view(n, time_steps, heads, width // heads).transpose(1, 2)
                for part in self.qkv(x).split(width, dim=2)
            )
            y = F.scaled_dot_product_attention(q, k, v, is_causal=True)
            return self.out(y.transpose(1, 2).contiguous().view(n, time_steps, width))

        def forward(self, x):
            x = x + self.attention(self.norm1(x))
            return x + self.down(F.gelu(self.up(self.norm2(x))))

    class GPT(nn.Module):
        def __init__(self):
            super().__init__()
            self.tokens, self.positions = nn.Embedding(VOCABULARY, width), nn.Embedding(context, width)
            self.blocks = nn.Sequential(*[Block() for _ in range(layers)])
            self.norm, self.head = nn.LayerNorm(width), nn.Linear(width, VOCABULARY, bias=False)

        def forward(self, x):
            x = self.tokens(x) + self.positions(library.arange(x.shape[1]))
            return self.head(self.norm(self.blocks(x)))

    return GPT()


def vae(library: Any) -> Any:
    nn = library.nn
    F = nn.functional

    class VAE(nn.Module):
        def __init__(self):
            super().__init__()
            self.encoder, self.mean, self.log_variance = nn.Linear(784, 400), nn.Linear(400, 20), nn.Linear(400, 20)
            self.decoder, self.out = nn.Linear(20, 400), nn.Linear(400, 784)

        def forward(self, x):
            h = F.relu(self.encoder(x))
            mu, log_variance = self.mean(h), self.log_variance(h)
            std = library.exp(0.5 * log_variance)
            z = mu + library.randn_like(std) * std
            return library.sigmoid(self.out(F.relu(self.decoder(z)))), mu, log_variance

    return VAE()


def generator(nn: Any, width: int = 32) -> Any:
    layers, inputs = [], 64
    for outputs, stride, padding in ((4 * width, 1, 0), (2 * width, 2, 1), (width, 2, 1)):
        conv = nn.ConvTranspose2d(inputs, outputs, 4, stride, padding, bias=False)
        layers += [conv, nn.BatchNorm2d(outputs), nn.ReLU(True)]
        inputs = outputs
    return nn.Sequential(*layers, nn.ConvTranspose2d(width, 3, 4, 2, 1, bias=False), nn.Tanh())


def discriminator(nn: Any, width: int = 32) -> Any:
    layers = [nn.Conv2d(3, width, 4, 2, 1, bias=False), nn.LeakyReLU(0.2, True)]
    for i in (1, 2):
        conv = nn.Conv2d(i * width, 2 * i * width, 4, 2, 1, bias=False)
        layers += [conv, nn.BatchNorm2d(2 * i * width), nn.LeakyReLU(0.2, True)]
    return nn.Sequential(*layers, nn.Conv2d(4 * width, 1, 4, 1, 0, bias=False))


def training(model: Any, x: Any, y: Any, optimizer: Any, loss_function: Callable) -> Callable:
    model.train()

    def step():
        optimizer.zero_grad()
        loss = loss_function(model(x), y)
        loss.backward()
        optimizer.step()
        return loss.item()

    return step


def inference(library: Any, model: Any, x: Any) -> Callable:
    model.eval()

    def step():
        with library.no_grad():
            return model(x)

    return step


def classifier_step(library: Any, model: Any, x: Any, optimizer: Any) -> Callable:
    y = Data(library).integers(10, x.shape[0])
    return training(model, x, y, optimizer, library.nn.functional.cross_entropy)


def language_step(library: Any, model: Any, batch: int, length: int, optimizer: Any) -> Callable:
    data, F = Data(library), library.nn.functional

    def loss(logits, y):
        return F.cross_entropy(logits.view(-1, VOCABULARY), y.view(-1))

    x, y = data.integers(VOCABULARY, batch, length), data.integers(VOCABULARY, batch, length)
    return training(model, x, y, optimizer, loss)


def mlp_small(lib: Any) -> Callable:
    model = mlp(lib.nn, [784, 128, 64, 10])
    return classifier_step(lib, model, Data(lib).normal(32, 784), lib.optim.Adam(model.parameters(), lr=1e-3))


def mlp_tiny_sgd(lib: Any) -> Callable:
    model, data = mlp(lib.nn, [2, 16, 16, 1], lib.nn.Tanh), Data(lib)
    optimizer = lib.optim.SGD(model.parameters(), lr=1e-2)
    return training(model, data.normal(16, 2), data.normal(16, 1), optimizer, lib.nn.functional.mse_loss)


def mlp_large(lib: Any) -> Callable:
    model = mlp(lib.nn, [784, 2048, 2048, 10])
    return classifier_step(lib, model, Data(lib).normal(256, 784), lib.optim.Adam(model.parameters(), lr=1e-3))


def cnn_mnist(lib: Any) -> Callable:
    model = cnn(lib.nn)
    return classifier_step(lib, model, Data(lib).normal(64, 1, 28, 28), lib.optim.Adam(model.parameters(), lr=1e-3))


def resnet18_cifar(lib: Any) -> Callable:
    model = resnet18(lib.nn)
    optimizer = lib.optim.SGD(model.parameters(), lr=1e-2, momentum=0.9)
    return classifier_step(lib, model, Data(lib).normal(16, 3, 32, 32), optimizer)


def lstm(lib: Any) -> Callable:
    model = char_lstm(lib.nn)
    return language_step(lib, model, 32, 64, lib.optim.Adam(model.parameters(), lr=1e-3))


def gpt_small(lib: Any) -> Callable:
    model = gpt(lib)
    return language_step(lib, model, 4, 256, lib.optim.AdamW(model.parameters(), lr=1e-3))


def vae_mnist(lib: Any) -> Callable:
    model, F = vae(lib), lib.nn.functional

    def loss(outputs, x):
        reconstruction, mu, log_variance = outputs
        divergence = -0.5 * lib.sum(1 + log_variance - mu.pow(2) - log_variance.exp())
        return F.binary_cross_entropy(reconstruction, x, reduction="sum") + divergence

    x = Data(lib).uniform(128, 784)
    return training(model, x, x, lib.optim.Adam(model.parameters(), lr=1e-3), loss)


def dcgan(lib: Any) -> Callable:
    g, d, x = generator(lib.nn), discriminator(lib.nn), Data(lib).normal(32, 3, 32, 32)
    g_optimizer = lib.optim.Adam(g.parameters(), lr=2e-4, betas=(0.5, 0.999))
    d_optimizer = lib.optim.Adam(d.parameters(), lr=2e-4, betas=(0.5, 0.999))
    real, fake = lib.ones(32), lib.zeros(32)
    criterion = lib.nn.functional.binary_cross_entropy_with_logits

    def step():
        d_optimizer.zero_grad()
        images = g(lib.randn(32, 64, 1, 1))
        (criterion(d(x).view(-1), real) + criterion(d(images.detach()).view(-1), fake)).backward()
        d_optimizer.step()
        g_optimizer.zero_grad()
        loss = criterion(d(images).view(-1), real)
        loss.backward()
        g_optimizer.step()
        return loss.item()

    return step


def mlp_inference(lib: Any) -> Callable:
    return inference(lib, mlp(lib.nn, [784, 128, 64, 10]), Data(lib).normal(1, 784))


def resnet18_inference(lib: Any) -> Callable:
    return inference(lib, resnet18(lib.nn), Data(lib).normal(1, 3, 32, 32))


def gpt_inference(lib: Any) -> Callable:
    return inference(lib, gpt(lib), Data(lib).integers(VOCABULARY, 1, 256))


def lstm_inference(lib: Any) -> Callable:
    return inference(lib, char_lstm(lib.nn), Data(lib).integers(VOCABULARY, 1, 64))


WORKLOADS: dict[str, Callable] = {
    f.__name__: f
    for f in (
        *(mlp_small, mlp_tiny_sgd, mlp_large, cnn_mnist, resnet18_cifar, lstm, gpt_small, vae_mnist, dcgan),
        *(mlp_inference, resnet18_inference, gpt_inference, lstm_inference),
    )
}


def measure(step: Callable, seconds: float, clock: Callable[[], float] = time.perf_counter) -> dict[str, float]:
    """Times of single steps in milliseconds, after four that warm up."""
    begin = clock()
    step()
    first = clock() - begin
    for _ in range(3):
        step()
    times = []
    end = time.perf_counter() + seconds
    while len(times) < 5 or time.perf_counter() < end:
        begin = clock()
        step()
        times.append(clock() - begin)
    times.sort()
    return {
        "median_ms": 1e3 * statistics.median(times),
        "p10_ms": 1e3 * times[len(times) // 10],
        "first_ms": 1e3 * first,
        "steps": len(times),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("library", choices=("torch", "lamina"))
    parser.add_argument("workload", choices=sorted(WORKLOADS))
    parser.add_argument("--seconds", type=float, default=1.5)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--clock", choices=("wall", "cpu"), default="wall")
    arguments = parser.parse_args()
    clock = time.process_time if arguments.clock == "cpu" else time.perf_counter
    library = importlib.import_module(arguments.library)
    library.set_num_threads(arguments.threads)
    library.manual_seed(0)
    json.dump(measure(WORKLOADS[arguments.workload](library), arguments.seconds, clock), sys.stdout)


if __name__ == "__main__":
    main()
