// The safetensors format on raw memory: 8 bytes of header length, a JSON header, the tensors row-major one after
// another. Each tensor carries a checksum in the metadata ("crc32:<name>"), see tensor_checksum.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "lamina/dtype.h"
#include "lamina/shape.h"

namespace lamina::io {

using Metadata = std::vector<std::pair<std::string, std::string>>;  // keys are distinct

struct TensorSource {
  std::string name;
  DType dtype;
  Dims shape;
  const void* data;  // row-major
};

// Writes all or nothing: a temporary file in the same folder, fsync, rename, fsync of the folder. Whatever fails
// (FileError, Interrupted), a file already at `path` keeps its bytes; its mode is kept too. Temporaries that a killed
// process left for this path are removed.
void save_safetensors(const std::string& path, const std::vector<TensorSource>& tensors, const Metadata& metadata = {});

// The bytes before the tensors of such a file, and in `order` which tensor comes when: for writing to a stream.
std::string safetensors_header(const std::vector<TensorSource>& tensors, const Metadata& metadata,
                               std::vector<size_t>& order);

struct TensorEntry {
  std::string name;
  DType dtype;
  Dims shape;
  uint64_t offset = 0;  // from the start of the data
  uint64_t bytes = 0;
};

// An open file, or one that lies in memory, whose header has been read and checked in full. A field that the format
// does not have is passed over, as in the reference reader; a name that occurs twice is refused. Reads with read(),
// never maps.
class SafetensorsReader {
 public:
  // FileError where the file or its header is not valid. `verify`: the checksum of the metadata must match, and each
  // tensor have one or none; the structure is checked always.
  explicit SafetensorsReader(const std::string& path, bool verify = true);
  // The same of a file in memory, which must outlive the reader; `name` is for messages.
  SafetensorsReader(const std::string& name, std::string_view file, bool verify);
  ~SafetensorsReader();
  SafetensorsReader(const SafetensorsReader&) = delete;
  SafetensorsReader& operator=(const SafetensorsReader&) = delete;

  const std::vector<TensorEntry>& entries() const { return entries_; }  // in the order of the header
  const Metadata& metadata() const { return metadata_; }                // without the checksums
  // Fills `out` (entry.bytes bytes); with `verify` a checksum in the file must match.
  void read(const TensorEntry& entry, void* out, bool verify = true) const;

 private:
  void read_header(uint64_t size, bool verify);
  void read_at(void* out, uint64_t bytes, uint64_t at) const;
  void parse(std::string_view header);
  void check_layout(uint64_t data_bytes) const;
  void check_metadata(bool verify) const;

  std::string path_;
  int fd_ = -1;  // -1: the file is memory_
  std::string_view memory_;
  uint64_t data_start_ = 0;
  std::vector<TensorEntry> entries_;
  Metadata metadata_;
  Metadata checksums_;  // tensor name -> 8 hex digits, sorted by name
  std::string metadata_checksum_;
};

// The CRC-32 of zlib: crc32(more, crc32(first)) continues.
uint32_t crc32(const void* data, size_t bytes, uint32_t crc = 0);
// crc32 of "F32[2,3]" and then the data, as 8 hex digits: covers dtype, shape and bytes.
uint32_t checksum_seed(DType dtype, const Dims& shape);
std::string checksum_text(uint32_t crc);
uint32_t metadata_checksum(const Metadata& metadata);

std::string_view format_name(DType dtype);  // "F32"
bool valid_utf8(std::string_view s);

}  // namespace lamina::io
