#include "bundle/gzip_source.h"

#include "base/error.h"
#include "bundle/beneath.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <cerrno>
#include <utility>

namespace upaas::bundle {

namespace {

constexpr std::size_t kPiece = std::size_t{256} << 10;
constexpr std::uint64_t kRatioFrom = std::uint64_t{16} << 20;
// A tar header and a pax header with the longest path.
constexpr std::uint64_t kEntryOverhead = 16 << 10;
constexpr int kGzipWindow = 15 + 16;  // zlib: 16 selects the gzip format

Error broken(const std::string& why) {
  return {ErrorKind::invalid, "the bundle is not a whole .tar.gz: " + why};
}

}  // namespace

struct GzipSource::State {
  State(std::string file, UniqueFd descriptor, const Limits& bounds)
      : name(std::move(file)), fd(std::move(descriptor)), limits(bounds), output(kPiece, '\0') {
    if (inflateInit2(&stream, kGzipWindow) != Z_OK) throw Error(ErrorKind::internal, "no memory");
  }
  ~State() { inflateEnd(&stream); }
  State(const State&) = delete;
  State& operator=(const State&) = delete;

  std::string name;
  UniqueFd fd;
  Limits limits;
  std::uint64_t packed = 0;
  z_stream stream{};
  std::string input;
  std::string output;
  bool file_ended = false;
  bool between_members = false;
  bool ended = false;
};

GzipSource::GzipSource(const std::filesystem::path& file, const Limits& limits) {
  UniqueFd fd(::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!fd.valid() && errno == ENOENT) {
    throw Error(ErrorKind::not_found, file.string() + ": no such file");
  }
  if (!fd.valid()) throw system_error("open " + file.string());
  struct stat info {};
  if (::fstat(fd.get(), &info) != 0) throw system_error("stat " + file.string());
  if (!S_ISREG(info.st_mode)) throw Error(ErrorKind::invalid, file.string() + ": not a file");
  state_ = std::make_unique<State>(file.string(), std::move(fd), limits);
  state_->packed = static_cast<std::uint64_t>(info.st_size);
}

GzipSource::GzipSource(GzipSource&&) noexcept = default;
GzipSource::~GzipSource() = default;

void GzipSource::refill() {
  State& s = *state_;
  if (s.stream.avail_in > 0 || s.file_ended) return;
  s.file_ended = !read_piece(s.fd.get(), s.input, s.name);
  s.stream.next_in = reinterpret_cast<Bytef*>(s.input.data());
  s.stream.avail_in = static_cast<uInt>(s.input.size());
}

void GzipSource::bound() {
  const Limits& limits = state_->limits;
  const std::uint64_t most =
      limits.total_bytes + limits.manifest_bytes + limits.entries * kEntryOverhead;
  if (unpacked_ > most) throw broken("it unpacks to more than " + std::to_string(most) + " bytes");
  if (unpacked_ > kRatioFrom && unpacked_ / limits.ratio > state_->packed) {
    throw broken("it unpacks to more than " + std::to_string(limits.ratio) + " times its size");
  }
}

std::string_view GzipSource::next() {
  State& s = *state_;
  s.stream.next_out = reinterpret_cast<Bytef*>(s.output.data());
  s.stream.avail_out = static_cast<uInt>(s.output.size());
  while (s.stream.avail_out > 0 && !s.ended) {
    refill();
    if (s.stream.avail_in == 0 && s.between_members) {
      s.ended = true;
      break;
    }
    if (s.stream.avail_in == 0) throw broken("it ends too early");
    if (s.between_members) inflateReset(&s.stream);
    const bool trailing = std::exchange(s.between_members, false);
    const int result = inflate(&s.stream, Z_NO_FLUSH);
    if (result == Z_STREAM_END) s.between_members = true;
    if (result != Z_OK && result != Z_STREAM_END && result != Z_BUF_ERROR) {
      throw broken(trailing ? "something follows its end" : "its compressed data is damaged");
    }
  }
  const std::string_view piece(s.output.data(), s.output.size() - s.stream.avail_out);
  if (const auto last = piece.find_last_not_of('\0'); last != std::string_view::npos) {
    nonzero_end_ = unpacked_ + last + 1;
  }
  unpacked_ += piece.size();
  bound();
  return piece;
}

}  // namespace upaas::bundle
