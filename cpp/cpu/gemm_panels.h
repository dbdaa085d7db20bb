// A matrix packed once as panels for many products with it (recurrent weights, keys of attention). Definition: gemm.h.
#pragma once
#include "cpu/gemm_pack.h"
#include "cpu/gemm_tile.h"

namespace lamina::cpu::inline LAMINA_ISA {

// Elements that the panels of b (k, n) take.
template <class T>
constexpr int64_t panels_size(int64_t k, int64_t n) {
  return (n + kTileCols<T> - 1) / kTileCols<T> * kTileCols<T> * k + kPackSlack;
}

template <class T>
void pack_panels(const T* b, int64_t brs, int64_t bcs, int64_t k, int64_t n, T* to);

// c (m, n) = (first ? 0 : c) + a (m, k) b, then + d; b as panels.
// Where c is not first, k is at most one chunk.
template <class T>
struct PanelProduct {
  int64_t m, n, k;
  const T* a;
  int64_t ars, acs;
  const T* panels;
  T* c;
  int64_t crs;
  bool first = true;
  const T* d = nullptr;
  int64_t drs = 0;
};

template <class T>
void multiply_panels(const PanelProduct<T>& g);

}  // namespace lamina::cpu::inline LAMINA_ISA
