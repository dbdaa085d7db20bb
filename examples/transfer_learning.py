"""A network that can name digits learns with 20 examples which of them are prime; one from scratch does not.

python examples/transfer_learning.py
"""

import lamina
from lamina import transfer
from lamina.models import CNN

train, (x_test, y_test) = lamina.datasets.split(*lamina.datasets.digits())


def prime(y):
    return ((y == 2) | (y == 3) | (y == 5) | (y == 7)).long()


x, y = train
rows = lamina.cat([(y == digit).nonzero().flatten()[:2] for digit in range(10)])  # two of each digit
few, held_out = (x[rows], prime(y[rows])), (x_test, prime(y_test))


def accuracy(model, lr):
    model.fit(few, epochs=40, batch_size=10, lr=lr, progress=False)
    return model.evaluate(held_out)["accuracy"]


lamina.manual_seed(0)
scratch = accuracy(CNN(width=16, classes=2), 1e-3)

lamina.manual_seed(0)
model = CNN(width=16)
model.fit(train, epochs=8, batch_size=64, lr=3e-3, scheduler="onecycle")  # what each digit is called
transfer.freeze(model)
transfer.replace_head(model, 2)  # the new layer alone is trained
transferred = accuracy(model, 1e-2)

print(f"prime or not, from scratch {scratch:.1%}, transferred {transferred:.1%} (at least 90% and 5 points more)")
assert transferred >= max(0.90, scratch + 0.05)
