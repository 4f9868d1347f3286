#include "host/templates.h"

#include "base/error.h"
#include "base/files.h"
#include "base/process.h"

#include <string>

namespace upaas::host {

namespace {
constexpr std::size_t kTemplateLimit = std::size_t{64} << 10;
}

std::filesystem::path find_templates() {
  const auto bin = self_program().parent_path();
  for (const auto& candidate :
       {bin.parent_path() / "share/upaas/templates", bin.parent_path() / "templates",
        bin.parent_path().parent_path().parent_path() / "templates"}) {
    if (std::filesystem::is_regular_file(candidate / "vassal.ini")) return candidate;
  }
  throw Error(ErrorKind::config, "the templates are missing beside " + bin.string(),
              "install upaas whole: `cmake --install`");
}

std::string read_template(const std::string& path) {
  return read_file(path, kTemplateLimit);
}

model::Interpreters shipped_interpreters(const std::filesystem::path& templates) {
  const std::string file = templates / "interpreters.yaml";
  model::Interpreters interpreters;
  interpreters.add(*model::parse_yaml(read_template(file), file), read_template);
  return interpreters;
}

}  // namespace upaas::host
