// Pointwise passes with a few numbers per channel (dim 1) over any memory layout: batch norm forward and backward.
#pragma once
#include "lanes.h"
#include "parallel.h"
#include "reduce_plan.h"

namespace lamina::cpu::inline LAMINA_ISA {

// y = F::apply(inputs, params) for every element; params[j][c] belongs to channel c. The last of the Inputs + 1 views
// is y.
template <class T, class F, int Inputs, int Params>
class ChannelPass {
 public:
  ChannelPass(const View* views, T* const (&params)[Params]) {
    for (int k = 0; k <= Inputs; ++k) v_[k] = views[k];
    for (int j = 0; j < Params; ++j) params_[j] = params[j];
    channels_ = v_[0].shape[1];
    int64_t flat[kMaxDims], f = 1;
    for (int d = v_[0].ndim - 1; d >= 0; --d) {
      flat[d] = f;
      if (d != 1) f *= v_[0].shape[d];
    }
    for (int d = 0; d < v_[0].ndim; ++d) {
      if (d == 1) continue;
      int64_t s[Inputs + 1];
      for (int k = 0; k <= Inputs; ++k) s[k] = v_[k].stride[d];
      pixels_.push(v_[0].shape[d], s, Inputs + 1, flat[d]);
    }
  }

  void run() const {
    bool inner = true;
    for (int k = 0; k <= Inputs; ++k) inner = inner && (v_[k].stride[1] == 1 || channels_ == 1);
    inner&& channels_ > 1 ? side_by_side() : apart();
  }

  // Scratch for tiled parameters, per call: repeat * channels numbers of T for each parameter.
  static int64_t repeat(int64_t channels) { return channels < 256 ? (256 + channels - 1) / channels : 1; }

 private:
  // Channels lie next to each other: runs of several pixels, against parameters repeated as often.
  void side_by_side() const {
    bool dense = pixels_.ndim <= 1;
    for (int k = 0; k <= Inputs && dense; ++k) dense = pixels_.ndim == 0 || pixels_.stride[k][0] == channels_;
    const int64_t rep = dense ? repeat(channels_) : 1, run = rep * channels_;
    T* tiled = static_cast<T*>(scratch(3, size_t(Params * run) * sizeof(T)));
    for (int j = 0; j < Params; ++j)
      for (int64_t i = 0; i < run; ++i) tiled[j * run + i] = params_[j][i % channels_];
    const int64_t runs = (pixels_.count + rep - 1) / rep, grain = kRunElements / run;
    for_ranges(runs, grain > 0 ? grain : 1, [&](int64_t lo, int64_t hi) {
      for (int64_t r = lo; r < hi; ++r) {
        const int64_t left = (pixels_.count - r * rep) * channels_;
        int64_t at[Inputs + 1];
        for (int k = 0; k <= Inputs; ++k) at[k] = pixels_.offset(r * rep, k);
        const T* p[Params];
        for (int j = 0; j < Params; ++j) p[j] = tiled + j * run;
        piece<true>(at, 1, left < run ? left : run, p);
      }
    });
  }

  // One channel at a time: runs along the innermost of the other dims.
  void apart() const {
    const int last = pixels_.ndim - 1;
    const int64_t length = last < 0 ? 1 : pixels_.shape[last], outer = length > 0 ? pixels_.count / length : 0;
    const int64_t grain = kRunElements / (length > 0 && length < kRunElements ? length : kRunElements);
    for_ranges(outer * channels_, grain, [&](int64_t lo, int64_t hi) {
      for (int64_t i = lo; i < hi; ++i) {
        const int64_t c = i % channels_;
        int64_t at[Inputs + 1];
        for (int k = 0; k <= Inputs; ++k) at[k] = pixels_.offset(i / channels_ * length, k) + c * v_[k].stride[1];
        const T* p[Params];
        for (int j = 0; j < Params; ++j) p[j] = params_[j] + c;
        piece<false>(at, last, length, p);
      }
    });
  }

  // `n` elements from offsets `at`, with the strides of pixel dim `dim` (or 1 where channels lie side by side).
  template <bool Vector>
  void piece(const int64_t (&at)[Inputs + 1], int dim, int64_t n, const T* const (&p)[Params]) const {
    T* buf = static_cast<T*>(scratch(1, size_t((Inputs + 1) * kPiece) * sizeof(T)));
    for (int64_t done = 0; done < n; done += kPiece) {
      const int64_t len = n - done < kPiece ? n - done : kPiece;
      const T* in[Inputs];
      int64_t step[Inputs + 1];
      for (int k = 0; k <= Inputs; ++k) step[k] = Vector || dim < 0 ? 1 : pixels_.stride[k][dim];
      for (int k = 0; k < Inputs; ++k) {
        const char* from = element(v_[k].data, v_[k].dtype, at[k] + done * step[k]);
        if (step[k] == 1 && stored_as<T>(v_[k].dtype)) {
          in[k] = reinterpret_cast<const T*>(from);
        } else {
          gather_run<T>(v_[k].dtype, from, step[k], len, buf + k * kPiece);
          in[k] = buf + k * kPiece;
        }
      }
      const View& y = v_[Inputs];
      char* to = element(y.data, y.dtype, at[Inputs] + done * step[Inputs]);
      const bool direct = step[Inputs] == 1 && stored_as<T>(y.dtype);
      T* out = direct ? reinterpret_cast<T*>(to) : buf + Inputs * kPiece;
      compute<Vector>(in, out, len, p, Vector ? done : 0);
      if (!direct) scatter_run<T>(y.dtype, out, to, step[Inputs], len);
    }
  }

  template <bool Vector>
  static void compute(const T* const (&in)[Inputs], T* out, int64_t n, const T* const (&p)[Params], int64_t shift) {
    using L = Lanes16<T>;
    L par[Params];
    if constexpr (!Vector)
      for (int j = 0; j < Params; ++j) par[j] = L::broadcast(p[j][0]);
    for (int64_t i = 0; i < n; i += kLanes) {
      L x[Inputs];
      const int64_t left = n - i;
      for (int k = 0; k < Inputs; ++k) x[k] = L::load(in[k] + i, left, T(0));
      if constexpr (Vector)
        for (int j = 0; j < Params; ++j) par[j] = L::load(p[j] + shift + i, left, T(0));
      F::apply(x, par).store(out + i, left);
    }
  }

  static constexpr int64_t kPiece = 4096, kRunElements = 32768;
  View v_[Inputs + 1];
  T* params_[Params];
  int64_t channels_;
  DimList pixels_;
};

}  // namespace lamina::cpu::inline LAMINA_ISA
