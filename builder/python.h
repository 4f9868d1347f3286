/// What the builder does for Python apps: the interpreter of this machine, the venv, the module.
#pragma once

#include "builder/commands.h"
#include "model/names.h"

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace upaas::builder {

/// Version of /usr/bin/python3, the one that uWSGI's plugin is built for: "3.11.2", or "3.11" where
/// it is not asked for in full (Debian's link tells that much without starting it). Error(config)
/// when there is none.
[[nodiscard]] std::string python_version(bool in_full);

/// Compares as many numbers as the shorter one has: 3 is 3.11, 3.1 is not (upaas 2014).
[[nodiscard]] bool same_version(std::string_view a, std::string_view b);

/// "3.11.2" -> "3.11". Error(invalid), which names what is there, when none of `wanted` matches; an
/// empty `wanted` takes any.
[[nodiscard]] std::string choose_version(const std::vector<std::string>& wanted,
                                         std::string_view present);

/// A requirements.txt with more in it than blanks and comments.
[[nodiscard]] bool has_requirements(const std::filesystem::path& tree);

/// Makes .upaas/venv (its python is a link to /usr/bin/python3) and installs requirements.txt into
/// it. What is written is the same for the same packages. Error(build_failed).
void install_requirements(const Commands& commands, const Environment& env);

/// Error(invalid), which names the modules that the tree has, when `module` is neither in the tree
/// nor found by the interpreter that will run the app.
void check_module(const Commands& commands, const std::filesystem::path& tree,
                  const model::PythonModule& module, bool venv, const Environment& env);

}  // namespace upaas::builder
