/// Log files of programs that run on. Internal.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

namespace upaas::router_sub {

/// Renames a file longer than `limit` to FILE.1 (an older one goes): its writer must open it anew.
bool rotate(const std::filesystem::path& file, std::size_t limit);
/// The same for a writer that never opens it anew and appends: copies, then empties it.
void cut(const std::filesystem::path& file, std::size_t limit);
/// The newest lines; none when there is no file.
[[nodiscard]] std::vector<std::string> last_lines(const std::filesystem::path& file,
                                                  std::size_t count);

}  // namespace upaas::router_sub
