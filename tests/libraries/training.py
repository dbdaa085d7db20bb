"""Metrics, trainers, explainers, losses, and tools around models."""

import numpy as np
import torch
from common import array, filled, grads, library, network, through, whole


@library("torchmetrics")
def torchmetrics():
    import torchmetrics
    from torchmetrics.classification import MulticlassAUROC, MulticlassConfusionMatrix, MulticlassF1Score

    scores, classes = array(40, 4).softmax(1), whole(4, 40)
    found = [torchmetrics.Accuracy(task="multiclass", num_classes=4), MulticlassF1Score(4), MulticlassAUROC(4)]
    found += [MulticlassConfusionMatrix(4)]
    results = [metric(scores, classes) for metric in found]
    x, y = array(30), array(30, seed=1)
    for metric in (torchmetrics.MeanSquaredError(), torchmetrics.R2Score(), torchmetrics.PearsonCorrCoef()):
        metric.set_dtype(torch.float64)
        metric.update(x[:10], y[:10])
        metric.update(x[10:], y[10:])
        results.append(metric.compute())
    ssim = torchmetrics.image.StructuralSimilarityIndexMeasure(data_range=1.0)
    return [*results, ssim(array(2, 3, 16, 16).sigmoid(), array(2, 3, 16, 16, seed=1).sigmoid())]


@library("torcheval")
def torcheval():
    from torcheval import metrics
    from torcheval.metrics import functional as F

    scores, classes = array(40, 4).softmax(1), whole(4, 40)
    parts = [
        F.multiclass_accuracy(scores, classes),
        F.multiclass_f1_score(scores, classes, num_classes=4, average="macro"),
    ]
    parts += [F.binary_auroc(array(20), whole(2, 20))]
    error = metrics.MeanSquaredError()
    error.update(array(30), array(30, seed=1))
    return [*parts, error.compute(), F.r2_score(array(30), array(30, seed=1))]


@library("skorch")
def skorch():
    from skorch import NeuralNetRegressor

    x, y = np.random.RandomState(0).standard_normal((40, 4)), np.random.RandomState(1).standard_normal((40, 3))
    net = NeuralNetRegressor(network(), max_epochs=3, lr=0.1, batch_size=10, train_split=None, verbose=0)
    net.fit(x, y)
    return [net.history[:, "train_loss"], net.predict(x)]


@library("pytorch-ignite")
def pytorch_ignite():
    from ignite.engine import Events, create_supervised_evaluator, create_supervised_trainer
    from ignite.metrics import Accuracy, Loss, RunningAverage

    model = network()
    data = [(array(8, 4, seed=i), whole(3, 8, seed=i)) for i in range(4)]
    loss = torch.nn.CrossEntropyLoss()
    trainer = create_supervised_trainer(model, torch.optim.SGD(model.parameters(), lr=0.1), loss)
    RunningAverage(output_transform=lambda v: v).attach(trainer, "loss")
    evaluator = create_supervised_evaluator(model, {"accuracy": Accuracy(), "loss": Loss(loss)})
    losses = []

    @trainer.on(Events.EPOCH_COMPLETED)
    def record(engine):
        losses.append(engine.state.metrics["loss"])

    trainer.run(data, max_epochs=3)
    return [losses, list(evaluator.run(data).metrics.values()), list(model.parameters())]


@library("poutyne")
def poutyne():
    from poutyne import Model

    model = Model(network(), "sgd", "cross_entropy", batch_metrics=["accuracy"])
    x, y = array(24, 4), whole(3, 24)
    history = [model.train_on_batch(x[i : i + 8], y[i : i + 8]) for i in (0, 8, 16)]
    return [[list(map(float, row)) for row in history], model.predict_on_batch(x)]


@library("captum")
def captum():
    from captum import attr

    model = network()
    x, zero = array(5, 4), torch.zeros(5, 4, dtype=torch.float64)
    results = [
        attr.IntegratedGradients(model).attribute(x, zero, target=1, n_steps=20),
        attr.Saliency(model).attribute(x.clone().requires_grad_(), target=0),
        attr.InputXGradient(model).attribute(x.clone().requires_grad_(), target=2),
        attr.DeepLift(model).attribute(x, zero, target=1),
        attr.FeatureAblation(model).attribute(x, target=1),
        attr.Occlusion(model).attribute(x, sliding_window_shapes=(2,), target=1),
        attr.LayerActivation(model, model[0]).attribute(x),
        attr.LayerConductance(model, model[0]).attribute(x, zero, target=1, n_steps=10),
    ]
    return results


@library("pytorch-metric-learning")
def pytorch_metric_learning():
    from pytorch_metric_learning import distances, losses, miners

    labels = whole(4, 16)
    kinds = [losses.TripletMarginLoss(), losses.ContrastiveLoss(), losses.MultiSimilarityLoss(), losses.NTXentLoss()]
    kinds += [losses.CircleLoss(), losses.SupConLoss(), losses.LiftedStructureLoss(), losses.AngularLoss()]
    results = []
    for loss in kinds:
        x = array(16, 8).requires_grad_()
        value = loss(x, labels)
        value.backward()
        results.append([value, x.grad])
    pairs = miners.MultiSimilarityMiner()(array(16, 8), labels)
    return [results, list(pairs), distances.LpDistance()(array(5, 8))]


@library("pytorch-msssim")
def pytorch_msssim():
    from pytorch_msssim import MS_SSIM, SSIM

    x, y = array(2, 3, 176, 176).sigmoid().requires_grad_(), array(2, 3, 176, 176, seed=1).sigmoid()
    parts = [SSIM(data_range=1.0)(x, y), MS_SSIM(data_range=1.0)(x, y)]
    sum(parts).backward()
    return [*parts, x.grad.abs().sum(), x.grad[0, 0, :4, :4]]


@library("focal-loss-torch")
def focal_loss_torch():
    from focal_loss.focal_loss import FocalLoss

    x = array(6, 4).requires_grad_()
    loss = FocalLoss(gamma=0.7)(x.softmax(-1), whole(4, 6))
    loss.backward()
    return [loss, x.grad]


@library("kornia", lacks="the dtypes uint16, uint32, uint64")
def kornia():
    import kornia

    x = array(2, 3, 12, 12).sigmoid().requires_grad_()
    parts = [
        kornia.filters.gaussian_blur2d(x, (3, 3), (1.0, 1.0)),
        kornia.color.rgb_to_grayscale(x),
        kornia.filters.sobel(x),
    ]
    parts += [kornia.geometry.resize(x, (6, 6)), kornia.color.rgb_to_hsv(x), kornia.geometry.hflip(x)]
    parts += [kornia.losses.ssim_loss(x, x.detach().flip(3), 5), kornia.filters.median_blur(x, (3, 3))]
    sum(p.sin().sum() for p in parts).backward()
    return [*parts, x.grad]


@library("torchinfo")
def torchinfo():
    from torchinfo import summary

    found = summary(network().float(), (2, 4), verbose=0)
    return [found.total_params, found.total_mult_adds, found.total_output_bytes]


@library("thop")
def thop():
    from thop import profile

    net = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3), torch.nn.BatchNorm2d(4), torch.nn.ReLU())
    return list(profile(net, (torch.zeros(1, 3, 8, 8),), verbose=False))


@library("torch-pruning")
def torch_pruning():
    import torch_pruning as tp

    net = torch.nn.Sequential(
        torch.nn.Conv2d(3, 4, 3), torch.nn.BatchNorm2d(4), torch.nn.ReLU(), torch.nn.Conv2d(4, 2, 3)
    )
    filled(net)
    graph = tp.DependencyGraph().build_dependency(net, example_inputs=array(1, 3, 8, 8))
    graph.get_pruning_group(net[0], tp.prune_conv_out_channels, idxs=[1, 3]).prune()
    return [net[0].weight, net[3].weight, through(net, array(1, 3, 8, 8))]


@library("x-transformers")
def x_transformers():
    from x_transformers import Decoder, TransformerWrapper

    net = TransformerWrapper(
        num_tokens=13,
        max_seq_len=8,
        attn_layers=Decoder(dim=16, depth=2, heads=2, attn_dim_head=8, rotary_pos_emb=True),
    )
    return through(filled(net), whole(13, 2, 8))


@library("vector-quantize-pytorch")
def vector_quantize_pytorch():
    from vector_quantize_pytorch import FSQ, VectorQuantize

    vq = VectorQuantize(dim=4, codebook_size=6, decay=0.8).double()
    vq._codebook.embed.copy_(array(1, 6, 4))
    vq._codebook.embed_avg.copy_(array(1, 6, 4))
    vq.eval()
    x = array(2, 5, 4, seed=1)
    quantized, places, loss = vq(x)
    fsq = FSQ(levels=[4, 5, 3])
    out, codes = fsq(array(2, 6, 3, seed=2))
    return [quantized, places, loss, out, codes, grads(filled(torch.nn.Linear(1, 1)))]
