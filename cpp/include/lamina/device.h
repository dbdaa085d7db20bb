// Where a tensor lives.
#pragma once
#include <cstdint>
#include <string>

namespace lamina {

enum class DeviceType : uint8_t { cpu, cuda };
inline constexpr int kNumDeviceTypes = 2;

struct Device {
  DeviceType type = DeviceType::cpu;
  int8_t index = 0;
  friend bool operator==(Device, Device) = default;
};

inline std::string name(Device d) { return d.type == DeviceType::cpu ? "cpu" : "cuda:" + std::to_string(int(d.index)); }

}  // namespace lamina
