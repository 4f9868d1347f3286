/// Releases and instances for tests of what runs them: small values with what the test names
/// changed.
#pragma once

#include "base/digest.h"
#include "deployer/deployer.h"
#include "host/templates.h"

#include <filesystem>
#include <fstream>
#include <string>

namespace upaas::test {

inline void put(const std::filesystem::path& file, const std::string& text) {
  std::filesystem::create_directories(file.parent_path());
  std::ofstream(file, std::ios::binary) << text;
}

inline deployer::Start start_of(const std::string& app, model::Runtime runtime,
                                const std::string& suffix, int release = 1) {
  const model::AppName name(app);
  const model::ReleaseId id{release};
  return {.instance = {.id = model::InstanceId(name, id, suffix),
                       .backend = model::BackendName("here"),
                       .wanted = model::Wanted::held,
                       .uid = model::Uid{254001},
                       .port = {},
                       .workers = 1,
                       .memory = {128},
                       .created = WallTime()},
          .release = {.app = name,
                      .id = id,
                      .bundle = model::BundleId(sha256(app)),
                      .spec = {},
                      .runtime = std::move(runtime),
                      .created = WallTime(),
                      .by = "root"},
          .domains = {model::Domain(app + ".localhost")}};
}

inline void set(model::Runtime& runtime, const std::string& name, const std::string& value) {
  runtime.settings.insert_or_assign(model::SettingName(name), model::PlainText(value));
}
inline model::Runtime python(const std::string& module = "app") {
  model::Runtime runtime{.name = model::InterpreterName("python"), .version = "3.11"};
  set(runtime, "module", module);
  return runtime;
}
inline model::Runtime static_site() {
  return {.name = model::InterpreterName("static")};
}
inline model::Runtime web(const std::string& command) {
  return {.web = command};
}

/// Those that upaas brings along.
inline std::shared_ptr<const model::Interpreters> interpreters() {
  return std::make_shared<const model::Interpreters>(
      host::shipped_interpreters(UPAAS_SOURCE_DIR "/templates"));
}

}  // namespace upaas::test
