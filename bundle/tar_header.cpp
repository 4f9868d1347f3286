#include "bundle/tar_header.h"

#include "base/error.h"
#include "bundle/tar_archive.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>

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
  static_cast<Bytes*>(data)->append({static_cast<const char*>(bytes), length});
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

bool fits_ustar(const Entry& entry) {
  constexpr std::uint64_t kSizeField = std::uint64_t{1} << 33;  // eleven octal digits
  return fits_ustar(entry.path.str()) && fits_ustar(entry.target) && entry.size < kSizeField;
}

// POSIX ustar: where a field of a header begins.
constexpr std::size_t kMode = 100;
constexpr std::size_t kSize = 124;
constexpr std::size_t kChecksum = 148;
constexpr std::size_t kType = 156;
constexpr std::size_t kLink = 157;

void put(std::span<char> header, std::size_t at, std::string_view text) {
  std::copy(text.begin(), text.end(), header.begin() + static_cast<std::ptrdiff_t>(at));
}

void put_octal(std::span<char> header, std::size_t at, std::size_t digits, std::uint64_t value) {
  for (std::size_t left = digits; left > 0; --left, value >>= 3) {
    header[at + left - 1] = static_cast<char>('0' + (value & 7));
  }
}

/// Nothing in it is of this entry: 0644, owner and time 0, an empty file.
std::array<char, kTarBlock> bare_header() {
  std::array<char, kTarBlock> header{};
  put(header, kMode, "000644 ");
  put(header, 108, "000000 ");  // uid
  put(header, 116, "000000 ");  // gid
  put(header, kSize, "00000000000 ");
  put(header, 136, "00000000000 ");  // mtime
  put(header, kChecksum, "        ");
  put(header, kType, "0");
  put(header, 257, std::string_view("ustar\00000", 8));
  put(header, 329, "000000 ");  // device, major
  put(header, 337, "000000 ");  // and minor
  return header;
}

void fill_in(const Entry& entry, std::span<char> header) {
  const std::string& path = entry.path.str();
  put(header, 0, path);
  if (entry.type == Entry::Type::directory) put(header, path.size(), "/");
  if (entry.type == Entry::Type::directory || entry.executable) put(header, kMode, "000755");
  if (entry.type == Entry::Type::directory) put(header, kType, "5");
  if (entry.type == Entry::Type::symlink) {
    put(header, kMode, "000777");
    put(header, kType, "2");
    put(header, kLink, entry.target);
  } else if (entry.type == Entry::Type::file) {
    put_octal(header, kSize, 11, entry.size);
  }
  unsigned sum = 0;  // with its own field blank
  for (const char byte : header) sum += static_cast<unsigned char>(byte);
  put_octal(header, kChecksum, 6, sum);
  put(header, kChecksum + 6, std::string_view("\0 ", 2));
}

}  // namespace

void append_tar_header(const Entry& entry, Bytes& out) {
  if (!fits_ustar(entry)) {
    append_archive_header(entry, out);
    return;
  }
  static const std::array<char, kTarBlock> bare = bare_header();
  std::array<char, kTarBlock> header = bare;
  fill_in(entry, header);
  out.append({header.data(), header.size()});
}

void append_archive_header(const Entry& entry, Bytes& out) {
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
  if (fits_ustar(entry)) return kTarBlock;
  // A pax header, its records ("length key=value") and the header proper.
  constexpr std::uint64_t kRecords = 256;
  return 2 * kTarBlock + in_blocks(entry.path.str().size() + entry.target.size() + kRecords);
}

}  // namespace upaas::bundle
