// Hooks for tests of what fails rarely.
#pragma once

namespace lamina::cpu {

// Asked at every request of a kernel for scratch memory: true makes the request throw OutOfMemoryError. Null: never.
void set_scratch_failure(bool (*due)());

}  // namespace lamina::cpu
