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

void write_one(int root, const Entry& entry, TarWriter& writer, std::string& buffer,
               const std::stop_token& stop) {
  const std::string& path = entry.path.str();
  const UniqueFd fd = open_regular(root, path);
  Sha256 digest;
  std::uint64_t size = 0;
  writer.file(entry.path, entry.executable, entry.size);
  while (read_piece(fd.get(), buffer, path, stop)) {
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

void hash_files(int root, std::vector<Entry>& entries, const Limits& limits,
                const std::stop_token& stop) {
  std::uint64_t total = 0;
  std::string buffer;
  for (Entry& entry : entries) {
    if (entry.type != Entry::Type::file) continue;
    const std::string& path = entry.path.str();
    const UniqueFd fd = open_regular(root, path);
    Sha256 digest;
    while (read_piece(fd.get(), buffer, path, stop)) {
      digest.update(buffer);
      entry.size += buffer.size();
      if (entry.size > limits.file_bytes || total + entry.size > limits.total_bytes) {
        throw bad_entry(path, "too large: a file may have " + std::to_string(limits.file_bytes) +
                                  " bytes, all together " + std::to_string(limits.total_bytes));
      }
    }
    total += entry.size;
    entry.sha256 = digest.hex();
  }
}

void write_entries(int root, const std::vector<Entry>& entries, TarWriter& writer,
                   const std::stop_token& stop) {
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
        write_one(root, entry, writer, buffer, stop);
        break;
    }
  }
}

}  // namespace upaas::bundle
