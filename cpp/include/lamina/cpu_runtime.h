// Threads, interruption and SIMD level of the CPU kernels, and the types in their signatures. Apart from the list of
// kernels (backend.h), so that a new row of it leaves every compiled kernel as it is.
#pragma once
#include "lamina/optim_step.h"
#include "lamina/reduce_ops.h"
#include "lamina/scalar.h"
#include "lamina/view.h"
#include "lamina/window.h"

namespace lamina::cpu {

const char* isa_name();
int num_threads();
void set_num_threads(int n);
// Called about every 10 ms by the calling thread of a long kernel; true asks it to stop with Interrupted.
void set_interrupt_poll(bool (*poll)());
bool poll_interrupt();
// IEEE subnormals are honoured unless this is set (for every thread of the pool).
void set_flush_denormal(bool on);

}  // namespace lamina::cpu
