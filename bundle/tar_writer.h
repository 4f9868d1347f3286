/// Writes a .tar.gz whose bytes depend on nothing but the entries given, in their order. Written
/// atomically: without `finish` there is no file. One thread; throws Error(internal).
#pragma once

#include "bundle/bundle.h"
#include "model/names.h"

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string_view>

namespace upaas::bundle {

class TarWriter {
 public:
  explicit TarWriter(const std::filesystem::path& output);
  ~TarWriter();

  /// Exactly `size` bytes must follow through `data`.
  void file(const model::TreePath& path, bool executable, std::uint64_t size);
  void data(std::string_view piece);
  void directory(const model::TreePath& path);
  void symlink(const model::TreePath& path, std::string_view target);

  /// Puts the file in place. Error(invalid), and no file, when its content is so uniform that a
  /// reader with these limits would take it for a decompression bomb.
  [[nodiscard]] Packed finish(const Limits& limits);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace upaas::bundle
