// Marks for code and tables that are compiled for the host, for each SIMD level and for CUDA.
#pragma once

#ifdef __CUDACC__
#define LAMINA_HD __host__ __device__
#define LAMINA_TABLE static __device__ const
#else
#define LAMINA_HD
#define LAMINA_TABLE inline constexpr
#endif

// Kernel sources are compiled once per SIMD level. Everything inline that they instantiate lives in an
// inline namespace of that level, so that the linker never merges AVX-512 code into a baseline caller.
#ifndef LAMINA_ISA
#define LAMINA_ISA host
#endif
