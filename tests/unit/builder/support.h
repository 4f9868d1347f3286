/// Builds in a directory of their own.
#pragma once

#include "base/error.h"
#include "base/files.h"
#include "base/process.h"
#include "builder/builder.h"

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace upaas::builder::test {

namespace fs = std::filesystem;

void put(const fs::path& path, std::string_view text);
/// The error that the call ends with; the test fails when there is none.
Error error_of(const std::function<void()>& call);

struct Builds {
  TempDir dir;
  fs::path source = dir.path() / "source";
  fs::path output = dir.path() / "app.tar.gz";
  Options options;
  Progress progress;
  std::vector<std::string> lines;
  std::vector<std::string> stages;
  std::vector<std::string> reasons;  // of the last build

  /// A source with an `app.py`; builds run as `uid`.
  explicit Builds(std::uint32_t uid = 265'100);
  Built build(std::string_view app_yaml);
  /// From now on a build uses what the former ones left.
  void keep();
  /// Whether the last build gave a reason that holds the text.
  bool said(const std::string& text) const;
  Error failure(std::string_view app_yaml) {
    return error_of([&] { static_cast<void>(build(app_yaml)); });
  }
  /// The text of one file of the bundle; the test fails when it is not there.
  std::string built(const std::string& path);
  /// Neither a bundle nor a work directory.
  bool left_nothing() const;
};

/// Whether the bundle has the path.
bool has(const Builds& builds, const std::string& path);

/// A setting of the runtime; empty when it has none.
std::string setting(const Built& built, const std::string& name);

/// server.py beside this file, on a port of its own.
class Server {
 public:
  Server(const std::string& kind, const fs::path& directory);
  int port() const { return port_; }

 private:
  Process process_;
  int port_ = 0;
};

/// Bare git repositories in a directory, changed by commits and served by a Server("git").
class Repositories {
 public:
  explicit Repositories(const fs::path& directory);
  /// Makes NAME.git when there is none; the file has the text afterwards.
  void commit(const std::string& name, const std::string& path, const std::string& text);
  std::string url(const std::string& name) const;

 private:
  fs::path directory_;
  std::optional<Server> server_;
};

/// Pids on this machine that run as that uid, and those whose arguments hold the text.
std::vector<int> processes_of(std::uint32_t uid);
std::vector<int> processes_naming(const std::string& text);

}  // namespace upaas::builder::test
