"""A convolutional network learns handwritten digits from images that are shifted, turned and scaled at random.

Each image is drawn anew in each epoch, from (seed, epoch, image) alone: the run is the same on any number of threads.

python examples/cnn.py
"""

import lamina
from lamina import vision
from lamina.models import CNN

lamina.manual_seed(0)
train, test = lamina.datasets.digits(split=True)
augmented = vision.Augment(train, vision.RandomAffine(10, translate=(0.1, 0.1), scale=(0.9, 1.1)), seed=0)

model = CNN(width=16, classes=10)
model.fit(augmented, epochs=12, batch_size=64, lr=4e-3, scheduler="onecycle")

accuracy = model.evaluate(test)["accuracy"]
print(f"held-out accuracy {accuracy:.1%} (at least 98%)")
assert accuracy >= 0.98
