#include "support.h"

#include "base/clock.h"
#include "base/digest.h"
#include "host/templates.h"
#include "model/app_yaml.h"

#include <catch2/catch.hpp>

#include <sys/stat.h>

#include <algorithm>
#include <chrono>
#include <fstream>

namespace upaas::builder::test {

namespace {

std::vector<int> processes_where(const std::function<bool(const fs::path& directory)>& wanted) {
  std::vector<int> found;
  for (const auto& entry : fs::directory_iterator("/proc")) {
    const std::string name = entry.path().filename().string();
    if (!std::all_of(name.begin(), name.end(), ::isdigit)) continue;
    if (wanted(entry.path())) found.push_back(std::stoi(name));
  }
  return found;
}

std::string text_of(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

Process start_server(const std::string& kind, const fs::path& directory) {
  return Process({"/usr/bin/python3", UPAAS_SOURCE_DIR "/tests/unit/builder/server.py", kind,
                  directory.string(), (directory / "port").string()},
                 {.output = directory / "log"});
}

}  // namespace

void put(const fs::path& path, std::string_view text) {
  fs::create_directories(path.parent_path());
  std::ofstream(path, std::ios::binary) << text;
}

Error error_of(const std::function<void()>& call) {
  try {
    call();
  } catch (const Error& e) {
    return e;
  }
  FAIL("nothing was thrown");
  throw;
}

std::string setting(const Built& built, const std::string& name) {
  const auto found = built.runtime.settings.find(model::SettingName(name));
  return found == built.runtime.settings.end() ? "" : found->second.str();
}

Builds::Builds(std::uint32_t uid) {
  options.work = dir.path() / "work";
  options.uid = {uid};
  options.interpreters = std::make_shared<const model::Interpreters>(
      host::shipped_interpreters(UPAAS_SOURCE_DIR "/templates"));
  options.command_limit = std::chrono::seconds(60);
  progress.on_line = [this](std::string_view line) { lines.emplace_back(line); };
  progress.on_reason = [this](std::string_view line) { reasons.emplace_back(line); };
  progress.on_stage = [this](std::string_view stage) { stages.emplace_back(stage); };
  put(source / "app.py", "def application(environ, start_response):\n    return [b'x']\n");
}

Built Builds::build(std::string_view app_yaml) {
  reasons.clear();
  const model::AppSpec spec = model::read_app_yaml(app_yaml, "app.yaml");
  Request request{
      .app = model::AppName("hello"), .spec = spec, .source_directory = {}, .source_archive = {}};
  if (!spec.repository) request.source_directory = source;
  return builder::build(request, options, output, progress);
}

void Builds::keep() {
  options.cache = dir.path() / "cache";
  options.has_bundle = [this](const model::BundleId& id) {
    return fs::exists(output) && sha256_file(output) == id.str();
  };
}

bool Builds::said(const std::string& text) const {
  return std::any_of(reasons.begin(), reasons.end(), [&](const std::string& reason) {
    return reason.find(text) != std::string::npos;
  });
}

std::string Builds::built(const std::string& path) {
  Command command;
  command.argv = {"/bin/tar", "xzOf", output.string(), path};
  command.env = Environment{{"LC_ALL", "C.UTF-8"}, {"PATH", "/usr/bin:/bin"}};
  const Outcome outcome = run(command);
  INFO(path << ": " << outcome.output);
  REQUIRE(outcome.ok());
  return outcome.stdout_only;
}

bool Builds::left_nothing() const {
  if (fs::exists(output)) return false;
  if (!fs::exists(options.work)) return true;
  return std::all_of(fs::directory_iterator(options.work), fs::directory_iterator(),
                     [](const auto& entry) { return entry.path().filename() == ".lock"; });
}

bool has(const Builds& builds, const std::string& path) {
  const auto entries = bundle::verify(builds.output).entries;
  return std::any_of(entries.begin(), entries.end(),
                     [&](const bundle::Entry& entry) { return entry.path.str() == path; });
}

Repositories::Repositories(const fs::path& directory) : directory_(directory) {
  fs::create_directories(directory_ / "served");
  server_.emplace("git", directory_ / "served");
}

void Repositories::commit(const std::string& name, const std::string& path,
                          const std::string& text) {
  const auto git = [&](const fs::path& cwd, std::vector<std::string> words) {
    Command command;
    command.argv = {"git",
                    "-c",
                    "user.name=t",
                    "-c",
                    "user.email=t@localhost",
                    "-c",
                    "init.defaultBranch=main"};
    command.argv.insert(command.argv.end(), words.begin(), words.end());
    command.cwd = cwd;
    const Outcome outcome = run(command);
    INFO(outcome.output);
    REQUIRE(outcome.ok());
  };
  const fs::path bare = directory_ / "served" / (name + ".git");
  const fs::path work = directory_ / name;
  if (!fs::exists(bare)) {
    git(directory_, {"init", "-q", "--bare", bare.string()});
    git(directory_, {"clone", "-q", bare.string(), work.string()});
  }
  put(work / path, text);
  git(work, {"add", "."});
  git(work, {"commit", "-q", "-m", path});
  git(work, {"push", "-q", "origin", "HEAD:main"});
}

std::string Repositories::url(const std::string& name) const {
  return "git://127.0.0.1:" + std::to_string(server_->port()) + "/" + name + ".git";
}

Server::Server(const std::string& kind, const fs::path& directory)
    : process_(start_server(kind, directory)) {
  const bool ready = wait_until(
      [&] {
        if (!process_.running()) FAIL("server.py ended: " << text_of(directory / "log"));
        return fs::exists(directory / "port");
      },
      std::chrono::seconds(30));
  REQUIRE(ready);
  port_ = std::stoi(text_of(directory / "port"));
}

std::vector<int> processes_of(std::uint32_t uid) {
  return processes_where([&](const fs::path& directory) {
    struct stat info {};
    const bool zombie = text_of(directory / "stat").find(") Z ") != std::string::npos;
    return ::stat(directory.c_str(), &info) == 0 && info.st_uid == uid && !zombie;
  });
}

std::vector<int> processes_naming(const std::string& text) {
  return processes_where([&](const fs::path& directory) {
    return text_of(directory / "cmdline").find(text) != std::string::npos;
  });
}

}  // namespace upaas::builder::test
