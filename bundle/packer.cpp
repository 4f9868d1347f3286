#include "bundle/packer.h"

#include "base/error.h"
#include "base/ordered.h"
#include "bundle/beneath.h"
#include "bundle/entry_rules.h"
#include "bundle/gzip_member.h"
#include "bundle/member_index.h"
#include "bundle/pack_plan.h"
#include "bundle/tar_header.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <optional>
#include <string>

namespace upaas::bundle {

namespace {

constexpr const char* kSpool = "the packed files";
constexpr std::uint64_t kCopied = std::uint64_t{256} << 10;  // at once

Error changed(const std::string& path) {
  return bad_entry(path, "it changed while it was packed")
      .with_hint("pack it again when nothing writes to it");
}

UniqueFd open_regular(int root, const Entry& entry) {
  const std::string& path = entry.path.str();
  // O_NONBLOCK: a fifo that took the file's place would hold us for ever.
  UniqueFd fd = open_beneath(root, path, O_RDONLY | O_NONBLOCK);
  struct stat info {};
  if (::fstat(fd.get(), &info) != 0) throw system_error("stat " + path);
  if (!S_ISREG(info.st_mode) || static_cast<std::uint64_t>(info.st_size) != entry.size) {
    throw changed(path);
  }
  return fd;
}

/// Exactly `length` bytes from `offset`, put behind what `to` holds.
void read_behind(int fd, std::uint64_t offset, std::uint64_t length, Bytes& to,
                 const std::string& path) {
  const auto wanted = static_cast<std::size_t>(length);
  if (read_at(fd, offset, to.grow(wanted), wanted, path) != wanted) throw changed(path);
}

void fill_block(Bytes& tar, std::uint64_t content) {
  tar.append_zeros(static_cast<std::size_t>(in_blocks(content) - content));
}

/// What one member is made in, used again for others.
struct Slot {
  std::optional<MemberPacker> packer;
  Bytes tar;
  std::size_t content_at = 0;  // of a piece, in `tar`
  std::string_view member;
};

class Packer {
 public:
  Packer(int root, std::vector<Entry>& entries, const PackOptions& options)
      : root_(root), entries_(entries), options_(options), units_(plan_members(entries)) {}

  std::uint64_t run(const std::function<void(std::string_view)>& take) {
    Ordered<Slot> work(units_.size(), options_.threads,
                       [&](std::size_t index, Slot& slot) { make(units_[index], slot); });
    std::uint64_t bytes = 0;
    std::optional<Sha256> digest;  // of the file whose pieces come
    for (const PackUnit& unit : units_) {
      const Slot& slot = *work.next();
      if (unit.piece) hash_piece(unit, slot, digest);
      bytes += slot.tar.size();
      take(slot.member);
    }
    return bytes;
  }

 private:
  void make(const PackUnit& unit, Slot& slot) {
    check_stop(options_.stop);
    slot.tar.clear();
    if (unit.piece) {
      add_piece(unit, slot);
    } else {
      for (std::size_t at = unit.first; at < unit.last; ++at) add_whole(entries_[at], slot.tar);
    }
    if (!slot.packer) slot.packer.emplace(options_.compression);
    slot.member = slot.packer->pack(slot.tar.view());
  }

  void add_whole(Entry& entry, Bytes& tar) {
    append_tar_header(entry, tar);
    if (entry.type != Entry::Type::file) return;
    const std::size_t content = tar.size();
    if (entry.size > 0) {
      const UniqueFd fd = open_regular(root_, entry);
      read_behind(fd.get(), 0, entry.size, tar, entry.path.str());
    }
    entry.sha256 = sha256(tar.view().substr(content));
    fill_block(tar, entry.size);
  }

  void add_piece(const PackUnit& unit, Slot& slot) {
    const Entry& entry = entries_[unit.first];
    const UniqueFd fd = open_regular(root_, entry);
    if (unit.offset == 0) append_tar_header(entry, slot.tar);
    slot.content_at = slot.tar.size();
    read_behind(fd.get(), unit.offset, unit.length, slot.tar, entry.path.str());
    if (unit.offset + unit.length == entry.size) fill_block(slot.tar, entry.size);
  }

  void hash_piece(const PackUnit& unit, const Slot& slot, std::optional<Sha256>& digest) {
    Entry& entry = entries_[unit.first];
    if (unit.offset == 0) digest.emplace();
    digest->update(slot.tar.view().substr(slot.content_at, unit.length));
    if (unit.offset + unit.length == entry.size) entry.sha256 = digest->hex();
  }

  int root_;
  std::vector<Entry>& entries_;
  const PackOptions& options_;
  std::vector<PackUnit> units_;
};

}  // namespace

Spool::Spool(const std::filesystem::path& directory)
    : fd_(::open(directory.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600)) {
  if (!fd_.valid()) throw system_error("make a file in " + directory.string());
}

void Spool::write(std::string_view bytes) {
  write_at(fd_.get(), size_, bytes, kSpool);
  size_ += bytes.size();
}

void Spool::read(std::uint64_t offset, char* to, std::size_t length) const {
  if (read_at(fd_.get(), offset, to, length, kSpool) == length) return;
  throw Error(ErrorKind::internal, "read " + std::string(kSpool) + ": they end too early");
}

BundleOutput::BundleOutput(const std::filesystem::path& path) : file_(path), name_(path.string()) {}

void BundleOutput::write(std::string_view bytes) {
  digest_.update(bytes);
  write_at(file_.fd(), bytes_, bytes, name_);
  bytes_ += bytes.size();
}

void BundleOutput::copy(const Spool& spool, const PackOptions& options) {
  const std::uint64_t size = spool.size();
  const std::uint64_t begin = bytes_;
  const auto count = static_cast<std::size_t>((size + kCopied - 1) / kCopied);
  Ordered<Bytes> work(count, options.threads, [&](std::size_t index, Bytes& piece) {
    check_stop(options.stop);
    const std::uint64_t offset = index * kCopied;
    const auto length = static_cast<std::size_t>(std::min(kCopied, size - offset));
    piece.clear();
    spool.read(offset, piece.grow(length), length);
    write_at(file_.fd(), begin + offset, piece.view(), name_);
  });
  while (const Bytes* piece = work.next()) {
    digest_.update(piece->view());
    bytes_ += piece->size();
  }
}

Packed BundleOutput::finish(std::uint64_t unpacked, std::size_t entries,
                            const PackOptions& options) {
  MemberPacker packer(options.compression);
  write(packer.pack(std::string(kTarEnd, '\0')));
  if (is_bomb(unpacked, bytes_, options.limits)) {
    throw Error(ErrorKind::invalid,
                "the files shrink to less than 1/" + std::to_string(options.limits.ratio) +
                    " when packed, as only decompression bombs do",
                "leave out files that hold nothing but padding");
  }
  file_.commit();
  return {model::BundleId(digest_.hex()), bytes_, entries};
}

std::uint64_t pack_entries(int root, std::vector<Entry>& entries, const PackOptions& options,
                           const std::function<void(std::string_view member)>& take) {
  return Packer(root, entries, options).run(take);
}

std::uint64_t pack_text(const model::TreePath& path, std::string_view content,
                        const PackOptions& options,
                        const std::function<void(std::string_view member)>& take) {
  Bytes tar;
  append_tar_header({.path = path,
                     .type = Entry::Type::file,
                     .executable = false,
                     .size = content.size(),
                     .sha256 = {},
                     .target = {}},
                    tar);
  tar.append(content);
  fill_block(tar, content.size());
  MemberPacker packer(options.compression);
  for (std::string_view rest = tar.view(); !rest.empty();) {
    const std::string_view piece = rest.substr(0, kMemberAim);
    take(packer.pack(piece));
    rest.remove_prefix(piece.size());
  }
  return tar.size();
}

void hash_files(int root, std::vector<Entry>& entries, const PackOptions& options) {
  const std::vector<PackUnit> units = plan_members(entries);
  Ordered<Bytes> work(units.size(), options.threads, [&](std::size_t index, Bytes& buffer) {
    const PackUnit& unit = units[index];
    check_stop(options.stop);
    if (unit.piece && unit.offset > 0) return;
    for (std::size_t at = unit.first; at < unit.last; ++at) {
      Entry& entry = entries[at];
      if (entry.type != Entry::Type::file) continue;
      const UniqueFd fd = open_regular(root, entry);
      Sha256 digest;
      for (std::uint64_t got = 0; got < entry.size; got += buffer.size()) {
        check_stop(options.stop);
        buffer.clear();
        read_behind(fd.get(), got, std::min(kMemberAim, entry.size - got), buffer,
                    entry.path.str());
        digest.update(buffer.view());
      }
      entry.sha256 = digest.hex();
    }
  });
  while (work.next() != nullptr) {
  }
}

}  // namespace upaas::bundle
