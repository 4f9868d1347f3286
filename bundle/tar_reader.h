/// The entries of a foreign .tar.gz, one after the other, each checked before it is returned: type,
/// name, modes, link, size, and nothing hidden (sparse maps, extended attributes, access lists,
/// flags). What concerns several entries (duplicates, parents, the manifest) is SafeReader's. One
/// thread; throws Error(invalid) that names the entry.
#pragma once

#include "bundle/bundle.h"
#include "model/names.h"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace upaas::bundle {

struct TarEntry {
  enum class Type { file, directory, symlink, hard_link };
  model::TreePath path;
  Type type = Type::file;
  bool executable = false;
  std::uint64_t size = 0;  // file
  std::string target;      // symlink: as written; hard_link: the path of a former entry
};

class TarReader {
 public:
  TarReader(const std::filesystem::path& file, const Limits& limits);
  TarReader(TarReader&&) noexcept;
  ~TarReader();

  /// As GzipSource's: what is left out must be whole entries.
  void read_ahead(const std::function<bool(std::size_t member)>& wanted);
  [[nodiscard]] std::size_t members_left() const;
  /// Nothing at the end, once the archive was seen to end properly.
  [[nodiscard]] std::optional<TarEntry> next();
  /// The bytes of the file that `next` returned; exactly `size` of them or an Error.
  void data(const std::function<void(std::string_view piece)>& take);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace upaas::bundle
