#include "bundle/gzip_member.h"

#include "base/error.h"

#include <libdeflate.h>

#include <array>
#include <cstring>
#include <isa-l/igzip_lib.h>
#include <vector>

namespace upaas::bundle {

namespace {

// RFC 1952, 2.3: the magic number, deflate, FEXTRA; no time; no extra flags; an unknown system;
// XLEN 12; our subfield and its length.
constexpr std::array<unsigned char, 16> kHead = {0x1f, 0x8b, 8,  4, 0,   0,   0, 0,
                                                 0,    0xff, 12, 0, 'u', 'p', 8, 0};
constexpr std::size_t kTrailer = 8;  // checksum and length
constexpr int kSmallLevel = 8;
// Blocks that do not shrink are stored: 5 bytes for at most 65,535, RFC 1951, 3.2.4.
constexpr std::size_t bound_of(std::size_t bytes) {
  return bytes + bytes / 1024 + 4096;
}

void put32(char* at, std::size_t value) {
  for (int i = 0; i < 4; ++i) at[i] = static_cast<char>(value >> (8 * i) & 0xff);
}

std::size_t get32(const char* at) {
  std::size_t value = 0;
  for (int i = 3; i >= 0; --i) value = value << 8 | static_cast<unsigned char>(at[i]);
  return value;
}

struct FreeCompressor {
  void operator()(libdeflate_compressor* handle) const { libdeflate_free_compressor(handle); }
};

}  // namespace

std::optional<MemberSizes> member_sizes(std::string_view header) {
  if (header.size() < kMemberHeader) return std::nullopt;
  if (std::memcmp(header.data(), kHead.data(), kHead.size()) != 0) return std::nullopt;
  return MemberSizes{get32(header.data() + kHead.size()), get32(header.data() + kHead.size() + 4)};
}

struct MemberPacker::State {
  explicit State(Compression how) : compression(how) {
    if (how == Compression::fast) {
      level_buffer.resize(ISAL_DEF_LVL1_DEFAULT);
    } else {
      small.reset(libdeflate_alloc_compressor(kSmallLevel));
      if (!small) throw Error(ErrorKind::internal, "no memory to pack with");
    }
  }
  std::size_t deflate(std::string_view bytes, char* to, std::size_t room);

  Compression compression;
  isal_zstream stream{};
  std::vector<std::uint8_t> level_buffer;
  std::unique_ptr<libdeflate_compressor, FreeCompressor> small;
  Bytes out;
};

std::size_t MemberPacker::State::deflate(std::string_view bytes, char* to, std::size_t room) {
  if (compression == Compression::small) {
    return libdeflate_deflate_compress(small.get(), bytes.data(), bytes.size(), to, room);
  }
  isal_deflate_init(&stream);
  stream.level = 1;
  stream.level_buf = level_buffer.data();
  stream.level_buf_size = static_cast<std::uint32_t>(level_buffer.size());
  stream.end_of_stream = 1;
  // ISA-L takes what it reads by a pointer to non-const.
  stream.next_in = reinterpret_cast<std::uint8_t*>(const_cast<char*>(bytes.data()));
  stream.avail_in = static_cast<std::uint32_t>(bytes.size());
  stream.next_out = reinterpret_cast<std::uint8_t*>(to);
  stream.avail_out = static_cast<std::uint32_t>(room);
  const int result = isal_deflate(&stream);
  return result == COMP_OK && stream.internal_state.state == ZSTATE_END ? stream.total_out : 0;
}

MemberPacker::MemberPacker(Compression compression)
    : state_(std::make_unique<State>(compression)) {}
MemberPacker::MemberPacker(MemberPacker&&) noexcept = default;
MemberPacker& MemberPacker::operator=(MemberPacker&&) noexcept = default;
MemberPacker::~MemberPacker() = default;

std::string_view MemberPacker::pack(std::string_view bytes) {
  if (bytes.size() > kMemberMost) throw Error(ErrorKind::internal, "too much for one gzip member");
  Bytes& out = state_->out;
  out.clear();
  char* const head = out.grow(kMemberHeader + bound_of(bytes.size()) + kTrailer);
  char* const at = head + kMemberHeader;
  const std::size_t deflated = state_->deflate(bytes, at, out.size() - kMemberHeader - kTrailer);
  if (deflated == 0) throw Error(ErrorKind::internal, "a gzip member came out too large");
  put32(at + deflated, libdeflate_crc32(0, bytes.data(), bytes.size()));
  put32(at + deflated + 4, bytes.size());
  const std::size_t size = kMemberHeader + deflated + kTrailer;
  std::memcpy(head, kHead.data(), kHead.size());
  put32(head + kHead.size(), size);
  put32(head + kHead.size() + 4, bytes.size());
  return {head, size};
}

struct MemberUnpacker::Free {
  void operator()(libdeflate_decompressor* handle) const { libdeflate_free_decompressor(handle); }
};
struct MemberUnpacker::State {
  std::unique_ptr<libdeflate_decompressor, Free> handle{libdeflate_alloc_decompressor()};
};

MemberUnpacker::MemberUnpacker() : state_(std::make_unique<State>()) {
  if (!state_->handle) throw Error(ErrorKind::internal, "no memory to unpack with");
}
MemberUnpacker::MemberUnpacker(MemberUnpacker&&) noexcept = default;
MemberUnpacker& MemberUnpacker::operator=(MemberUnpacker&&) noexcept = default;
MemberUnpacker::~MemberUnpacker() = default;

bool MemberUnpacker::unpack(std::string_view member, const MemberSizes& sizes, Bytes& out) {
  if (member.size() != sizes.packed || sizes.unpacked > kMemberMost) return false;
  out.clear();
  char* const to = out.grow(sizes.unpacked);
  std::size_t read = 0;
  // Without a place for the number of bytes they must be as many as there is room for.
  const auto result = libdeflate_gzip_decompress_ex(
      state_->handle.get(), member.data(), member.size(), to, sizes.unpacked, &read, nullptr);
  return result == LIBDEFLATE_SUCCESS && read == member.size();
}

}  // namespace upaas::bundle
