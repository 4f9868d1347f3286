// Foreign bytes as a row of gzip members: refused with Error(invalid), or no more than the limits
// say, and the same whether it is read ahead by threads or not. Every input is also read as the
// content of deflated members, so that what is behind the checksums is reached.
#include "base/error.h"
#include "base/files.h"
#include "bundle/gzip_member.h"
#include "bundle/gzip_source.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>

namespace {

using namespace upaas::bundle;

const Limits kLimits{
    .entries = 50, .total_bytes = 1 << 20, .file_bytes = 1 << 20, .manifest_bytes = 1 << 16};

std::optional<std::string> read_all(const std::string& file, bool ahead) {
  try {
    GzipSource source(file, kLimits);
    if (ahead) source.read_ahead([](std::size_t) { return true; });
    std::string all;
    for (auto piece = source.next(); !piece.empty(); piece = source.next()) all += piece;
    if (all.size() > (4U << 20)) std::abort();
    return all;
  } catch (const upaas::Error& error) {
    if (error.kind() != upaas::ErrorKind::invalid) std::abort();
    return std::nullopt;
  }
}

std::optional<std::string> read_both(std::string_view bytes) {
  const upaas::UniqueFd fd(::memfd_create("members", MFD_CLOEXEC));
  if (::write(fd.get(), bytes.data(), bytes.size()) != static_cast<ssize_t>(bytes.size()))
    std::abort();
  const std::string file = "/proc/self/fd/" + std::to_string(fd.get());
  auto one = read_all(file, false);
  if (one != read_all(file, true)) std::abort();
  return one;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static MemberPacker fast(Compression::fast);
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  static_cast<void>(read_both(bytes));
  std::string row(fast.pack(bytes.substr(0, size / 2)));
  row += fast.pack(bytes.substr(size / 2));
  if (size > 1 << 20) return 0;
  const auto back = read_both(row);
  if (size < 1000 && back && *back != bytes) std::abort();
  return 0;
}
