#include "bundle/pack_files.h"

#include "base/digest.h"
#include "base/error.h"
#include "base/files.h"
#include "bundle/beneath.h"
#include "bundle/entry_rules.h"

#include <fcntl.h>
#include <sys/stat.h>

namespace upaas::bundle {

namespace {

UniqueFd open_regular(int root, const std::string& path) {
  // O_NONBLOCK: a fifo that took the file's place would hold us for ever.
  UniqueFd fd = open_beneath(root, path, O_RDONLY | O_NONBLOCK);
  struct stat info {};
  if (::fstat(fd.get(), &info) != 0) throw system_error("stat " + path);
  if (!S_ISREG(info.st_mode)) throw bad_entry(path, "it changed while it was packed");
  return fd;
}

void write_one(int root, const Entry& entry, TarWriter& writer, std::string& buffer) {
  const std::string& path = entry.path.str();
  const UniqueFd fd = open_regular(root, path);
  Sha256 digest;
  std::uint64_t size = 0;
  writer.file(entry.path, entry.executable, entry.size);
  while (read_piece(fd.get(), buffer, path)) {
    size += buffer.size();
    if (size > entry.size) break;
    digest.update(buffer);
    writer.data(buffer);
  }
  if (size != entry.size || digest.hex() != entry.sha256) {
    throw bad_entry(path, "it changed while it was packed")
        .with_hint("pack it again when nothing writes to it");
  }
}

}  // namespace

void check_size(const std::string& path, std::uint64_t size, std::uint64_t total,
                const Limits& limits) {
  if (size <= limits.file_bytes && total <= limits.total_bytes) return;
  throw bad_entry(path, "too large: a file may have " + std::to_string(limits.file_bytes) +
                            " bytes, all together " + std::to_string(limits.total_bytes))
      .with_hint("leave it out of the source with .upaasignore, or remove it in an action");
}

void hash_files(int root, std::vector<Entry>& entries, const Limits& limits) {
  std::uint64_t total = 0;
  std::string buffer;
  for (Entry& entry : entries) {
    if (entry.type != Entry::Type::file) continue;
    const std::string& path = entry.path.str();
    const UniqueFd fd = open_regular(root, path);
    Sha256 digest;
    while (read_piece(fd.get(), buffer, path)) {
      digest.update(buffer);
      entry.size += buffer.size();
      check_size(path, entry.size, total + entry.size, limits);
    }
    total += entry.size;
    entry.sha256 = digest.hex();
  }
}

void write_entries(int root, const std::vector<Entry>& entries, TarWriter& writer) {
  std::string buffer;
  for (const Entry& entry : entries) {
    switch (entry.type) {
      case Entry::Type::directory:
        writer.directory(entry.path);
        break;
      case Entry::Type::symlink:
        writer.symlink(entry.path, entry.target);
        break;
      case Entry::Type::file:
        write_one(root, entry, writer, buffer);
        break;
    }
  }
}

}  // namespace upaas::bundle
