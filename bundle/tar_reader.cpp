#include "bundle/tar_reader.h"

#include "base/error.h"
#include "bundle/entry_rules.h"
#include "bundle/gzip_source.h"
#include "bundle/tar_archive.h"
#include "bundle/tar_header.h"

#include <sys/stat.h>

#include <exception>
#include <utility>

namespace upaas::bundle {

namespace {

struct FreeReader {
  void operator()(archive* handle) const { archive_read_free(handle); }
};

/// An exception must not pass through C: it is kept here and thrown again afterwards.
struct Input {
  GzipSource source;
  std::exception_ptr failure;
};

la_ssize_t read_input(archive* handle, void* data, const void** piece) {
  auto& input = *static_cast<Input*>(data);
  try {
    const std::string_view bytes = input.source.next();
    *piece = bytes.data();
    return static_cast<la_ssize_t>(bytes.size());
  } catch (...) {
    input.failure = std::current_exception();
    archive_set_error(handle, -1, "the input failed");
    return -1;
  }
}

void check_nothing_hidden(archive_entry* entry, std::string_view name) {
  if (archive_entry_sparse_count(entry) > 0) throw bad_entry(name, "a sparse file");
  if (archive_entry_xattr_count(entry) > 0) throw bad_entry(name, "it has extended attributes");
  if (archive_entry_acl_types(entry) != 0) throw bad_entry(name, "it has an access list");
  std::size_t metadata = 0;
  static_cast<void>(archive_entry_mac_metadata(entry, &metadata));
  if (archive_entry_fflags_text(entry) != nullptr || metadata != 0) {
    throw bad_entry(name, "it has file flags");
  }
}

TarEntry::Type type_of(archive_entry* entry, std::string_view name) {
  if (archive_entry_hardlink(entry) != nullptr) return TarEntry::Type::hard_link;
  switch (archive_entry_filetype(entry)) {
    case AE_IFREG:
      return TarEntry::Type::file;
    case AE_IFDIR:
      return TarEntry::Type::directory;
    case AE_IFLNK:
      return TarEntry::Type::symlink;
    case AE_IFCHR:
    case AE_IFBLK:
      throw bad_entry(name, "a device");
    case AE_IFIFO:
      throw bad_entry(name, "a fifo");
    case AE_IFSOCK:
      throw bad_entry(name, "a socket");
    default:
      throw bad_entry(name, "neither file, directory nor link");
  }
}

std::string text_or_refuse(const char* text, std::string_view name, std::string_view why) {
  if (text == nullptr) throw bad_entry(name, why);
  return text;
}

TarEntry checked(archive_entry* entry, const Limits& limits) {
  std::string name =
      text_or_refuse(archive_entry_pathname_utf8(entry), "?", "its name is not UTF-8");
  const TarEntry::Type type = type_of(entry, name);
  // Tar writes a directory as "name/".
  if (type == TarEntry::Type::directory && name.size() > 1 && name.back() == '/') name.pop_back();
  TarEntry out{
      .path = check_path(name), .type = type, .executable = false, .size = 0, .target = {}};
  check_nothing_hidden(entry, name);
  const mode_t mode = archive_entry_perm(entry);
  if ((mode & (S_ISUID | S_ISGID | S_ISVTX)) != 0)
    throw bad_entry(name, "setuid, setgid or sticky");
  out.executable = (mode & S_IXUSR) != 0;
  const auto size = archive_entry_size(entry);
  if (size < 0 || static_cast<std::uint64_t>(size) > limits.file_bytes) {
    throw bad_entry(name, "larger than " + std::to_string(limits.file_bytes) + " bytes");
  }
  if (type == TarEntry::Type::file) out.size = static_cast<std::uint64_t>(size);
  if (type != TarEntry::Type::file && size > 0)
    throw bad_entry(name, "not a file, but with content");
  if (type == TarEntry::Type::symlink) {
    out.target = text_or_refuse(archive_entry_symlink_utf8(entry), name, "a link to nothing");
    check_link(out.path, out.target);
  } else if (type == TarEntry::Type::hard_link) {
    out.target = text_or_refuse(archive_entry_hardlink_utf8(entry), name, "a link to nothing");
  }
  return out;
}

}  // namespace

struct TarReader::State {
  State(const std::filesystem::path& file, const Limits& bounds)
      : input{GzipSource(file, bounds), nullptr}, limits(bounds), handle(archive_read_new()) {}

  /// Throws for every result but ARCHIVE_OK: a warning of libarchive means that something was
  /// different from what it shows.
  void check(int result) {
    if (result == ARCHIVE_OK) return;
    if (input.failure) std::rethrow_exception(input.failure);
    throw Error(ErrorKind::invalid, "the bundle is not a tar archive: " + reason(handle.get()));
  }
  void check_end();

  Utf8Locale locale;
  Input input;
  Limits limits;
  std::unique_ptr<archive, FreeReader> handle;
  archive_entry* entry = nullptr;
  std::uint64_t size = 0;      // of the current file
  std::uint64_t data_end = 0;  // where the content of the last entry ended
};

TarReader::TarReader(const std::filesystem::path& file, const Limits& limits)
    : state_(std::make_unique<State>(file, limits)) {
  State& s = *state_;
  s.check(archive_read_support_filter_none(s.handle.get()));
  s.check(archive_read_support_format_tar(s.handle.get()));
  s.check(archive_read_set_options(s.handle.get(), "hdrcharset=UTF-8"));
  s.check(archive_read_open(s.handle.get(), &s.input, nullptr, read_input, nullptr));
}

TarReader::TarReader(TarReader&&) noexcept = default;
TarReader::~TarReader() = default;

void TarReader::read_ahead(const std::function<bool(std::size_t member)>& wanted) {
  state_->input.source.read_ahead(wanted);
}

std::size_t TarReader::members_left() const {
  return state_->input.source.members_left();
}

/// After the last entry there are zeros alone, and at least the end marker.
void TarReader::State::check_end() {
  while (!input.source.next().empty()) {
  }
  if (input.source.nonzero_end() > data_end) {
    throw Error(ErrorKind::invalid, "something follows the end of the bundle's archive");
  }
  if (input.source.unpacked() < in_blocks(data_end) + kTarEnd) {
    throw Error(ErrorKind::invalid, "the bundle's archive has no end: it was cut off");
  }
}

std::optional<TarEntry> TarReader::next() {
  State& s = *state_;
  const int result = archive_read_next_header(s.handle.get(), &s.entry);
  if (result == ARCHIVE_EOF) {
    if (s.input.failure) std::rethrow_exception(s.input.failure);
    s.check_end();
    return std::nullopt;
  }
  s.check(result);
  TarEntry entry = checked(s.entry, s.limits);
  s.size = entry.size;
  s.data_end = static_cast<std::uint64_t>(archive_filter_bytes(s.handle.get(), 0));
  return entry;
}

void TarReader::data(const std::function<void(std::string_view piece)>& take) {
  State& s = *state_;
  std::uint64_t got = 0;
  while (true) {
    const void* piece = nullptr;
    std::size_t length = 0;
    la_int64_t offset = 0;
    const int result = archive_read_data_block(s.handle.get(), &piece, &length, &offset);
    if (result == ARCHIVE_EOF) break;
    s.check(result);
    if (offset != static_cast<la_int64_t>(got) || got + length > s.size) {
      throw Error(ErrorKind::invalid, "the bundle holds a file with gaps");
    }
    got += length;
    take({static_cast<const char*>(piece), length});
  }
  if (got != s.size) throw Error(ErrorKind::invalid, "the bundle holds a file that is cut off");
  s.data_end = static_cast<std::uint64_t>(archive_filter_bytes(s.handle.get(), 0));
}

}  // namespace upaas::bundle
