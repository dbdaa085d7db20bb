// The convolution body for float and double.
#include "conv_core.h"

namespace lamina::cpu::inline LAMINA_ISA {

template void conv_core<float>(const Conv&);
template void conv_core<double>(const Conv&);

}  // namespace lamina::cpu::inline LAMINA_ISA
