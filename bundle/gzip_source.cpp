#include "bundle/gzip_source.h"

#include "base/error.h"
#include "base/files.h"
#include "base/ordered.h"
#include "bundle/beneath.h"
#include "bundle/member_index.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <zlib.h>

#include <cerrno>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace upaas::bundle {

namespace {

constexpr std::size_t kPiece = std::size_t{256} << 10;
constexpr int kGzipWindow = 15 + 16;  // zlib: 16 selects the gzip format

/// What one member is read and unpacked in.
struct Buffers {
  MemberUnpacker unpacker;
  Bytes packed;
  Bytes unpacked;
};

}  // namespace

/// One member after the other, whoever wrote them.
class GzipSource::Stream {
 public:
  Stream(std::string name, UniqueFd fd, std::uint64_t packed, const Limits& limits)
      : name_(std::move(name)),
        fd_(std::move(fd)),
        packed_(packed),
        limits_(limits),
        output_(kPiece, '\0') {
    if (inflateInit2(&zlib_, kGzipWindow) != Z_OK) throw Error(ErrorKind::internal, "no memory");
  }
  ~Stream() { inflateEnd(&zlib_); }
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  std::string_view next() {
    zlib_.next_out = reinterpret_cast<Bytef*>(output_.data());
    zlib_.avail_out = static_cast<uInt>(output_.size());
    while (zlib_.avail_out > 0 && !ended_) step();
    const std::string_view piece(output_.data(), output_.size() - zlib_.avail_out);
    unpacked_ += piece.size();
    check_unpacked(unpacked_, packed_, limits_);
    return piece;
  }

 private:
  void step() {
    refill();
    if (zlib_.avail_in == 0 && between_members_) {
      ended_ = true;
      return;
    }
    if (zlib_.avail_in == 0) throw broken_gzip("it ends too early");
    if (between_members_) inflateReset(&zlib_);
    const bool trailing = std::exchange(between_members_, false);
    const int result = inflate(&zlib_, Z_NO_FLUSH);
    if (result == Z_STREAM_END) between_members_ = true;
    if (result != Z_OK && result != Z_STREAM_END && result != Z_BUF_ERROR) {
      throw broken_gzip(trailing ? "something follows its end" : "its compressed data is damaged");
    }
  }
  void refill() {
    if (zlib_.avail_in > 0 || file_ended_) return;
    file_ended_ = !read_piece(fd_.get(), input_, name_);
    zlib_.next_in = reinterpret_cast<Bytef*>(input_.data());
    zlib_.avail_in = static_cast<uInt>(input_.size());
  }

  std::string name_;
  UniqueFd fd_;
  std::uint64_t packed_;
  Limits limits_;
  z_stream zlib_{};
  std::string input_;
  std::string output_;
  std::uint64_t unpacked_ = 0;
  bool file_ended_ = false;
  bool between_members_ = false;
  bool ended_ = false;
};

class GzipSource::Members {
 public:
  Members(std::string name, UniqueFd fd, std::vector<MemberAt> members)
      : name_(std::move(name)), fd_(std::move(fd)), members_(std::move(members)) {}

  /// An empty member is no end.
  std::string_view next() {
    while (const Buffers* buffers = next_buffers()) {
      if (!buffers->unpacked.empty()) return buffers->unpacked.view();
    }
    return {};
  }
  void read_ahead(const std::function<bool(std::size_t)>& wanted) {
    std::vector<MemberAt> rest;
    for (std::size_t i = at_; i < members_.size(); ++i) {
      if (wanted(i - at_)) rest.push_back(members_[i]);
    }
    members_ = std::move(rest);
    at_ = 0;
    work_.emplace(members_.size(), 0,
                  [this](std::size_t index, Buffers& buffers) { read(members_[index], buffers); });
  }
  [[nodiscard]] std::size_t left() const { return members_.size() - at_; }

 private:
  const Buffers* next_buffers() {
    if (work_) return work_->next();
    if (at_ == members_.size()) return nullptr;
    read(members_[at_++], own_);
    return &own_;
  }
  void read(const MemberAt& member, Buffers& buffers) const {
    const std::size_t packed = member.sizes.packed;
    buffers.packed.clear();
    if (read_at(fd_.get(), member.offset, buffers.packed.grow(packed), packed, name_) != packed)
      throw broken_gzip("it ends too early");
    if (!buffers.unpacker.unpack(buffers.packed.view(), member.sizes, buffers.unpacked)) {
      throw broken_gzip("its compressed data is damaged");
    }
  }

  std::string name_;
  UniqueFd fd_;
  std::vector<MemberAt> members_;
  std::size_t at_ = 0;
  Buffers own_;
  std::optional<Ordered<Buffers>> work_;  // last: its threads use the others
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
  const auto size = static_cast<std::uint64_t>(info.st_size);
  if (auto members = find_members(fd.get(), size, limits)) {
    members_ = std::make_unique<Members>(file.string(), std::move(fd), std::move(*members));
  } else {
    stream_ = std::make_unique<Stream>(file.string(), std::move(fd), size, limits);
  }
}

GzipSource::GzipSource(GzipSource&&) noexcept = default;
GzipSource::~GzipSource() = default;

std::string_view GzipSource::next() {
  const std::string_view piece = members_ ? members_->next() : stream_->next();
  if (const auto last = piece.find_last_not_of('\0'); last != std::string_view::npos) {
    nonzero_end_ = unpacked_ + last + 1;
  }
  unpacked_ += piece.size();
  return piece;
}

void GzipSource::read_ahead(const std::function<bool(std::size_t member)>& wanted) {
  if (members_) members_->read_ahead(wanted);
}

std::size_t GzipSource::members_left() const {
  return members_ ? members_->left() : 0;
}

}  // namespace upaas::bundle
