"""torch.special's names: the special functions, under their own and their other names."""

from __future__ import annotations

from . import _C

digamma = psi = _C.digamma
entr = _C.entr
erf = _C.erf
erfc = _C.erfc
erfcx = _C.erfcx
erfinv = _C.erfinv
exp2 = _C.exp2
expit = _C.sigmoid
expm1 = _C.expm1
gammaln = _C.lgamma
i0 = _C.i0
i0e = _C.i0e
i1 = _C.i1
i1e = _C.i1e
log1p = _C.log1p
log_ndtr = _C.log_ndtr
log_softmax = _C.log_softmax
logit = _C.logit
logsumexp = _C.logsumexp
multigammaln = _C.mvlgamma
ndtr = _C.ndtr
ndtri = _C.ndtri
polygamma = _C.polygamma
round = _C.round
sinc = _C.sinc
softmax = _C.softmax
xlog1py = _C.xlog1py
xlogy = _C.xlogy
