"""Libraries of optimizers and schedules."""

import torch
from common import array, library, network, trained


@library("lion-pytorch")
def lion_pytorch():
    from lion_pytorch import Lion

    return trained(lambda m: Lion(m.parameters(), lr=1e-2, weight_decay=0.1))


@library("torch-optimizer")
def torch_optimizer():
    import torch_optimizer as optim

    names = (
        "AccSGD AdaBelief AdaBound AdaMod AdamP AggMo Apollo DiffGrad Lamb LARS MADGRAD NovoGrad PID QHAdam QHM SGDP SGDW "
        "SWATS Yogi"
    ).split()
    results = {name: trained(lambda m: getattr(optim, name)(m.parameters(), lr=1e-2), steps=4) for name in names}
    for name in ("A2GradExp", "A2GradInc", "A2GradUni"):
        results[name] = trained(lambda m: getattr(optim, name)(m.parameters()), steps=4)
    results["Lookahead"] = trained(lambda m: optim.Lookahead(optim.Yogi(m.parameters(), lr=1e-2), k=2))
    return results


@library("torch-optimizer: the rest", lacks="transpose_ of a tensor of a graph, in Shampoo")
def torch_optimizer_rest():
    import torch_optimizer as optim

    return [trained(lambda m: kind(m.parameters())) for kind in (optim.Adafactor, optim.Shampoo)]


@library("adabelief-pytorch")
def adabelief_pytorch():
    from adabelief_pytorch import AdaBelief

    return trained(lambda m: AdaBelief(m.parameters(), lr=1e-2, print_change_log=False))


@library("pytorch-ranger", lacks="addcmul_(number, tensor, tensor), the older order")
def pytorch_ranger():
    from pytorch_ranger import Ranger

    return trained(lambda m: Ranger(m.parameters(), lr=1e-2))


@library("pytorch-optimizer")
def pytorch_optimizer():
    import pytorch_optimizer as optim

    names = "ADOPT AdaBelief LaProp Lion MARS Prodigy StableAdamW Tiger".split()
    return {name: trained(lambda m: getattr(optim, name)(m.parameters(), lr=1e-3), steps=4) for name in names}


@library("prodigyopt")
def prodigyopt():
    from prodigyopt import Prodigy

    return trained(lambda m: Prodigy(m.parameters(), lr=1.0, weight_decay=0.01))


@library("pytorch-lamb", lacks="add_(number, tensor), the older order")
def pytorch_lamb():
    from pytorch_lamb import Lamb

    return trained(lambda m: Lamb(m.parameters(), lr=1e-2, weight_decay=0.01))


@library("schedulefree")
def schedulefree():
    import schedulefree

    results = []
    for kind in (schedulefree.AdamWScheduleFree, schedulefree.SGDScheduleFree, schedulefree.RAdamScheduleFree):

        def make(model):
            optimizer = kind(model.parameters(), lr=1e-2, foreach=False)
            optimizer.train()
            return optimizer

        results.append(trained(make))
    return results


@library("pytorch-warmup")
def pytorch_warmup():
    import pytorch_warmup as warmup

    rates = []
    optimizer = torch.optim.AdamW([torch.nn.Parameter(array(3))], lr=0.1)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=12)
    for kind in (warmup.UntunedLinearWarmup(optimizer), warmup.ExponentialWarmup(optimizer, 4)):
        for _ in range(5):
            optimizer.step()
            with kind.dampening():
                schedule.step()
            rates.append(optimizer.param_groups[0]["lr"])
    return rates


@library("torch-ema")
def torch_ema():
    from torch_ema import ExponentialMovingAverage

    model = network()
    average = ExponentialMovingAverage(model.parameters(), decay=0.9)
    for i in range(3):
        with torch.no_grad():
            for p in model.parameters():
                p.add_(0.1 * (i + 1))
        average.update()
    with average.average_parameters():
        inside = model(array(2, 4))
    return [inside, model(array(2, 4)), average.state_dict()["shadow_params"]]


@library("ema-pytorch")
def ema_pytorch():
    from ema_pytorch import EMA

    model = network()
    average = EMA(model, beta=0.9, update_after_step=0, update_every=1)
    for _ in range(4):
        with torch.no_grad():
            for p in model.parameters():
                p.mul_(1.1)
        average.update()
    return [average(array(2, 4)), list(average.ema_model.parameters())]
