/// Source + AppSpec -> bundle. Stages, named and timed: prepare, interpreter, source, files, setup,
/// finalize, pack. Every command of the user runs in the sandbox, as a build uid, with a time
/// limit, its output streamed line by line. The result is one file; a failed or killed build leaves
/// nothing.
///
/// Order within setup (upaas 2014): before, main, after. Without `actions.setup.main` a python app
/// with a non-empty requirements.txt gets a venv at .upaas/venv and `pip install -r
/// requirements.txt`.
/// `%destination%` in `repository.clone` becomes /home/app. `UPAAS_FRESH_PACKAGE=true` is set.
#pragma once

#include "base/process.h"
#include "bundle/bundle.h"
#include "model/app_spec.h"
#include "model/release.h"
#include "model/units.h"

#include <chrono>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

namespace upaas::builder {

struct Options {
  /// Builds happen below it, each in a directory of its own that is gone afterwards.
  std::filesystem::path work;
  model::Uid uid;  // the build user
  std::chrono::milliseconds command_limit = std::chrono::seconds(600);
  std::chrono::milliseconds total_limit = std::chrono::minutes(60);
  /// Registry settings and CA files of this machine (`build.env`, `build.files`: host path -> path
  /// inside).
  Environment env;
  std::map<std::filesystem::path, std::filesystem::path> files;
};

struct Request {
  model::AppName app;
  model::AppSpec spec;
  /// The source directory (read only; copied with the ignore rules applied), or a source archive;
  /// absent when the spec has a repository.
  std::optional<std::filesystem::path> source_directory;
  std::optional<std::filesystem::path> source_archive;
};

struct Stage {
  std::string name;
  double seconds = 0;
};

struct Built {
  bundle::Packed packed;
  model::Runtime runtime;
  std::vector<Stage> stages;
};

struct Progress {
  std::function<void(std::string_view stage)> on_stage;
  /// After `on_stage`, when that stage has ended.
  std::function<void(const Stage& stage, bool failed)> on_stage_end;
  std::function<void(std::string_view line)> on_line;
  std::stop_token stop;
};

/// Writes the bundle to `output`. Error(build_failed) at step "build": names the stage and the
/// command, carries its last 20 lines. Error(invalid) for what the spec or the source cannot be
/// (module file missing, python version not on this machine). Error(interrupted) on stop.
[[nodiscard]] Built build(const Request& request, const Options& options,
                          const std::filesystem::path& output, const Progress& progress);

/// Removes what builds left below `work` when the process died.
void clean_up(const std::filesystem::path& work);

}  // namespace upaas::builder
