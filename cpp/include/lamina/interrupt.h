// Interruption between kernels.
#pragma once

namespace lamina::cpu {

// For loops over kernels that may each be too short to ask: throws Interrupted when the user asked to stop. Asks at
// most every 10 ms, so that it costs a few ns.
void poll_now_and_then();

}  // namespace lamina::cpu
