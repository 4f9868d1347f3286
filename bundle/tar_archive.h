/// What the tar reader and the tar writer share; for their .cpp files (libarchive stays in there).
#pragma once

#include <archive.h>
#include <archive_entry.h>

#include <clocale>
#include <memory>
#include <string>

namespace upaas::bundle {

struct FreeEntry {
  void operator()(archive_entry* entry) const { archive_entry_free(entry); }
};
using EntryHandle = std::unique_ptr<archive_entry, FreeEntry>;

/// libarchive may fail without a text.
[[nodiscard]] inline std::string reason(archive* handle) {
  const char* text = archive_error_string(handle);
  return text == nullptr ? "it is damaged or cut off" : text;
}

/// While it lives, this thread's characters are UTF-8: libarchive converts names through the locale
/// and loses them in the "C" one.
class Utf8Locale {
 public:
  Utf8Locale() {
    if (utf8() != nullptr) former_ = ::uselocale(utf8());
  }
  ~Utf8Locale() {
    if (utf8() != nullptr) ::uselocale(former_);
  }
  Utf8Locale(const Utf8Locale&) = delete;
  Utf8Locale& operator=(const Utf8Locale&) = delete;

 private:
  /// Made once for all threads: it is read from a file.
  static locale_t utf8() {
    static const locale_t made = ::newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr);
    return made;
  }
  locale_t former_ = nullptr;
};

}  // namespace upaas::bundle
