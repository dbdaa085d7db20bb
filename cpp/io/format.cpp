// What reading and writing share: CRC-32 (as zlib, sixteen bytes per step), checksums, dtype names, UTF-8.
#include <algorithm>
#include <array>
#include <cstring>

#include "io/safetensors.h"

namespace lamina::io {
namespace {

using Tables = std::array<std::array<uint32_t, 256>, 16>;

// tables[k][b]: the effect of byte b followed by k zero bytes.
constexpr Tables make_tables() {
  Tables t{};
  for (uint32_t b = 0; b < 256; ++b) {
    uint32_t c = b;
    for (int bit = 0; bit < 8; ++bit) c = (c >> 1) ^ (c & 1 ? 0xEDB88320u : 0);
    t[0][b] = c;
  }
  for (size_t k = 1; k < 16; ++k)
    for (uint32_t b = 0; b < 256; ++b) t[k][b] = (t[k - 1][b] >> 8) ^ t[0][t[k - 1][b] & 255];
  return t;
}
constexpr Tables kTables = make_tables();

}  // namespace

uint32_t crc32(const void* data, size_t bytes, uint32_t crc) {
  const auto* p = static_cast<const unsigned char*>(data);
  uint32_t c = ~crc;
  for (; bytes >= 16; bytes -= 16, p += 16) {
    uint32_t w[4];
    std::memcpy(w, p, 16);
    w[0] ^= c;
    c = 0;
    for (int i = 0; i < 4; ++i)
      for (int j = 0; j < 4; ++j) c ^= kTables[size_t(15 - 4 * i - j)][(w[i] >> (8 * j)) & 255];
  }
  for (; bytes; --bytes, ++p) c = (c >> 8) ^ kTables[0][(c ^ *p) & 255];
  return ~c;
}

std::string_view format_name(DType dtype) {
  constexpr std::string_view names[kNumDTypes] = {"BOOL", "U8", "I8", "I16", "I32", "I64", "F16", "BF16", "F32", "F64"};
  return names[static_cast<int>(dtype)];
}

uint32_t checksum_seed(DType dtype, const Dims& shape) {
  std::string s(format_name(dtype));
  s += '[';
  for (size_t i = 0; i < shape.size(); ++i) {
    if (i) s += ',';
    s += std::to_string(shape[i]);
  }
  s += ']';
  return crc32(s.data(), s.size());
}

std::string checksum_text(uint32_t crc) {
  std::string s;
  for (int shift = 28; shift >= 0; shift -= 4) s += "0123456789abcdef"[(crc >> shift) & 15];
  return s;
}

uint32_t metadata_checksum(const Metadata& metadata) {
  Metadata sorted = metadata;
  std::sort(sorted.begin(), sorted.end());
  uint32_t crc = 0;
  for (const auto& [key, value] : sorted) {
    crc = crc32(key.c_str(), key.size() + 1, crc);
    crc = crc32(value.c_str(), value.size() + 1, crc);
  }
  return crc;
}

bool valid_utf8(std::string_view s) {
  for (size_t i = 0; i < s.size();) {
    const auto c = static_cast<unsigned char>(s[i]);
    const size_t n = c < 0x80 ? 1 : c >> 5 == 6 ? 2 : c >> 4 == 14 ? 3 : c >> 3 == 30 ? 4 : 0;
    if (n == 0 || i + n > s.size()) return false;
    uint32_t code = n == 1 ? c : c & (0x7fu >> n);
    for (size_t k = 1; k < n; ++k) {
      const auto d = static_cast<unsigned char>(s[i + k]);
      if (d >> 6 != 2) return false;
      code = code << 6 | (d & 63);
    }
    constexpr uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    if (code < least[n] || code > 0x10ffff || (code >= 0xd800 && code < 0xe000)) return false;
    i += n;
  }
  return true;
}

}  // namespace lamina::io
