/// Generated text is compared with a file of the repository, so that a change of it shows in the
/// diff. `UPAAS_GOLDEN=accept ctest` writes the file anew.
#pragma once

#include <catch2/catch.hpp>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <string_view>

namespace upaas::test {

/// `file` is relative to the root of the repository: "tests/golden/app.schema.json".
inline void check_golden(const std::string& file, std::string_view text) {
  const std::filesystem::path path = std::filesystem::path(UPAAS_SOURCE_DIR) / file;
  if (const char* mode = std::getenv("UPAAS_GOLDEN");
      mode != nullptr && std::string_view(mode) == "accept") {
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path, std::ios::binary) << text;
    return;
  }
  std::ifstream stream(path, std::ios::binary);
  std::stringstream golden;
  golden << stream.rdbuf();
  INFO("UPAAS_GOLDEN=accept rewrites " << file);
  CHECK(golden.str() == text);
}

}  // namespace upaas::test
