// any, all: stops at the first element that decides.
#include "reduce.h"
#include "work.h"

namespace lamina::cpu::inline LAMINA_ISA {

void reduce_logical(ReduceOp op, const ReducePlan& plan, const View& out) {
  const bool any = op == ReduceOp::any;
  const int64_t n = plan.reduced.count;
  const int64_t grain = kTileElements / (n > 0 && n < kTileElements ? n : kTileElements);
  for_work(double(n) * double(plan.kept.count) * kElementNs, plan.kept.count, grain, [&](int64_t lo, int64_t hi) {
    uint8_t* buf = static_cast<uint8_t*>(scratch(1, kChunk));
    for (int64_t o = lo; o < hi; ++o) {
      const int64_t base = plan.kept.offset(o, 0);
      bool decided = false;
      for (int64_t start = 0; start < n && !decided; start += kChunk) {
        const int64_t len = n - start < kChunk ? n - start : kChunk;
        const uint8_t* p = gather_reduced<uint8_t>(plan, 0, base, start, len, buf);
        uint8_t some = 0, every = 1;
        for (int64_t i = 0; i < len; ++i) some |= p[i], every &= p[i];
        decided = any ? some : !every;
        if ((start + kChunk) % kPoll == 0) check_interrupt();
      }
      const int64_t result = any == decided;
      scatter_run<int64_t>(out.dtype, &result, element(out.data, out.dtype, o), 1, 1);
    }
  });
}

}  // namespace lamina::cpu::inline LAMINA_ISA
