// Modified Bessel functions of the first kind, orders 0 and 1, and their forms scaled by e^-|x|.
#pragma once
#include "lamina/math_exp.h"

namespace lamina::math::inline LAMINA_ISA {

// e^-a I0(a) and e^-a I1(a) for a >= 0: polynomials of a / 4 - 1 up to 8, of 16 / a - 1 beyond.
template <Double V>
LAMINA_FN V i0e_positive(V a) {
  const auto far = a > V(8);
  const V b = select(far, a, V(8)), t = V(0.25) * lesser(V(8), a) - V(1), v = V(16) / b - V(1);
  const V near = poly(t, 0x1.a7f09f8eedf5ap-3, -0x1.cedda0048620cp-4, 0x1.8322d1d8a3bbbp-4, -0x1.6cb8d0c91587ap-4,
                      0x1.65c235bfeaa82p-4, -0x1.5c028fe647b97p-4, 0x1.44b6196a77ed5p-4, -0x1.1cd73a8e68ccdp-4,
                      0x1.d11e10f610496p-5, -0x1.602411e311459p-5, 0x1.ee6f564cd103cp-6, -0x1.427b098c73974p-6,
                      0x1.87e867bbf0eb2p-7, -0x1.bd258f50f2bbbp-8, 0x1.da1a9f9b6596p-9, -0x1.daf9aa1897dd3p-10,
                      0x1.c0f4b0cdb7ca3p-11, -0x1.91807fa4d8274p-12, 0x1.5496bf2fd4a74p-13, -0x1.12c356acb216ep-14,
                      0x1.a6d32be1ae42dp-16, -0x1.366f54c213419p-17, 0x1.b16f3ef89dc93p-19, -0x1.24261d26d0826p-20,
                      0x1.8ab0cd0db916ap-22, -0x1.e8f1aa095cd03p-24, 0x1.c33c49ed0dbc5p-26, -0x1.095d0ee259a0fp-27,
                      0x1.33362977da589p-28, -0x1.45cb72134d0efp-30);
  const V y = poly(v, 0x1.9bd428ad249a5p-2, 0x1.b87969bb93b86p-9, 0x1.1daa72b5e2bd7p-13, 0x1.75e5ee7193c9bp-17,
                   0x1.8e513a708989ep-20, 0x1.3f49a7d62b2a7p-22, 0x1.7d0f1670e44e2p-24, 0x1.51ce71adfb8dcp-25,
                   0x1.7232c4c122295p-26, 0x1.0393c5c549066p-27, -0x1.cfb20ddb53edep-28, -0x1.ccba1604bc157p-27,
                   -0x1.7369bf37c026dp-28, 0x1.03813921d363bp-27, 0x1.fe9e1dd494c83p-28, -0x1.e1db3b1fc3ea5p-29,
                   -0x1.99204d1a8bb2ep-28, 0x1.a1d63d6d82361p-30, 0x1.f3ff264907755p-29, -0x1.3a3b59d669597p-31,
                   -0x1.bd05a336c6a55p-30, 0x1.4ffe43b34b0cep-33, 0x1.f741903e631aep-32, -0x1.646da6611913p-36,
                   -0x1.0adb754ca8b19p-34) /
              sqrt(b);
  return select(far, y, near);
}
template <Double V>
LAMINA_FN V i1e_positive(V a) {
  const auto far = a > V(8);
  const V b = select(far, a, V(8)), t = V(0.25) * lesser(V(8), a) - V(1), v = V(16) / b - V(1);
  const V near = a * poly(t, 0x1.6e14eb8e5d319p-5, -0x1.f4bb071a7752bp-5, 0x1.16c390ddb08edp-4, -0x1.1881379ffb5c2p-4,
                          0x1.0530f817ff9e3p-4, -0x1.c4daa51341c39p-5, 0x1.6df95e8be143ep-5, -0x1.13d5f358a54cap-5,
                          0x1.84125b0d0051ep-6, -0x1.fe3d9c018faabp-7, 0x1.3a0c1a03c546fp-7, -0x1.6ab6a38914dfep-8,
                          0x1.89f8a6458959cp-9, -0x1.9368266904ef4p-10, 0x1.8656c68c3e11bp-11, -0x1.65bf687385e46p-12,
                          0x1.3742cfffc0b46p-13, -0x1.01a4192387a22p-14, 0x1.96971cd8f89abp-16, -0x1.326bf4a963fc7p-17,
                          0x1.b9ea582e77f7ap-19, -0x1.3167d1e70895fp-20, 0x1.953a5d6dcae8dp-22, -0x1.0285d8933ed05p-23,
                          0x1.3d73a969a8e24p-25, -0x1.76addbd9fffaap-27, 0x1.ac2d3e47b3f63p-29, -0x1.e43a8d8a52782p-31,
                          0x1.020b2043d8e3cp-32, -0x1.c37508f6a77ebp-35, 0x1.c8abdaf43c887p-37, -0x1.8d2ff215a6026p-38,
                          0x1.728e3b4fe6a1p-40);
  const V y = poly(v, 0x1.8ebe783a8403p-2, -0x1.3f796198ee62dp-7, -0x1.cbc54df1e92ep-13, -0x1.f89c230615615p-17,
                   -0x1.ec8e106de0a2fp-20, -0x1.76137f7ae6917p-22, -0x1.ad8d53e613985p-24, -0x1.727a1058f659fp-25,
                   -0x1.918f9f9793789p-26, -0x1.21936a1ea1c23p-27, 0x1.cec9f53b94527p-28, 0x1.e236784650fbp-27,
                   0x1.9a8f6afc3dd3dp-28, -0x1.069735b018307p-27, -0x1.0f0aac74a7f0dp-27, 0x1.d6e5e5ac6b3a2p-29,
                   0x1.acff7707fcc46p-28, -0x1.8b794674af087p-30, -0x1.04c48e6f24f2ep-28, 0x1.23214d692a96p-31,
                   0x1.cf243016f9c2cp-30, -0x1.341e6ffaf59fap-33, -0x1.059e6bcc892fbp-31, 0x1.45b8aea87b95p-36,
                   0x1.1556db352e8e6p-34) /
              sqrt(b);
  return select(far, y, near);
}
template <Double V>
LAMINA_FN V i0e_plain(V a) {
  const auto far = a > V(8);
  const V b = select(far, a, V(8)), t = V(0.25) * lesser(V(8), a) - V(1), v = V(16) / b - V(1);
  const V near =
      poly_plain(t, 0x1.a7f09f8bb432ep-3, -0x1.cedd9fec5a165p-4, 0x1.8322d6dacf5fap-4, -0x1.6cb8d7ab095e7p-4,
                 0x1.65c191bae5a6bp-4, -0x1.5c01fc52dedecp-4, 0x1.44be38f2f9da7p-4, -0x1.1cdce2ef6e9d7p-4,
                 0x1.d0b5bf0183dap-5, -0x1.5fe72e8838301p-5, 0x1.f16dbde679195p-6, -0x1.44036b943aa8ep-6,
                 0x1.7a9a86f0970b5p-7, -0x1.b0d720be2894ep-8, 0x1.113cce027d817p-8, -0x1.0c5980528c40fp-9,
                 0x1.b0b2486ed8f3fp-12, -0x1.af82352af7d52p-13, 0x1.6d903a454cb34p-12, -0x1.1d4fe13ae9556p-13);
  const V y = poly_plain(v, 0x1.9bd428ace770bp-2, 0x1.b8796983a2aap-9, 0x1.1daad435a127cp-13, 0x1.75eac1c892dccp-17,
                         0x1.8cc09f987e159p-20, 0x1.3b626aeb2556cp-22, 0x1.c5b3cb3c31b84p-24, 0x1.ab76d1594c0c9p-25,
                         0x1.a24feabe8004fp-30, -0x1.1511d08397425p-27) /
              sqrt(b);
  return select(far, y, near);
}
template <Double V>
LAMINA_FN V i1e_plain(V a) {
  const auto far = a > V(8);
  const V b = select(far, a, V(8)), t = V(0.25) * lesser(V(8), a) - V(1), v = V(16) / b - V(1);
  const V near =
      a * poly_plain(t, 0x1.6e14eb8ccb58p-5, -0x1.f4bb0714e5456p-5, 0x1.16c39179c6ba7p-4, -0x1.1881386b1f27dp-4,
                     0x1.0530e41c8b1f4p-4, -0x1.c4da8305d474p-5, 0x1.6dfb59b7278cbp-5, -0x1.13d741d7a15c5p-5,
                     0x1.83f8e2047a7bfp-6, -0x1.fe217466fadc9p-7, 0x1.3ac78a0611987p-7, -0x1.6b6c57abdfbedp-8,
                     0x1.837308bad3f21p-9, -0x1.8db249c9c9721p-10, 0x1.a9eef2d2ab0c2p-11, -0x1.8279cb4b2f7b4p-12,
                     0x1.887417355898cp-14, -0x1.558041adb6ce6p-15, 0x1.8ea34b43fdf6cp-15, -0x1.2510397eb07dep-16);
  const V y = poly_plain(v, 0x1.8ebe783ac527dp-2, -0x1.3f7961894f91bp-7, -0x1.cbc5b59f3813dp-13, -0x1.f8a17f1c89de2p-17,
                         -0x1.eae524c5960bep-20, -0x1.71c61481943f3p-22, -0x1.fa4479865658fp-24, -0x1.d43b56be5a139p-25,
                         -0x1.4dcf9d4504c0cp-29, 0x1.1e1a1f1587865p-27) /
              sqrt(b);
  return select(far, y, near);
}
// e^a s, without overflow before its time.
template <Double V>
LAMINA_FN V grown(V a, V s) {
  const auto [p, k] = exp_parts(lesser(V(718), a));
  return select(a > V(714), infinity<V>(), scalb(p * s, k));
}
struct I0eSingle {
  template <Double V>
  LAMINA_FN static V run(V x) {
    return i0e_plain(abs(x));
  }
};
struct I1eSingle {
  template <Double V>
  LAMINA_FN static V run(V x) {
    return with_sign(i1e_plain(abs(x)), x);
  }
};
struct I0Single {
  template <Double V>
  LAMINA_FN static V run(V x) {
    const V a = lesser(V(200), abs(x));  // beyond every float, and no infinity times zero
    return i0e_plain(a) * exp2_plain(a * V(kLog2e));
  }
};
struct I1Single {
  template <Double V>
  LAMINA_FN static V run(V x) {
    const V a = lesser(V(200), abs(x));
    return with_sign(i1e_plain(a) * exp2_plain(a * V(kLog2e)), x);
  }
};
template <Real V>
LAMINA_FN V i0e(V x) {
  if constexpr (Single<V>)
    return via_double(I0eSingle{}, x);
  else
    return i0e_positive(abs(x));
}
template <Real V>
LAMINA_FN V i1e(V x) {
  if constexpr (Single<V>)
    return via_double(I1eSingle{}, x);
  else
    return with_sign(i1e_positive(abs(x)), x);
}
template <Real V>
LAMINA_FN V i0(V x) {
  if constexpr (Single<V>)
    return via_double(I0Single{}, x);
  else
    return grown(abs(x), i0e_positive(abs(x)));
}
template <Real V>
LAMINA_FN V i1(V x) {
  if constexpr (Single<V>)
    return via_double(I1Single{}, x);
  else
    return with_sign(grown(abs(x), i1e_positive(abs(x))), x);
}

}  // namespace lamina::math::inline LAMINA_ISA
