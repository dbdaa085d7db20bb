// Writing safetensors so that a reader sees the old file or the whole new one, whatever happens in between.
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <numeric>

#include "io/safetensors.h"
#include "lamina/backend.h"
#include "lamina/error.h"

namespace lamina::io {
namespace {

constexpr size_t kChunk = 4 << 20;
constexpr std::string_view kSuffix = ".lamina-tmp";

[[noreturn]] void fail(const std::string& path, const char* what, int error) {
  raise<FileError>("save: cannot ", what, " ", path, ": ", std::strerror(error));
}

void append_json(std::string& out, std::string_view s) {
  out += '"';
  for (char c : s) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (static_cast<unsigned char>(c) < 0x20) {
      constexpr char digits[] = "0123456789abcdef";
      out += "\\u00";
      out += digits[c >> 4];
      out += digits[c & 15];
    } else {
      out += c;
    }
  }
  out += '"';
}

void append_pair(std::string& out, std::string_view key, std::string_view value) {
  if (out.back() != '{') out += ',';
  append_json(out, key);
  out += ':';
  append_json(out, value);
}

uint32_t checksum(const TensorSource& t, size_t bytes) {
  const auto* p = static_cast<const char*>(t.data);
  uint32_t crc = checksum_seed(t.dtype, t.shape);
  for (size_t done = 0; done < bytes;) {
    const size_t n = std::min(kChunk, bytes - done);
    crc = crc32(p + done, n, crc);
    done += n;
    if (cpu::poll_interrupt()) throw Interrupted();
  }
  return crc;
}

size_t bytes_of(const TensorSource& t) {
  return size_t(checked::mul(numel_of(t.shape, "save"), int64_t(size_of(t.dtype)), "save"));
}

// Wide elements first, so that each tensor is aligned to its element.
std::vector<size_t> data_order(const std::vector<TensorSource>& tensors) {
  std::vector<size_t> order(tensors.size());
  std::iota(order.begin(), order.end(), size_t(0));
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return size_of(tensors[a].dtype) > size_of(tensors[b].dtype); });
  return order;
}

std::string make_header(const std::vector<TensorSource>& tensors, const std::vector<size_t>& order,
                        const Metadata& metadata) {
  std::string out(8, '\0');
  out += "{\"__metadata__\":{";
  for (const auto& [key, value] : metadata) append_pair(out, key, value);
  append_pair(out, "crc32:__metadata__", checksum_text(metadata_checksum(metadata)));
  std::vector<int64_t> begin(tensors.size());
  int64_t at = 0;
  for (size_t i : order) {
    begin[i] = at;
    at = checked::add(at, int64_t(bytes_of(tensors[i])), "save");
  }
  for (const TensorSource& t : tensors) append_pair(out, "crc32:" + t.name, checksum_text(checksum(t, bytes_of(t))));
  out += '}';
  for (size_t i = 0; i < tensors.size(); ++i) {
    const TensorSource& t = tensors[i];
    out += ',';
    append_json(out, t.name);
    out += str(":{\"dtype\":\"", format_name(t.dtype), "\",\"shape\":[");
    for (size_t d = 0; d < t.shape.size(); ++d) {
      if (d) out += ',';
      out += std::to_string(t.shape[d]);
    }
    out += str("],\"data_offsets\":[", begin[i], ",", begin[i] + int64_t(bytes_of(t)), "]}");
  }
  out += '}';
  out.resize((out.size() + 63) / 64 * 64, ' ');  // the data starts aligned
  const uint64_t length = out.size() - 8;
  if (length > 100'000'000) raise<FileError>("save: a header of ", length, " bytes is over the format's 100 MB");
  std::memcpy(out.data(), &length, 8);
  return out;
}

void check_names(const std::vector<TensorSource>& tensors, const Metadata& metadata) {
  std::vector<std::string_view> names, keys;
  for (const TensorSource& t : tensors) {
    if (t.name == "__metadata__") raise<ValueError>("save: a tensor cannot be called __metadata__");
    names.push_back(t.name);
  }
  for (const auto& [key, value] : metadata) {
    if (key.starts_with("crc32:"))
      raise<ValueError>("save: metadata keys that start with crc32: are kept for checksums, got '", key, "'");
    if (key.find('\0') != key.npos || value.find('\0') != value.npos)
      raise<ValueError>("save: metadata '", key.c_str(), "' holds a null character");
    if (!valid_utf8(value)) raise<ValueError>("save: metadata '", key, "' is not UTF-8");
    keys.push_back(key);
  }
  for (auto* list : {&names, &keys}) {
    for (std::string_view s : *list)
      if (!valid_utf8(s)) raise<ValueError>("save: '", s, "' is not UTF-8");
    std::sort(list->begin(), list->end());
    const auto twice = std::adjacent_find(list->begin(), list->end());
    if (twice != list->end()) raise<ValueError>("save: '", *twice, "' is given twice");
  }
}

// A file that is over the size limit of the process raises an error, not a deadly signal.
class BlockSizeSignal {
 public:
  BlockSizeSignal() {
    sigemptyset(&set_);
    sigaddset(&set_, SIGXFSZ);
    pthread_sigmask(SIG_BLOCK, &set_, &old_);
  }
  ~BlockSizeSignal() {
    if (!sigismember(&old_, SIGXFSZ)) {
      const timespec now{0, 0};
      while (sigtimedwait(&set_, nullptr, &now) > 0) {
      }
    }
    pthread_sigmask(SIG_SETMASK, &old_, nullptr);
  }

 private:
  sigset_t set_, old_;
};

struct Target {
  std::string path, folder, name;  // `name` cut to 180 bytes: temporaries append to it
  bool exists = false;
  mode_t mode = 0;
};

// The file to replace: symbolic links are followed, so that the link stays; only regular files are replaced.
Target find_target(const std::string& given) {
  if (given.empty() || given.find('\0') != given.npos) raise<FileError>("save: not a path: '", given.c_str(), "'");
  Target t;
  t.path = given;
  if (char* real = realpath(given.c_str(), nullptr)) {
    t.path = real;
    std::free(real);
  }
  const size_t slash = t.path.rfind('/');
  t.folder = slash == t.path.npos ? "." : slash == 0 ? "/" : t.path.substr(0, slash);
  t.name = slash == t.path.npos ? t.path : t.path.substr(slash + 1);
  if (t.name.empty()) raise<FileError>("save: ", given, " is a folder");
  if (t.name.size() > 180) t.name.resize(180);
  struct stat st;
  if (stat(t.path.c_str(), &st) == 0) {
    if (!S_ISREG(st.st_mode))
      raise<FileError>("save: ", given, S_ISDIR(st.st_mode) ? " is a folder" : " is not a regular file");
    if (access(t.path.c_str(), W_OK) != 0) fail(given, "write", errno);
    t.exists = true;
    t.mode = st.st_mode & 07777;
  } else if (errno != ENOENT) {
    fail(given, "write", errno);
  }
  return t;
}

// .name.*.lamina-tmp that nobody holds a lock on: what a killed process left.
void remove_stale(const Target& target) {
  DIR* dir = opendir(target.folder.c_str());
  if (!dir) return;
  const std::string prefix = "." + target.name + ".";
  while (const dirent* e = readdir(dir)) {
    const std::string_view n = e->d_name;
    if (n.size() <= prefix.size() + kSuffix.size() || !n.starts_with(prefix) || !n.ends_with(kSuffix)) continue;
    const int fd = openat(dirfd(dir), e->d_name, O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0) continue;
    if (flock(fd, LOCK_EX | LOCK_NB) == 0) unlinkat(dirfd(dir), e->d_name, 0);
    close(fd);
  }
  closedir(dir);
}

// A new file beside the target, locked while it is written and removed unless it was renamed.
class Temporary {
 public:
  explicit Temporary(const Target& target) {
    static std::atomic<uint32_t> counter{0};
    for (int attempt = 0; attempt < 100; ++attempt) {
      timespec now;
      clock_gettime(CLOCK_REALTIME, &now);
      path_ = str(target.folder, "/.", target.name, ".", getpid(), "-", counter++, "-", now.tv_nsec, kSuffix);
      fd_ = open(path_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0666);
      if (fd_ < 0 && errno == EEXIST) continue;
      if (fd_ < 0) fail(path_, "create", errno);
      struct stat st;
      flock(fd_, LOCK_EX);  // a file system without locks: then nobody removes stale files there either
      if (fstat(fd_, &st) == 0 && st.st_nlink > 0) break;
      close(fd_);  // another save took it for a stale one before it was locked
      fd_ = -1;
    }
    if (fd_ < 0) raise<FileError>("save: cannot create a temporary file in ", target.folder);
    if (target.exists && fchmod(fd_, target.mode) != 0) {
      const int error = errno;
      discard();
      fail(target.path, "keep the mode of", error);
    }
  }
  ~Temporary() { discard(); }
  Temporary(const Temporary&) = delete;
  Temporary& operator=(const Temporary&) = delete;

  void write(const void* data, size_t bytes, const std::string& shown) {
    const auto* p = static_cast<const char*>(data);
    while (bytes) {
      if (cpu::poll_interrupt()) throw Interrupted();
      const ssize_t n = ::write(fd_, p, std::min(bytes, kChunk));
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) fail(shown, "write", errno);
      p += n, bytes -= size_t(n);
    }
  }
  void commit(const Target& target) {
    if (fsync(fd_) != 0) fail(target.path, "write", errno);
    if (rename(path_.c_str(), target.path.c_str()) != 0) fail(target.path, "replace", errno);
    path_.clear();
    const int dir = open(target.folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (dir < 0) return;  // a folder that may be written but not read
    const int result = fsync(dir), error = errno;
    close(dir);
    if (result != 0 && error != EINVAL && error != ENOTSUP) fail(target.folder, "sync the folder", error);
  }

 private:
  void discard() {
    if (!path_.empty()) unlink(path_.c_str());
    if (fd_ >= 0) close(fd_);
    path_.clear();
    fd_ = -1;
  }
  std::string path_;
  int fd_ = -1;
};

}  // namespace

std::string safetensors_header(const std::vector<TensorSource>& tensors, const Metadata& metadata,
                               std::vector<size_t>& order) {
  check_names(tensors, metadata);
  order = data_order(tensors);
  return make_header(tensors, order, metadata);
}

void save_safetensors(const std::string& path, const std::vector<TensorSource>& tensors, const Metadata& metadata) {
  check_names(tensors, metadata);
  const Target target = find_target(path);
  std::vector<size_t> order;
  const std::string header = safetensors_header(tensors, metadata, order);
  remove_stale(target);
  const BlockSizeSignal guard;
  Temporary file(target);
  file.write(header.data(), header.size(), path);
  for (size_t i : order) file.write(tensors[i].data, bytes_of(tensors[i]), path);
  file.commit(target);
}

}  // namespace lamina::io
