/// Which app a command is about, and its app.yaml.
#pragma once

#include "cli/context.h"
#include "model/app_spec.h"
#include "model/interpreters.h"
#include "model/names.h"

#include <filesystem>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <string_view>

namespace upaas::cli {

/// `directory`/app.yaml, or that of the nearest directory above.
[[nodiscard]] std::optional<std::filesystem::path> nearest_app_yaml(
    const std::filesystem::path& directory);

/// An app.yaml that was read and checked.
struct AppFile {
  std::filesystem::path path;  // absolute
  std::string shown;           // as the user wrote it: errors begin with it
  std::string text;
  model::AppSpec spec;
  model::AppName name;
};
/// The positional FILE (a file or its directory), else the nearest one. The name: `-a`, without a
/// FILE also UPAAS_APP, else the file's own, else its directory's. Error(invalid) when there is
/// none or it is wrong. `interpreters` null: which there are is the server's to say, as is which
/// options of uWSGI are safe unless they are `checked` against those of a server without a word
/// about it in its configuration.
enum class SafeOptions { any, checked };
[[nodiscard]] AppFile read_app_file(const Context& context,
                                    const model::Interpreters* interpreters = nullptr,
                                    SafeOptions safe = SafeOptions::any);
/// The source directory; nothing when the app comes from a repository. Error(invalid) with the
/// place in the file when it does not exist.
[[nodiscard]] std::optional<std::filesystem::path> source_directory(const AppFile& file);

/// `-a`, the positional APP or UPAAS_APP; nothing without. Error(invalid) when two disagree.
[[nodiscard]] std::optional<model::AppName> named_app(const Context& context);
/// The same, else the nearest app.yaml's. Error(invalid) when there is none.
[[nodiscard]] model::AppName choose_app(const Context& context);

/// For `[APP] SECOND`, two positionals of which the app may be left out: a word alone that
/// `is_second` takes is the second.
struct AppAnd {
  model::AppName app;
  std::optional<std::string> second;
};
[[nodiscard]] AppAnd choose_app_and(const Context& context, std::string_view second,
                                    const std::function<bool(std::string_view)>& is_second);

/// What in the source directory is not the app's own: its app.yaml (which may hold secrets), what
/// `upaas build` writes unless told otherwise, and `output` when it is given.
[[nodiscard]] std::set<std::string> not_of_the_app(const AppFile& file,
                                                   const std::filesystem::path& directory,
                                                   const std::filesystem::path& output = {});

}  // namespace upaas::cli
