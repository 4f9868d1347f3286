/// Internal to router-sub.
#pragma once

#include "base/files.h"

#include <filesystem>
#include <string>

namespace upaas::router_sub {

/// Writes the file unless it has this text already: what others read or watch changes only for a
/// reason.
inline void write_if_other(const std::filesystem::path& path, const std::string& text,
                           WriteOptions options) {
  if (read_file_if_any(path) != text) {
    write_file(path, text, options);
  }
}

}  // namespace upaas::router_sub
