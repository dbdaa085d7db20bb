// The convolution body for Half and BFloat16.
#include "conv_core.h"

namespace lamina::cpu::inline LAMINA_ISA {

template void conv_core<Half>(const Conv&);
template void conv_core<BFloat16>(const Conv&);

}  // namespace lamina::cpu::inline LAMINA_ISA
