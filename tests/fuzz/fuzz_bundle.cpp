// Foreign bytes as a bundle and as a source archive: refused with Error(invalid), or read; never
// more on the disk than the limits say, and nothing when it was refused.
#include "base/error.h"
#include "base/files.h"
#include "bundle/bundle.h"
#include "bundle/source_archive.h"

#include <zlib.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>

namespace {

const upaas::bundle::Limits kLimits{
    .entries = 1000, .total_bytes = 1 << 20, .file_bytes = 1 << 20, .manifest_bytes = 1 << 18};

/// False when it was refused.
bool accepted(const std::function<void()>& read) {
  try {
    read();
    return true;
  } catch (const upaas::Error& error) {
    if (error.kind() != upaas::ErrorKind::invalid) std::abort();
    return false;
  }
}

std::string gzipped(std::string_view bytes) {
  z_stream stream{};
  if (deflateInit2(&stream, 0, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK) std::abort();
  std::string out(deflateBound(&stream, bytes.size()), '\0');
  std::string in(bytes);
  stream.next_in = reinterpret_cast<Bytef*>(in.data());
  stream.avail_in = static_cast<uInt>(in.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  if (deflate(&stream, Z_FINISH) != Z_STREAM_END) std::abort();
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

void read_as_bundle(std::string_view bytes) {
  const upaas::TempDir dir("/dev/shm", "fuzz-bundle-");
  const auto file = dir.path() / "bundle";
  const auto out = dir.path() / "out";
  upaas::write_file(file, bytes, {.sync = false});
  const auto stamp = std::chrono::system_clock::from_time_t(0);
  const bool fine = accepted([&] { upaas::bundle::verify(file, kLimits); });
  if (fine !=
      accepted([&] { upaas::bundle::unpack(file, out, {.stamp = stamp, .limits = kLimits}); }))
    std::abort();
  if (fine != std::filesystem::exists(out)) std::abort();
  accepted([&] { upaas::bundle::unpack_source(file, dir.path() / "source", kLimits); });
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  read_as_bundle(bytes);
  read_as_bundle(gzipped(bytes));
  return 0;
}
