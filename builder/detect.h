/// What an app is, found from its own files, for an app.yaml that does not say. Reads a tree that
/// strangers wrote: follows no link, opens no more than a few small files, runs nothing.
#pragma once

#include "builder/tree_files.h"
#include "model/app_spec.h"

#include <optional>
#include <string>
#include <vector>

namespace upaas::builder {

struct Found {
  std::optional<model::InterpreterName> type;
  model::Settings settings;
  std::optional<std::string> web;  // a command that listens on $PORT
  /// Which file decided what: "python: requirements.txt".
  std::vector<std::string> reasons;
};

/// Languages are looked for in the order ruby, python, php, perl, node, static: the first whose
/// files are there wins, since the later ones often only bring its assets along. `web` of a
/// Procfile is always taken, unless the app.yaml has given one. Nothing found: an empty answer.
/// Error(invalid) when only a package.json could tell, and it has errors or does nothing but build.
[[nodiscard]] Found detect(const TreeFiles& tree, const std::optional<std::string>& web = {});

/// What starts an app whose interpreter is given: `web` of a Procfile, of node also what its
/// package.json starts. No type and no settings.
[[nodiscard]] Found detect_start(const TreeFiles& tree, const model::InterpreterName& type);

}  // namespace upaas::builder
