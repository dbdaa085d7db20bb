"""A run that is stopped and goes on ends in the same bits as one that never stopped.

The checkpoint is one file: weights, optimizer, schedule, random states, and the place in the data.

python examples/checkpoint_resume.py
"""

import os
import tempfile

import lamina
from lamina import vision
from lamina.models import CNN
from lamina.training import Callback

train, test = lamina.datasets.digits(split=True)
train = vision.Augment(train, vision.RandomRotation(10), seed=0)
path = os.path.join(tempfile.mkdtemp(), "run.safetensors")
options = {"epochs": 6, "batch_size": 64, "lr": 3e-3, "scheduler": "onecycle"}


class PowerCut(Callback):
    """Ends the program in the middle of an epoch, once."""

    over = False

    def on_batch_end(self, trainer, loss):
        if trainer.step == 70 and not self.over:
            self.over = True
            raise RuntimeError("the lights went out")


lamina.manual_seed(0)
unbroken = CNN(width=16)
unbroken.fit(train, **options)

lamina.manual_seed(0)
options |= {"checkpoint": path, "checkpoint_every": "20 steps", "callbacks": [PowerCut()]}
try:
    CNN(width=16).fit(train, **options)
except RuntimeError as error:
    print(error)

resumed = CNN(width=16)  # other weights: those of the file count
history = resumed.fit(train, **options, resume=True)

same = sum(bool((a == b).all()) for a, b in zip(unbroken.parameters(), resumed.parameters(), strict=True))
total = len(list(unbroken.parameters()))
print(f"accuracy {resumed.evaluate(test)['accuracy']:.1%} after {history[-1]['step']} steps in two runs")
print(f"parameters with equal bits: {same} of {total} (at least {total})")
assert same == total
