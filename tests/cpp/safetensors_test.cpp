// safetensors: round trips, damaged and hostile files, failing and killed writers.
#include "io/safetensors.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <random>

#include "lamina/error.h"

using namespace lamina;
using namespace lamina::io;
namespace fs = std::filesystem;

#define CHECK(x) \
  if (!(x)) (std::fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #x), std::exit(1))

namespace {

std::string folder;

std::string bytes_of(const std::string& path) {
  std::ifstream f(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(f), {}};
}
void put(const std::string& path, const std::string& bytes) { std::ofstream(path, std::ios::binary) << bytes; }

std::string refused(const std::function<void()>& f) {
  try {
    f();
  } catch (const FileError& e) {
    return e.what();
  } catch (const ValueError& e) {
    return e.what();
  }
  return "";
}
bool has(const std::string& s, const char* part) { return s.find(part) != s.npos; }

// All that a file says, as one string.
std::string load_all(const std::string& path) {
  SafetensorsReader r(path);
  std::string all;
  for (const auto& [key, value] : r.metadata()) all += key + "=" + value + "\n";
  for (const TensorEntry& e : r.entries()) {
    std::string out(e.bytes, '\0');
    r.read(e, out.data());
    all += e.name + to_string(e.shape) + std::string(name(e.dtype)) + out;
  }
  return all;
}
std::string refused_header(const std::string& header, size_t data_bytes = 0) {
  const std::string path = folder + "/h.safetensors";
  std::string s(8, '\0');
  const uint64_t n = header.size();
  std::memcpy(s.data(), &n, 8);
  put(path, s + header + std::string(data_bytes, 'x'));
  return refused([&] { load_all(path); });
}

const float kWeights[6] = {1, 2, 3, 4, 5, 6};
const int64_t kCount[1] = {7};
const uint8_t kFlags[3] = {1, 0, 1};
std::vector<TensorSource> model() {
  return {{"net.weight", DType::float32, {2, 3}, kWeights},
          {"flags \"q\" \\ \n \xc3\xa9", DType::bool_, {3}, kFlags},
          {"count", DType::int64, {}, kCount},
          {"empty", DType::float16, {0, 5}, nullptr}};
}

void test_round_trip() {
  CHECK(crc32("123456789", 9) == 0xCBF43926u && crc32("56789", 5, crc32("1234", 4)) == 0xCBF43926u);
  const std::string path = folder + "/m.safetensors";
  save_safetensors(path, model(), {{"format", "pt"}, {"note", "a \"b\""}});
  SafetensorsReader r(path);
  CHECK(r.entries().size() == 4);
  CHECK((r.metadata() == Metadata{{"format", "pt"}, {"note", "a \"b\""}}));
  const auto expected = model();
  for (size_t i = 0; i < 4; ++i) {
    const TensorEntry& e = r.entries()[i];
    CHECK(e.name == expected[i].name && e.dtype == expected[i].dtype && e.shape == expected[i].shape);
    std::vector<char> out(e.bytes + 1);
    r.read(e, out.data());
    CHECK(e.bytes == 0 || std::memcmp(out.data(), expected[i].data, e.bytes) == 0);
    CHECK(e.bytes == 0 || (r.entries()[i].offset % size_of(e.dtype)) == 0);
  }
  save_safetensors(path, {});
  CHECK(SafetensorsReader(path).entries().empty());
}

// Without checksums, changed numbers and notes are read as they are; the structure is checked all the same.
void test_verify() {
  const std::string path = folder + "/v.safetensors";
  save_safetensors(path, {{"w", DType::float32, {6}, kWeights}}, {{"note", "right"}});
  const std::string good = bytes_of(path);
  std::string s = good;
  s.back() = char(s.back() ^ 0x80);
  s.replace(s.find("right"), 5, "wrong");
  put(path, s);
  CHECK(has(refused([&] { SafetensorsReader r(path); }), "verify=False"));
  const SafetensorsReader r(path, false);
  float w[6];
  CHECK(has(refused([&] { r.read(r.entries()[0], w); }), "verify=False"));
  r.read(r.entries()[0], w, false);
  CHECK(w[0] == 1 && w[5] == -6 && (r.metadata() == Metadata{{"note", "wrong"}}));
  put(path, good.substr(0, good.size() - 1));
  CHECK(has(refused([&] { SafetensorsReader cut(path, false); }), "truncated"));
}

// Any single changed, missing or added byte is noticed, unless the JSON still says the same.
void test_damage() {
  const std::string path = folder + "/m.safetensors", bad = folder + "/bad.safetensors";
  save_safetensors(path, model(), {{"format", "pt"}});
  const std::string good = bytes_of(path), content = load_all(path);
  std::mt19937 rng(3);
  for (size_t i = 0; i < good.size(); ++i)
    for (int flip : {1, 2, 32, 128, int(1 + rng() % 255)}) {
      std::string s = good, read;
      s[i] = char(s[i] ^ flip);
      put(bad, s);
      CHECK(!refused([&] { read = load_all(bad); }).empty() || read == content);
    }
  for (size_t n = 0; n < good.size(); ++n) {
    put(bad, good.substr(0, n));
    CHECK(!refused([&] { load_all(bad); }).empty());
  }
  put(bad, good + "x");
  CHECK(has(refused([&] { load_all(bad); }), "1 bytes follow"));
  for (int round = 0; round < 3000; ++round) {  // random damage ends in an error or, by luck, in a valid file
    std::string s = good;
    for (int k = 0; k < 4; ++k) {
      const size_t a = rng() % s.size(), n = rng() % 9;
      if (rng() % 3 == 0) s.erase(a, n);
      if (rng() % 3 == 0) s.insert(a, s.substr(rng() % s.size(), n));
      if (!s.empty()) s[rng() % s.size()] = "{}[]\",:0919eE-\\u\0\xff"[rng() % 18];
    }
    put(bad, s);
    refused([&] { load_all(bad); });
  }
}

void test_hostile_headers() {
  const std::string a = R"("dtype":"F32","shape":[2],"data_offsets":[0,8])";
  CHECK(refused_header("{\"a\":{" + a + "}}", 8).empty());
  CHECK(refused_header("  ").size());
  CHECK(refused_header(" {}").empty());  // as other writers begin
  CHECK(has(refused_header("x{}"), "expected '{'"));
  CHECK(has(refused_header("{\"a\":{" + a + "}}", 7), "truncated"));
  CHECK(has(refused_header("{\"a\":{" + a + "}}", 9), "follow the last"));
  CHECK(has(refused_header("{\"a\":{" + a + "},\"a\":{" + a + "}}", 8), "twice"));
  CHECK(has(refused_header("{\"a\":{" + a + "},\"b\":{" + a + "}}", 8), "overlaps"));
  CHECK(has(refused_header(R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}})", 8), "hole"));
  CHECK(has(refused_header(R"({"a":{"dtype":"F8_E4M3","shape":[1],"data_offsets":[0,1]}})", 1), "F8_E4M3"));
  CHECK(
      has(refused_header(R"({"a":{"dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,0]}})"), "64 bits"));
  CHECK(has(refused_header(R"({"a":{"dtype":"F32","shape":[9223372036854775808],"data_offsets":[0,0]}})"), "64 bits"));
  CHECK(has(refused_header(R"({"a":{"dtype":"F32","shape":[18446744073709551617],"data_offsets":[0,0]}})"), "64 bits"));
  CHECK(has(refused_header(R"({"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,0]}})"), "whole number"));
  CHECK(has(refused_header(R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[9,8]}})"), "ends before"));
  CHECK(has(refused_header(R"({"a":{"dtype":"U8","shape":[1e2],"data_offsets":[0,1]}})"), "expected"));
  CHECK(refused_header(R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1],"x":[[[[]]]]}})", 1)
            .empty());  // further fields
  CHECK(has(refused_header(R"({"__metadata__":{"a":1}})"), "'\"'"));
  CHECK(has(refused_header(R"({"__metadata__":{"a":"1","a":"2"}})"), "twice"));
  CHECK(has(refused_header(R"({"__metadata__":{"\ud800":"1"}})"), "surrogate"));
  CHECK(has(refused_header("{\"__metadata__\":{\"\xff\":\"1\"}}"), "UTF-8"));
  CHECK(refused_header(R"({"__metadata__":{"\ud83d\ude00 \u00e9":"1"}})").empty());
  CHECK(!refused_header(std::string(1000000, '[')).empty());
  CHECK(!refused_header("{\"a\":" + std::string(1000000, '{')).empty());
  const std::string path = folder + "/big.safetensors";
  put(path, std::string("\xff\xff\xff\xff\xff\xff\xff\xff{}", 10));
  CHECK(has(refused([&] { load_all(path); }), "not a safetensors file"));
  CHECK(has(refused([&] { load_all(folder); }), "not a regular file"));
  CHECK(has(refused([&] { load_all(folder + "/none"); }), "No such file"));
  CHECK(mkfifo((folder + "/fifo").c_str(), 0600) == 0);
  CHECK(has(refused([&] { load_all(folder + "/fifo"); }), "not a regular file"));
}

int files() {
  int n = 0;
  for ([[maybe_unused]] const auto& e : fs::directory_iterator(folder + "/w")) ++n;
  return n;
}

void test_writing() {
  fs::create_directory(folder + "/w");
  const std::string path = folder + "/w/m.safetensors";
  save_safetensors(path, model());
  chmod(path.c_str(), 0640);
  save_safetensors(path, model());
  struct stat st;
  CHECK(stat(path.c_str(), &st) == 0 && (st.st_mode & 07777) == 0640);
  fs::create_symlink("m.safetensors", folder + "/w/link");
  save_safetensors(folder + "/w/link", model());
  CHECK(fs::is_symlink(folder + "/w/link") && files() == 2);
  CHECK(has(refused([&] { save_safetensors(folder, model()); }), "folder"));
  CHECK(has(refused([&] { save_safetensors("/dev/full", model()); }), "not a regular file"));
  CHECK(has(refused([&] { save_safetensors(folder + "/none/m", model()); }), "No such file"));
  CHECK(has(refused([&] { save_safetensors(path, {model()[0], model()[0]}); }), "twice"));
  CHECK(has(refused([&] { save_safetensors(path, {}, {{"crc32:x", ""}}); }), "checksums"));
  save_safetensors(folder + "/w/" + std::string(250, 'n'), model());
  fs::remove(folder + "/w/" + std::string(250, 'n'));
  CHECK(files() == 2);

  // No room: the old file stays as it was and nothing is left behind.
  const std::string before = bytes_of(path);
  std::vector<float> large(1 << 20, 3.0f);
  const std::vector<TensorSource> big{{"large", DType::float32, {1 << 20}, large.data()}};
  const pid_t limited = fork();
  if (limited == 0) {
    const rlimit limit{1 << 20, 1 << 20};
    setrlimit(RLIMIT_FSIZE, &limit);
    _exit(has(refused([&] { save_safetensors(path, big); }), "File too large") ? 0 : 1);
  }
  int status = 1;
  waitpid(limited, &status, 0);
  CHECK(status == 0 && bytes_of(path) == before && files() == 2);

  // Killed at any moment: the old file or the new one, and the next save clears what is left.
  std::mt19937 rng(4);
  for (int i = 0; i < 60; ++i) {
    const pid_t child = fork();
    if (child == 0)
      for (;;) save_safetensors(path, big);
    usleep(rng() % 20000);
    kill(child, SIGKILL);
    waitpid(child, &status, 0);
    load_all(path);
  }
  save_safetensors(path, model());
  CHECK(files() == 2);
}

}  // namespace

int main() {
  char name[] = "/tmp/lamina-safetensors-XXXXXX";
  CHECK(mkdtemp(name));
  folder = name;
  test_round_trip();
  test_verify();
  test_damage();
  test_hostile_headers();
  test_writing();
  fs::remove_all(folder);
  std::puts("ok");
}
