// LAMINA_ONE_COPY: inlined, but at the baseline, which emulates fma, a function that its callers share.
#pragma once
#include "cpu/simd.h"

#if defined(__AVX2__)
#define LAMINA_ONE_COPY LAMINA_INLINE
#else
#define LAMINA_ONE_COPY [[gnu::noinline]]
#endif
