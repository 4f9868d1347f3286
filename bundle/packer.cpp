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
void read_behind(int fd, std::uint64_t offset, std::uint64_t length, std::string& to,
                 const std::string& path) {
  const std::size_t before = to.size();
  to.resize(before + static_cast<std::size_t>(length));
  const auto wanted = static_cast<std::size_t>(length);
  if (read_at(fd, offset, to.data() + before, wanted, path) != wanted) throw changed(path);
}

void fill_block(std::string& tar, std::uint64_t content) {
  tar.append(static_cast<std::size_t>(in_blocks(content) - content), '\0');
}

std::string digest_of(std::string_view bytes) {
  Sha256 digest;
  digest.update(bytes);
  return digest.hex();
}

/// What one member is made in, used again for others.
struct Slot {
  std::optional<MemberPacker> packer;
  std::string tar;
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
    slot.member = slot.packer->pack(slot.tar);
  }

  void add_whole(Entry& entry, std::string& tar) {
    append_tar_header(entry, tar);
    if (entry.type != Entry::Type::file) return;
    const std::size_t content = tar.size();
    if (entry.size > 0) {
      const UniqueFd fd = open_regular(root_, entry);
      read_behind(fd.get(), 0, entry.size, tar, entry.path.str());
    }
    entry.sha256 = digest_of(std::string_view(tar).substr(content));
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
    digest->update(std::string_view(slot.tar).substr(slot.content_at, unit.length));
    if (unit.offset + unit.length == entry.size) entry.sha256 = digest->hex();
  }

  int root_;
  std::vector<Entry>& entries_;
  const PackOptions& options_;
  std::vector<PackUnit> units_;
};

}  // namespace

void BundleOutput::write(std::string_view bytes) {
  digest_.update(bytes);
  file_.write(bytes);
  bytes_ += bytes.size();
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
  std::string tar;
  append_tar_header({.path = path,
                     .type = Entry::Type::file,
                     .executable = false,
                     .size = content.size(),
                     .sha256 = {},
                     .target = {}},
                    tar);
  tar += content;
  fill_block(tar, content.size());
  MemberPacker packer(options.compression);
  for (std::string_view rest = tar; !rest.empty();) {
    const std::string_view piece = rest.substr(0, kMemberAim);
    take(packer.pack(piece));
    rest.remove_prefix(piece.size());
  }
  return tar.size();
}

void hash_files(int root, std::vector<Entry>& entries, const PackOptions& options) {
  const std::vector<PackUnit> units = plan_members(entries);
  struct Buffer {
    std::string bytes;
  };
  Ordered<Buffer> work(units.size(), options.threads, [&](std::size_t index, Buffer& buffer) {
    const PackUnit& unit = units[index];
    check_stop(options.stop);
    if (unit.piece && unit.offset > 0) return;
    for (std::size_t at = unit.first; at < unit.last; ++at) {
      Entry& entry = entries[at];
      if (entry.type != Entry::Type::file) continue;
      const UniqueFd fd = open_regular(root, entry);
      Sha256 digest;
      for (std::uint64_t got = 0; got < entry.size; got += buffer.bytes.size()) {
        check_stop(options.stop);
        buffer.bytes.clear();
        read_behind(fd.get(), got, std::min(kMemberAim, entry.size - got), buffer.bytes,
                    entry.path.str());
        digest.update(buffer.bytes);
      }
      entry.sha256 = digest.hex();
    }
  });
  while (work.next() != nullptr) {
  }
}

}  // namespace upaas::bundle
