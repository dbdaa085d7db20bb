"""Flows, differential equations, Gaussian processes, probabilistic programs, quadrature, controlled paths."""

import torch
from common import array, filled, grads, library, network


@library("nflows")
def nflows():
    from nflows import distributions, flows, transforms

    steps = []
    for _ in range(2):
        steps.append(transforms.ReversePermutation(features=3))
        steps.append(transforms.MaskedAffineAutoregressiveTransform(features=3, hidden_features=8))
    steps.append(transforms.PiecewiseRationalQuadraticCDF(shape=[3], num_bins=4, tails="linear", tail_bound=3.0))
    flow = filled(flows.Flow(transforms.CompositeTransform(steps), distributions.StandardNormal([3])))
    x = array(6, 3)
    (-flow.log_prob(x).mean()).backward()
    noise = flow.transform_to_noise(x)
    return [flow.log_prob(x), noise, flow._transform.inverse(noise)[0], grads(flow)]


@library("normflows")
def normflows():
    import normflows as nf

    base = nf.distributions.DiagGaussian(2, trainable=False)
    parts = []
    for _ in range(2):
        parts.append(nf.flows.AffineCouplingBlock(nf.nets.MLP([1, 8, 2], init_zeros=True)))
        parts.append(nf.flows.Permute(2, mode="swap"))
    model = filled(nf.NormalizingFlow(base, parts), scale=0.1)
    loss = model.forward_kld(array(8, 2))
    loss.backward()
    return [loss, model.log_prob(array(5, 2, seed=3)), grads(model)]


@library("torchdiffeq", lacks="Size.numel()")
def torchdiffeq():
    from torchdiffeq import odeint, odeint_adjoint

    field = network_of_time()
    y0, t = array(5, 4).requires_grad_(), torch.linspace(0.0, 1.0, 5, dtype=torch.float64)
    results = []
    for method in ("euler", "rk4", "dopri5", "bosh3", "adaptive_heun", "midpoint", "implicit_adams"):
        results.append(odeint(field, y0, t, method=method))
    odeint_adjoint(field, y0, t, method="dopri5").sin().sum().backward()
    return [*results, y0.grad, grads(field)]


def network_of_time():
    class Field(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.net = torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.Tanh(), torch.nn.Linear(8, 4))

        def forward(self, t, y):
            return self.net(y) * torch.cos(t)

    return filled(Field())


@library("torchsde")
def torchsde():
    import torchsde

    class Noise(torch.nn.Module):
        noise_type, sde_type = "diagonal", "ito"

        def __init__(self):
            super().__init__()
            self.mu = torch.nn.Linear(3, 3)
            self.sigma = torch.nn.Linear(3, 3)

        def f(self, t, y):
            return self.mu(y)

        def g(self, t, y):
            return torch.sigmoid(self.sigma(y))

    class Path:
        """A path that is not random, so that both sides walk the same one."""

        shape, dtype, device = (2, 3), torch.float64, torch.device("cpu")
        levy_area_approximation = "none"

        def __call__(self, ta, tb=None, **kwargs):
            dt = tb - ta
            return torch.sin(torch.arange(6.0, dtype=torch.float64).reshape(2, 3) + ta) * dt**0.5

    sde = filled(Noise())
    ts = torch.linspace(0.0, 1.0, 3, dtype=torch.float64)
    out = torchsde.sdeint(sde, array(2, 3), ts, bm=Path(), method="euler", dt=0.1)
    out.sin().sum().backward()
    return [out, grads(sde)]


@library("torchcde")
def torchcde():
    import torchcde

    x = array(2, 6, 3)
    coeffs = torchcde.hermite_cubic_coefficients_with_backward_differences(x)
    path = torchcde.CubicSpline(coeffs)
    spline = torchcde.CubicSpline(torchcde.natural_cubic_coeffs(x))
    linear = torchcde.LinearInterpolation(torchcde.linear_interpolation_coeffs(x))
    at = torch.tensor(1.3, dtype=torch.float64)
    return [coeffs, [p.evaluate(at) for p in (path, spline, linear)], [p.derivative(at) for p in (path, spline)]]


@library("gpytorch", lacks="Size.numel()")
def gpytorch():
    import gpytorch

    x = torch.linspace(0, 1, 12, dtype=torch.float64)
    y = torch.sin(6 * x) + array(12, scale=0.1)

    class Model(gpytorch.models.ExactGP):
        def __init__(self, likelihood):
            super().__init__(x, y, likelihood)
            self.mean_module = gpytorch.means.ConstantMean()
            self.covar_module = gpytorch.kernels.ScaleKernel(gpytorch.kernels.RBFKernel())

        def forward(self, x):
            return gpytorch.distributions.MultivariateNormal(self.mean_module(x), self.covar_module(x))

    likelihood = gpytorch.likelihoods.GaussianLikelihood().double()
    model = Model(likelihood).double()
    score = gpytorch.mlls.ExactMarginalLogLikelihood(likelihood, model)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.1)
    losses = []
    for _ in range(5):
        optimizer.zero_grad()
        loss = -score(model(x), y)
        loss.backward()
        optimizer.step()
        losses.append(loss)
    model.eval()
    likelihood.eval()
    with torch.no_grad():
        seen = likelihood(model(torch.linspace(0.05, 0.95, 5, dtype=torch.float64)))
    return [losses, seen.mean, seen.variance]


@library("linear-operator")
def linear_operator():
    from linear_operator.operators import (
        AddedDiagLinearOperator,
        DenseLinearOperator,
        DiagLinearOperator,
        KroneckerProductLinearOperator,
    )

    a = array(5, 5)
    dense = DenseLinearOperator((a @ a.T).requires_grad_())
    op = AddedDiagLinearOperator(dense, DiagLinearOperator(torch.ones(5, dtype=torch.float64)))
    quad, logdet = op.inv_quad_logdet(array(5, 1, seed=1), logdet=True)
    kron = KroneckerProductLinearOperator(DenseLinearOperator(a), DenseLinearOperator(array(2, 2, seed=3)))
    return [op.to_dense(), op.solve(array(5, 2, seed=2)), quad, logdet, kron.matmul(array(10, 2, seed=4))]


@library("pyro-ppl")
def pyro_ppl():
    import pyro
    import pyro.distributions as dist
    from pyro.infer import SVI, Trace_ELBO

    data = array(10, scale=0.5) + 1.0

    def guide():
        pyro.sample("mean", dist.Delta(pyro.param("m", torch.tensor(0.3, dtype=torch.float64))))

    def model():
        mean = pyro.sample("mean", dist.Normal(torch.zeros((), dtype=torch.float64), 1.0))
        scale = pyro.param("s", torch.tensor(1.0, dtype=torch.float64), constraint=dist.constraints.positive)
        with pyro.plate("data", 10):
            pyro.sample("obs", dist.Normal(mean, scale), obs=data)

    svi = SVI(model, guide, pyro.optim.Adam({"lr": 0.05}), Trace_ELBO())
    pyro.clear_param_store()
    return [[svi.step() for _ in range(5)], pyro.param("m"), pyro.param("s")]


@library("snntorch")
def snntorch():
    import snntorch as snn

    first = snn.Leaky(beta=0.9)
    state, total = first.init_leaky(), []
    net = network()
    for i in range(5):
        spikes, state = first(net(array(2, 4, seed=i, scale=3.0)), state)
        total.append(spikes)
    (torch.stack(total).sum() + state.sum()).backward()
    return [total, state, grads(net)]
