/// A bundle is a row of gzip members (RFC 1952: a file may hold several, every reader goes on with
/// the next). Each is made and read on its own, hence in parallel, and says its sizes in a subfield
/// of its header's EXTRA field, which other programs pass over:
///
///     SI1 'u' SI2 'p', LEN 8: bytes of the whole member, bytes unpacked (each 32 bits, little
///     endian)
///
/// The same bytes give the same member: ISA-L's level 1 was seen to on x86-64 processors with
/// SSE 4.2 and PCLMUL (2010) up to AVX-512; level 3 differs between them. libdeflate's 8 on all.
#pragma once

#include "bundle/bundle.h"
#include "bundle/bytes.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

namespace upaas::bundle {

inline constexpr std::size_t kMemberHeader = 24;
/// What a member may hold when it is to be read at once; a writer aims at a quarter.
inline constexpr std::size_t kMemberMost = std::size_t{4} << 20;

struct MemberSizes {
  std::size_t packed = 0;
  std::size_t unpacked = 0;
};
/// Of the first kMemberHeader bytes of a member; nothing when it does not say them.
[[nodiscard]] std::optional<MemberSizes> member_sizes(std::string_view header);

/// One thread at a time; keep it, its memory costs more than a call.
class MemberPacker {
 public:
  explicit MemberPacker(Compression compression);
  MemberPacker(MemberPacker&&) noexcept;
  MemberPacker& operator=(MemberPacker&&) noexcept;
  ~MemberPacker();
  /// At most kMemberMost bytes as a whole member, valid until the next call.
  [[nodiscard]] std::string_view pack(std::string_view bytes);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

class MemberUnpacker {
 public:
  MemberUnpacker();
  MemberUnpacker(MemberUnpacker&&) noexcept;
  MemberUnpacker& operator=(MemberUnpacker&&) noexcept;
  ~MemberUnpacker();
  /// `member` is exactly one, of these sizes, its checksum right; else false. `out` has its bytes
  /// then.
  [[nodiscard]] bool unpack(std::string_view member, const MemberSizes& sizes, Bytes& out);

 private:
  struct Free;
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace upaas::bundle
