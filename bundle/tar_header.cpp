#include "bundle/tar_header.h"

#include "base/error.h"
#include "bundle/tar_archive.h"

#include <algorithm>

namespace upaas::bundle {

namespace {

struct FreeWriter {
  void operator()(archive* handle) const {
    // Without this, freeing would write what is missing of the content.
    archive_write_fail(handle);
    archive_write_free(handle);
  }
};

la_ssize_t append(archive* handle, void* data, const void* bytes, std::size_t length) try {
  static_cast<std::string*>(data)->append(static_cast<const char*>(bytes), length);
  return static_cast<la_ssize_t>(length);
} catch (...) {
  archive_set_error(handle, -1, "no memory");
  return -1;
}

EntryHandle described(const Entry& entry) {
  EntryHandle made(archive_entry_new());
  archive_entry_set_pathname_utf8(made.get(), entry.path.str().c_str());
  archive_entry_set_mtime(made.get(), 0, 0);
  archive_entry_set_uid(made.get(), 0);
  archive_entry_set_gid(made.get(), 0);
  archive_entry_set_size(made.get(), 0);
  switch (entry.type) {
    case Entry::Type::directory:
      archive_entry_set_filetype(made.get(), AE_IFDIR);
      archive_entry_set_perm(made.get(), 0755);
      break;
    case Entry::Type::symlink:
      archive_entry_set_filetype(made.get(), AE_IFLNK);
      archive_entry_set_perm(made.get(), 0777);
      archive_entry_set_symlink_utf8(made.get(), entry.target.c_str());
      break;
    case Entry::Type::file:
      archive_entry_set_filetype(made.get(), AE_IFREG);
      archive_entry_set_perm(made.get(), entry.executable ? 0755 : 0644);
      archive_entry_set_size(made.get(), static_cast<la_int64_t>(entry.size));
      break;
  }
  return made;
}

bool fits_ustar(const std::string& text) {
  // The name field of a header; POSIX ustar.
  constexpr std::size_t kNameField = 100;
  return text.size() < kNameField && std::all_of(text.begin(), text.end(), [](char c) {
           return static_cast<unsigned char>(c) < 0x80;
         });
}

}  // namespace

void append_tar_header(const Entry& entry, std::string& out) {
  const Utf8Locale locale;
  const std::unique_ptr<archive, FreeWriter> handle(archive_write_new());
  const auto check = [&](int result) {
    if (result != ARCHIVE_OK) {
      throw Error(ErrorKind::internal, "pack " + entry.path.str() + ": " + reason(handle.get()));
    }
  };
  check(archive_write_set_format_pax_restricted(handle.get()));
  check(archive_write_set_bytes_per_block(handle.get(), 0));  // straight to `append`
  check(archive_write_open(handle.get(), &out, nullptr, append, nullptr));
  check(archive_write_header(handle.get(), described(entry).get()));
}

std::uint64_t tar_header_estimate(const Entry& entry) {
  if (fits_ustar(entry.path.str()) && fits_ustar(entry.target)) return kTarBlock;
  // A pax header, its records ("length key=value") and the header proper.
  constexpr std::uint64_t kRecords = 256;
  return 2 * kTarBlock + in_blocks(entry.path.str().size() + entry.target.size() + kRecords);
}

}  // namespace upaas::bundle
