// Reading safetensors: every byte of the header is checked before any tensor is touched.
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <charconv>
#include <cstring>
#include <limits>

#include "io/safetensors.h"
#include "lamina/backend.h"
#include "lamina/error.h"

namespace lamina::io {
namespace {

static_assert(std::endian::native == std::endian::little, "the format is little endian");

constexpr uint64_t kMaxHeader = 100'000'000;
constexpr uint64_t kChunk = 4 << 20;  // read between two tests for an interrupt
constexpr std::string_view kChecksumPrefix = "crc32:";
constexpr std::string_view kMetadataKey = "__metadata__";

void append_utf8(std::string& s, uint32_t code) {
  if (code < 0x80) {
    s += char(code);
  } else if (code < 0x800) {
    s += char(0xc0 | code >> 6);
    s += char(0x80 | (code & 63));
  } else if (code < 0x10000) {
    s += char(0xe0 | code >> 12);
    s += char(0x80 | (code >> 6 & 63));
    s += char(0x80 | (code & 63));
  } else {
    s += char(0xf0 | code >> 18);
    s += char(0x80 | (code >> 12 & 63));
    s += char(0x80 | (code >> 6 & 63));
    s += char(0x80 | (code & 63));
  }
}

constexpr size_t kMaxNesting = 125;  // of a value in a field that nobody reads, as in the reference reader

// The JSON of a header: what tensors need has a fixed depth, and other values are passed over, so nothing recurses.
class Json {
 public:
  Json(std::string_view text, const std::string& path) : text_(text), path_(path) {}

  [[noreturn]] void fail(const std::string& what) const {
    raise<FileError>("load: ", path_, ": header, byte ", at_, ": ", what);
  }
  char peek() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\n' || text_[at_] == '\r' || text_[at_] == '\t'))
      ++at_;
    return at_ < text_.size() ? text_[at_] : '\0';
  }
  void expect(char c) {
    if (peek() != c) fail(std::string("expected '") + c + "'");
    ++at_;
  }
  bool at_end() { return peek() == '\0' && at_ == text_.size(); }

  // Calls each() at every item until `close`.
  template <class F>
  void items(char open, char close, F each) {
    expect(open);
    if (peek() == close) {
      ++at_;
      return;
    }
    for (;;) {
      each();
      if (peek() == close) break;
      expect(',');
    }
    ++at_;
  }

  std::string string() {
    expect('"');
    std::string s;
    for (;;) {
      if (at_ >= text_.size()) fail("a string does not end");
      const char c = text_[at_++];
      if (c == '"') break;
      if (static_cast<unsigned char>(c) < 0x20) fail("a control character in a string");
      if (c != '\\') {
        s += c;
        continue;
      }
      escape(s);
    }
    if (!valid_utf8(s)) fail("a string is not UTF-8");
    return s;
  }

  // Whether the next value is null; passes over it then.
  bool null() {
    if (peek() != 'n') return false;
    word("null");
    return true;
  }

  // Passes over any value: what a field that this format does not know may hold.
  void skip() {
    std::string open;
    for (;;) {
      const char c = peek();
      if (c == '{' || c == '[') {
        if (open.size() == kMaxNesting) fail("a value is nested too deep");
        ++at_;
        if (peek() != (c == '{' ? '}' : ']')) {
          open += c;
          if (c == '{') field();
          continue;
        }
        ++at_;
      } else {
        plain(c);
      }
      while (!open.empty() && peek() == (open.back() == '{' ? '}' : ']')) ++at_, open.pop_back();
      if (open.empty()) return;
      expect(',');
      if (open.back() == '{') field();
    }
  }

  int64_t number() {
    const char first = peek();
    if (first < '0' || first > '9') fail("expected a whole number");
    uint64_t v = 0;
    const size_t start = at_;
    for (; at_ < text_.size() && text_[at_] >= '0' && text_[at_] <= '9'; ++at_) {
      v = v * 10 + uint64_t(text_[at_] - '0');
      if (at_ - start >= 18 && v > uint64_t(std::numeric_limits<int64_t>::max()))
        fail("a number does not fit in 64 bits");
      if (at_ - start >= 19) fail("a number does not fit in 64 bits");
    }
    if (first == '0' && at_ - start > 1) fail("a number starts with 0");
    return int64_t(v);
  }

 private:
  void field() {
    string();
    expect(':');
  }
  void word(std::string_view w) {
    if (text_.substr(at_, w.size()) != w) fail("not a JSON value");
    at_ += w.size();
  }
  void plain(char first) {
    if (first == '"') {
      string();
    } else if (first == 't' || first == 'f' || first == 'n') {
      word(first == 't' ? "true" : first == 'f' ? "false" : "null");
    } else {
      any_number();
    }
  }
  void digits() {
    const size_t start = at_;
    while (at_ < text_.size() && text_[at_] >= '0' && text_[at_] <= '9') ++at_;
    if (at_ == start) fail("not a JSON value");
  }
  bool next_is(std::string_view any) { return at_ < text_.size() && any.find(text_[at_]) != any.npos; }
  void any_number() {
    const size_t start = at_;
    if (next_is("-")) ++at_;
    const size_t whole = at_;
    digits();
    if (text_[whole] == '0' && at_ - whole > 1) fail("a number starts with 0");
    if (next_is(".")) ++at_, digits();
    bool small = text_[whole] == '0';
    if (next_is("eE")) {
      ++at_;
      small = next_is("-");
      if (next_is("+-")) ++at_;
      digits();
    }
    double value = 0;
    const auto [end, error] = std::from_chars(text_.data() + start, text_.data() + at_, value);
    if (error == std::errc::result_out_of_range && !small) fail("a number is out of range");
  }
  void escape(std::string& s) {
    const char c = at_ < text_.size() ? text_[at_++] : '\0';
    constexpr std::string_view from = "\"\\/bfnrt", to = "\"\\/\b\f\n\r\t";
    if (const size_t i = from.find(c); c && i != from.npos) {
      s += to[i];
    } else if (c == 'u') {
      uint32_t code = hex();
      if (code >= 0xd800 && code < 0xdc00) {
        if (text_.substr(at_, 2) != "\\u") fail("half of a surrogate pair");
        at_ += 2;
        const uint32_t low = hex();
        if (low < 0xdc00 || low >= 0xe000) fail("half of a surrogate pair");
        code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
      } else if (code >= 0xdc00 && code < 0xe000) {
        fail("half of a surrogate pair");
      }
      append_utf8(s, code);
    } else {
      fail("an unknown escape in a string");
    }
  }
  uint32_t hex() {
    uint32_t v = 0;
    for (int i = 0; i < 4; ++i, ++at_) {
      const char c = at_ < text_.size() ? text_[at_] : '\0';
      const int digit = c >= '0' && c <= '9'   ? c - '0'
                        : c >= 'a' && c <= 'f' ? c - 'a' + 10
                        : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                               : -1;
      if (digit < 0) fail("\\u needs four hex digits");
      v = v << 4 | uint32_t(digit);
    }
    return v;
  }

  std::string_view text_;
  const std::string& path_;
  size_t at_ = 0;
};

DType parse_dtype(Json& json, const std::string& tensor) {
  const std::string s = json.string();
  for (int i = 0; i < kNumDTypes; ++i)
    if (s == format_name(DType(i))) return DType(i);
  json.fail("tensor '" + tensor + "' has dtype " + s + ", which lamina does not have");
}

TensorEntry parse_tensor(Json& json, std::string tensor) {
  TensorEntry e;
  e.name = std::move(tensor);
  int seen = 0;  // 1 dtype, 2 shape, 4 data_offsets
  json.items('{', '}', [&] {
    const std::string key = json.string();
    json.expect(':');
    const int bit = key == "dtype" ? 1 : key == "shape" ? 2 : key == "data_offsets" ? 4 : 0;
    if (!bit) {  // another writer's
      json.skip();
      return;
    }
    if (seen & bit) json.fail("field '" + key + "' of tensor '" + e.name + "' is there twice");
    seen |= bit;
    if (bit == 1) {
      e.dtype = parse_dtype(json, e.name);
    } else if (bit == 2) {
      json.items('[', ']', [&] {
        if (e.shape.size() == kMaxDims) json.fail("tensor '" + e.name + "' has more than 16 dims");
        e.shape.push_back(json.number());
      });
    } else {
      json.expect('[');
      const int64_t begin = json.number();
      json.expect(',');
      const int64_t end = json.number();
      json.expect(']');
      if (end < begin) json.fail("tensor '" + e.name + "' ends before it begins");
      e.offset = uint64_t(begin);
      e.bytes = uint64_t(end - begin);
    }
  });
  if (seen != 7) json.fail("tensor '" + e.name + "' lacks dtype, shape or data_offsets");
  uint64_t bytes = size_of(e.dtype);
  for (int64_t d : e.shape)
    if (__builtin_mul_overflow(bytes, uint64_t(d), &bytes))
      json.fail("the size of tensor '" + e.name + "' does not fit in 64 bits");
  if (bytes != e.bytes)
    json.fail("tensor '" + e.name + "' of shape " + to_string(e.shape) + " " + std::string(name(e.dtype)) + " needs " +
              std::to_string(bytes) + " bytes, data_offsets give " + std::to_string(e.bytes));
  return e;
}

template <class V, class Key>
void refuse_duplicates(const V& items, Key key, const std::string& path, const char* what) {
  std::vector<std::string_view> names;
  for (const auto& item : items) names.push_back(key(item));
  std::sort(names.begin(), names.end());
  const auto twice = std::adjacent_find(names.begin(), names.end());
  if (twice != names.end()) raise<FileError>("load: ", path, ": ", what, " '", *twice, "' is there twice");
}

}  // namespace

SafetensorsReader::SafetensorsReader(const std::string& path, bool verify) : path_(path) {
  if (path.find('\0') != path.npos) raise<FileError>("load: the path holds a null character");
  fd_ = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);  // non-blocking: a named pipe must not hang
  if (fd_ < 0) raise<FileError>("load: cannot open ", path, ": ", std::strerror(errno));
  try {
    struct stat st;
    if (fstat(fd_, &st) != 0) raise<FileError>("load: ", path, ": ", std::strerror(errno));
    if (!S_ISREG(st.st_mode)) raise<FileError>("load: ", path, " is not a regular file");
    read_header(uint64_t(st.st_size), verify);
  } catch (...) {
    close(fd_);
    throw;
  }
}

SafetensorsReader::SafetensorsReader(const std::string& name, std::string_view file, bool verify)
    : path_(name), memory_(file) {
  read_header(file.size(), verify);
}

SafetensorsReader::~SafetensorsReader() {
  if (fd_ >= 0) close(fd_);
}

void SafetensorsReader::read_header(uint64_t size, bool verify) {
  if (size < 8) raise<FileError>("load: ", path_, ": ", size, " bytes are too few for a safetensors file");
  uint64_t header = 0;
  read_at(&header, 8, 0);
  if (header > kMaxHeader)
    raise<FileError>("load: ", path_, ": a header of ", header, " bytes (at most ", kMaxHeader,
                     "): not a safetensors file");
  if (header > size - 8)
    raise<FileError>("load: ", path_, ": the header needs ", header, " bytes, the file has ", size - 8,
                     " more: it is truncated");
  std::string text(header, '\0');
  read_at(text.data(), header, 8);
  data_start_ = 8 + header;
  parse(text);
  check_layout(size - data_start_);
  check_metadata(verify);
}

void SafetensorsReader::read_at(void* out, uint64_t bytes, uint64_t at) const {
  if (fd_ < 0) {  // read_header and check_layout keep all within the memory
    if (bytes) std::memcpy(out, memory_.data() + at, bytes);
    return;
  }
  auto* p = static_cast<char*>(out);
  while (bytes) {
    const ssize_t n = pread(fd_, p, std::min(bytes, kChunk), off_t(at));
    if (n < 0 && errno == EINTR) {
      if (cpu::poll_interrupt()) throw Interrupted();
      continue;
    }
    if (n < 0) raise<FileError>("load: cannot read ", path_, ": ", std::strerror(errno));
    if (n == 0) raise<FileError>("load: ", path_, " became shorter while it was read");
    p += n, at += uint64_t(n), bytes -= uint64_t(n);
    if (bytes && cpu::poll_interrupt()) throw Interrupted();
  }
}

void SafetensorsReader::parse(std::string_view header) {
  Json json(header, path_);
  bool metadata_seen = false;
  json.items('{', '}', [&] {
    std::string key = json.string();
    json.expect(':');
    if (key != kMetadataKey) {
      entries_.push_back(parse_tensor(json, std::move(key)));
      return;
    }
    if (metadata_seen) json.fail("__metadata__ is there twice");
    metadata_seen = true;
    if (json.null()) return;
    json.items('{', '}', [&] {
      std::string name = json.string();
      json.expect(':');
      std::string value = json.string();
      if (!name.starts_with(kChecksumPrefix)) {
        metadata_.emplace_back(std::move(name), std::move(value));
      } else if (name.substr(kChecksumPrefix.size()) == kMetadataKey) {
        if (!metadata_checksum_.empty()) json.fail("key '" + name + "' is there twice");
        metadata_checksum_ = value.empty() ? "empty" : std::move(value);
      } else {
        checksums_.emplace_back(name.substr(kChecksumPrefix.size()), std::move(value));
      }
    });
  });
  if (!json.at_end()) json.fail("something follows the closing '}'");
  std::sort(checksums_.begin(), checksums_.end());
}

// Tensors tile the data exactly: no overlap, no hole, nothing after the last.
void SafetensorsReader::check_layout(uint64_t data_bytes) const {
  refuse_duplicates(entries_, [](const TensorEntry& e) -> std::string_view { return e.name; }, path_, "tensor");
  std::vector<const TensorEntry*> order;
  for (const TensorEntry& e : entries_) order.push_back(&e);
  std::sort(order.begin(), order.end(),
            [](auto* a, auto* b) { return a->offset != b->offset ? a->offset < b->offset : a->bytes < b->bytes; });
  uint64_t at = 0;
  for (const TensorEntry* e : order) {
    if (e->offset != at)
      raise<FileError>("load: ", path_, ": tensor '", e->name, "' begins at byte ", e->offset,
                       " of the data, expected ", at,
                       e->offset < at ? ": it overlaps the one before" : ": there is a hole before it");
    at += e->bytes;  // at most 2^64 / 2 + 2^63 - 1: offset and bytes are below 2^63, and offset == at
    if (at > data_bytes)
      raise<FileError>("load: ", path_, ": tensor '", e->name, "' ends at byte ", at, " of the data, the file has ",
                       data_bytes, ": it is truncated");
  }
  if (at != data_bytes) raise<FileError>("load: ", path_, ": ", data_bytes - at, " bytes follow the last tensor");
}

void SafetensorsReader::check_metadata(bool verify) const {
  auto key = [](const auto& kv) -> std::string_view { return kv.first; };
  refuse_duplicates(metadata_, key, path_, "metadata key");
  refuse_duplicates(checksums_, key, path_, "checksum of");
  if (!verify) return;
  std::vector<std::string_view> names;
  for (const TensorEntry& e : entries_) names.push_back(e.name);
  std::sort(names.begin(), names.end());
  for (const auto& [tensor, crc] : checksums_)
    if (!std::binary_search(names.begin(), names.end(), tensor))
      raise<FileError>("load: ", path_, ": there is a checksum of '", tensor,
                       "', but no such tensor: the file is damaged; verify=False reads it anyway");
  if (metadata_checksum_.empty() && checksums_.empty()) return;  // written by others
  if (checksum_text(metadata_checksum(metadata_)) != metadata_checksum_)
    raise<FileError>("load: ", path_,
                     ": the metadata does not match its checksum: the file is damaged; verify=False reads it anyway");
  if (checksums_.size() != entries_.size())  // lamina writes one for each
    raise<FileError>("load: ", path_, ": ", entries_.size(), " tensors but ", checksums_.size(),
                     " checksums: the file is damaged; verify=False reads it anyway");
}

void SafetensorsReader::read(const TensorEntry& entry, void* out, bool verify) const {
  const std::string* expected = nullptr;
  if (verify) {
    const auto it = std::lower_bound(checksums_.begin(), checksums_.end(), entry.name,
                                     [](const auto& kv, const std::string& name) { return kv.first < name; });
    if (it != checksums_.end() && it->first == entry.name) expected = &it->second;
  }
  auto* p = static_cast<char*>(out);
  uint32_t crc = checksum_seed(entry.dtype, entry.shape);
  for (uint64_t done = 0; done < entry.bytes;) {
    const uint64_t n = std::min(kChunk, entry.bytes - done);
    read_at(p + done, n, data_start_ + entry.offset + done);
    if (expected) crc = crc32(p + done, n, crc);  // while the chunk is in the cache
    done += n;
    if (cpu::poll_interrupt()) throw Interrupted();
  }
  if (expected && checksum_text(crc) != *expected)
    raise<FileError>("load: ", path_, ": tensor '", entry.name, "' does not match its checksum (", *expected,
                     " expected, ", checksum_text(crc), " read): the file is damaged; verify=False reads it anyway");
  if (entry.dtype == DType::bool_)
    for (uint64_t i = 0; i < entry.bytes; ++i)
      if (static_cast<unsigned char>(p[i]) > 1) p[i] = 1;  // a bool of another value would be undefined behaviour
}

}  // namespace lamina::io
