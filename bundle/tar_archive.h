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
  Utf8Locale() : own_(::newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr)) {
    if (own_ != nullptr) former_ = ::uselocale(own_);
  }
  ~Utf8Locale() {
    if (own_ == nullptr) return;
    ::uselocale(former_);
    ::freelocale(own_);
  }
  Utf8Locale(const Utf8Locale&) = delete;
  Utf8Locale& operator=(const Utf8Locale&) = delete;

 private:
  locale_t own_;
  locale_t former_ = nullptr;
};

}  // namespace upaas::bundle
