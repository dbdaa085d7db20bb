// Inverse error function, normal quantiles, the scaled complementary error function, logit.
#pragma once
#include "lamina/math_erf.h"
#include "lamina/math_gelu.h"

namespace lamina::math::inline LAMINA_ISA {

// The a with 1 - erf(a)^2 = e^-w, divided by erf(a): polynomials of w, from w = 6.25 on of its root.
template <Double V>
LAMINA_FN V inverse_erf_plain(V w) {
  const auto far = w > V(6.25);
  const V c = select(far, V(0), w - V(3.125));
  V y = poly_plain(c, 0x1.a755e7c9eb72fp+0, 0x1.ebd80d18ae088p-3, -0x1.8b6c3623a6974p-8, -0x1.8455eae4d4124p-11,
                   0x1.879cc4eac12eap-13, -0x1.d222c2010be69p-17, -0x1.6eb708e1d9803p-20, 0x1.ca6b2604a56e4p-22,
                   -0x1.f07da077f7234p-26, -0x1.464218aa8bb54p-28, 0x1.1b622923ca0c7p-30, 0x1.8308a5a97e65ep-38,
                   -0x1.b3b810efd49c9p-37);
  if (!any(far)) return y;
  const V s = sqrt(select(far, w, V(6.25)));
  const auto further = s > V(4);
  y = select(far,
             poly_plain(select(further, V(0), s - V(3.25)), 0x1.8abcc3773128cp+1, 0x1.0158a6e5c6a5fp+0,
                        0x1.6003bd6beadefp-8, -0x1.ebb22a06a4737p-9, 0x1.45ccefff7f57bp-9, -0x1.ba334d527e035p-10,
                        0x1.0192ebf5be1e1p-10, -0x1.7ae5ad9963944p-12, -0x1.397796ed7a904p-15, 0x1.55d4b27e25daap-14),
             y);
  return select(
      further,
      poly_plain(select(further, s - V(7), V(0)), 0x1.b79e049ac92ep+2, 0x1.0233529a68747p+0, -0x1.0cc82fa472f8dp-11,
                 0x1.a5ab9bef9e667p-18, 0x1.96fe56612c5a6p-18, -0x1.b2a11f046f2d6p-20, 0x1.4b33c530da77ep-22,
                 -0x1.cc3f7523d8489p-25, 0x1.5e33bc85baaf1p-27, -0x1.9b0346ef7ae7ep-30, 0x1.1ace6e7661665p-39,
                 -0x1.ca8dc41b9a6a5p-41, 0x1.fb9763a7e5e31p-37, -0x1.41fbfe4e01b7ep-39),
      y);
}
template <Double V>
LAMINA_FN V inverse_erf(V w) {
  const auto far = w > V(6.25);
  const V c = select(far, V(0), w - V(3.125));
  V y = poly(c, 0x1.a755e7c99ae86p+0, 0x1.ebd80d9b13dfap-3, -0x1.8b6c33114ea7p-8, -0x1.8457694835a5fp-11,
             0x1.879c2a20b129fp-13, -0x1.d1d1f7c9fa504p-17, -0x1.6e8a53ca05852p-20, 0x1.c6b4f885bf71fp-22,
             -0x1.f36cee4030b87p-26, -0x1.1a9eafdff84c8p-28, 0x1.20f53f75377acp-30, -0x1.dc3f4cb98eb94p-35,
             -0x1.c8a5b1e7f8437p-37, 0x1.7236d69ee8f57p-39, -0x1.6ba5c006e88fcp-44, -0x1.687942fc24e3ep-45,
             0x1.d639171e57392p-48, -0x1.6acd58ca45181p-55, -0x1.1abd2d8146198p-53, 0x1.1e090f3d5ea05p-56,
             0x1.791b7d377ce2ap-61, -0x1.99d89457b8ba9p-62, 0x1.62957c38821d4p-66, 0x1.e224c214ac59fp-69,
             -0x1.9939b296ac7cdp-72);
  if (!any(far)) return y;
  const V s = sqrt(select(far, w, V(6.25)));
  y = select(far,
             poly(lesser(V(4), s) - V(3.25), 0x1.8abcc380d5a48p+1, 0x1.0158a6d641d39p+0, 0x1.5ffcfe5b71794p-8,
                  -0x1.ebadabb88b336p-9, 0x1.468eeca723721p-9, -0x1.ba924134432c1p-10, 0x1.f3cc551f844e8p-11,
                  -0x1.7448a8628d053p-12, 0x1.932d77ba7aa04p-16, 0x1.1e68474849c87p-14, -0x1.8cf0c1bff482p-15,
                  0x1.a29aac2e0fb34p-17, 0x1.88afe170edcd4p-19, -0x1.0d602c2720519p-18, 0x1.924cb1547a2cfp-20,
                  0x1.3bea634f71fd2p-26, -0x1.2352d7747ea2ep-22, 0x1.85857d62520b7p-24, 0x1.78da3b3c32557p-31),
             y);
  y = select(s > V(4),
             poly(lesser(V(6.25), s) - V(5), 0x1.3664ddd1ad7fbp+2, 0x1.02a30d1fba10bp+0, -0x1.22ea5df1c8467p-13,
                  -0x1.c2f36aa15587p-13, 0x1.3ebf4efa39cabp-14, -0x1.4a34904757dc2p-16, 0x1.2fbcfe315d2ebp-18,
                  -0x1.0a90320126328p-20, 0x1.ebe2982f9de59p-23, -0x1.2238d1a306427p-24, 0x1.f2987a594b4eap-26,
                  -0x1.05604c37b04dbp-26, 0x1.0c7b2b8ab4e8fp-27, -0x1.e5a3813328bf9p-29, 0x1.6ca135c1b76c3p-30,
                  -0x1.a3529aa295591p-32, 0x1.0af3113f81cb7p-34, 0x1.084e28141c58fp-36, -0x1.1d6d8067e8436p-36,
                  0x1.9995d4811f13ep-38, -0x1.d61b2fd4d42a3p-41),
             y);
  if (!any(s > V(6.25))) return y;
  y = select(s > V(6.25),
             poly(lesser(V(12), s) - V(9), 0x1.1c4bf1ab3c8b6p+3, 0x1.01b8e2742818dp+0, -0x1.accd56c8ecc81p-12,
                  0x1.58dc927bc283fp-16, -0x1.fc7f5853e0d6dp-23, -0x1.461c7a71786c7p-23, 0x1.1a167db3ca7d1p-25,
                  -0x1.5e5f5b31c4cf9p-28, 0x1.7fefa756f9a85p-31, -0x1.8998895841ed7p-34, 0x1.82edcd9b6c7cbp-37,
                  -0x1.71600437f4a05p-40, 0x1.58c6cd7b24f95p-43, -0x1.3bdfe01eea9a1p-46, 0x1.1e3236ad5b007p-49,
                  -0x1.027d58c3f1e64p-52, 0x1.bb917dc80b834p-56, -0x1.57295ab695223p-59, 0x1.56d041d52e03bp-62,
                  -0x1.c36da24f7474bp-65, 0x1.2de92c2a8afa7p-68),
             y);
  return select(s > V(12),
                poly(lesser(V(27.5), s) - V(19), 0x1.2ecf50e432de1p+4, 0x1.00a61f319561cp+0, -0x1.97ba7f32c8417p-14,
                     0x1.0255bb271b35ep-18, -0x1.47efc31c5e3dp-23, 0x1.983aa131bc6f8p-28, -0x1.e5c50d55a0a71p-33,
                     0x1.07d7e6815934p-37, -0x1.ce5c00f1ce6c5p-43, 0x1.1f8657778a78bp-49, 0x1.64bdcdb9145b4p-52,
                     -0x1.4b5d00b80351ap-55, 0x1.a1596a47a3da5p-59, -0x1.ca004ce10bf91p-63, 0x1.d28055a085015p-67,
                     -0x1.c1ab4142bcc57p-71, 0x1.ac4390d6ba26p-75, -0x1.adcd7a08225d1p-79, 0x1.8abb474394554p-83,
                     -0x1.df4dfb9eb3c78p-88, 0x1.4afb170a66fcdp-92, -0x1.80bf752bc4e22p-95, 0x1.f75dfcc75ab18p-99,
                     -0x1.c42f5e2a9d366p-104),
                y);
}

struct ErfinvSingle {
  template <Double V>
  LAMINA_FN static V run(V x) {
    const V t = abs(x), w = Log2Single::run((V(1) - t) * (V(1) + t)) * V(-kLn2);
    const V y = x * inverse_erf_plain(lesser(V(110), w));
    return select(t < V(1), y, select(t == V(1), with_sign(infinity<V>(), x), quiet_nan<V>()));
  }
};
template <Real V>
LAMINA_FN V erfinv(V x) {
  if constexpr (Single<V>) {
    return via_double(ErfinvSingle{}, x);
  } else {
    // 1 - x^2 as (1 - x) (1 + x) from 1/2 on, where the first factor is exact
    const V t = abs(x), w = -select(t < V(0.5), log1p(-(x * x)), log((V(1) - t) * (V(1) + t)));
    const V y = x * inverse_erf(lesser(V(756), w));
    return select(t < V(1), y, select(t == V(1), with_sign(infinity<V>(), x), quiet_nan<V>()));
  }
}

// The x with P(N(0, 1) < x) = p: sqrt 2 erfinv(2 p - 1), with 1 - (2 p - 1)^2 = 4 p (1 - p).
struct NdtriSingle {
  template <Double V>
  LAMINA_FN static V run(V p) {
    const V w = Log2Single::run(V(4) * p * (V(1) - p)) * V(-kLn2);
    const V y = (p + p - V(1)) * V(0x1.6a09e667f3bcdp0) * inverse_erf_plain(lesser(V(110), w));
    const V edge = select(p == V(0), -infinity<V>(), select(p == V(1), infinity<V>(), quiet_nan<V>()));
    return select((p > V(0)) & (p < V(1)), y, edge);
  }
};
template <Real V>
LAMINA_FN V ndtri(V p) {
  if constexpr (Single<V>) {
    return via_double(NdtriSingle{}, p);
  } else {
    const V y = p + p - V(1);
    const V w = -select(abs(y) < V(0.5), log1p(-(y * y)), log(p * (V(4) - V(4) * p)));
    const V x = y * V(0x1.6a09e667f3bcdp0) * inverse_erf(lesser(V(756), w));
    const V edge = select(p == V(0), -infinity<V>(), select(p == V(1), infinity<V>(), quiet_nan<V>()));
    return select((p > V(0)) & (p < V(1)), x, edge);
  }
}

// e^(x^2) erfc(x): from 26 on its asymptotic series.
template <Double V>
LAMINA_FN V erfcx_double(V x) {
  const V a = abs(x), t = lesser(V(26), a), near = scaled_erfc(t) / fma(t, V(2), V(1));
  const V v = V(1) / greater(V(26), a), u = V(0.5) * v * v;
  const V far = V(0x1.20dd750429b6dp-1) * v * poly(u, 1.0, -1.0, 3.0, -15.0, 105.0, -945.0, 10395.0);
  const V y = select(a > V(26), far, near);
  const V b = lesser(V(30), a), s = b * b, e = fma(b, b, -s);
  const auto [p, k] = exp_parts(s);
  return select(x < V(0), scalb(fma(p, e, p), k + V(1)) - y, y);
}
struct ErfcxSingle {
  template <Double V>
  LAMINA_FN static V run(V x) {
    return erfcx_double(x);
  }
};
template <Real V>
LAMINA_FN V erfcx(V x) {
  if constexpr (Single<V>)
    return via_double(ErfcxSingle{}, x);
  else
    return erfcx_double(x);
}

// log(x / (1 - x))
struct LogitSingle {
  template <Double V>
  LAMINA_FN static V run(V x) {
    return Log2Single::run(x / (V(1) - x)) * V(kLn2);
  }
};
template <Real V>
LAMINA_FN V logit(V x) {
  if constexpr (Single<V>) {
    return via_double(LogitSingle{}, x);
  } else {
    const auto near = (x > V(0.25)) & (x < V(0.75));
    const V d = V(1) - x;
    return select(near, log1p((x + x - V(1)) / d), log(x / d));
  }
}

}  // namespace lamina::math::inline LAMINA_ISA
