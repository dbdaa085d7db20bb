// The matrix product with one row: vector times matrix, dot products.
#pragma once
#include "cpu/gemm.h"

namespace lamina::cpu::inline LAMINA_ISA {

// False if the general product serves g better. T: float, double; m, n, k > 0.
template <class T>
bool gemv(const Gemm<T>& g);

}  // namespace lamina::cpu::inline LAMINA_ISA
