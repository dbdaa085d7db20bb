// What is known of CUDA, for lamina.cuda.
#include "bindings.h"
#include "lamina/devices.h"

namespace lamina::python {

void init_cuda(py::module_& m) {
  m.def("_cuda_device_count", [] { return cuda_device_count(); });
  m.def("_cuda_status", [] { return cuda_status(); });
  m.def(
      "_cuda_synchronize",
      [](int index) {
        const ReleaseGil release;
        device_synchronize(Device{DeviceType::cuda, int8_t(index)});
      },
      py::arg("device") = 0);
}

}  // namespace lamina::python
