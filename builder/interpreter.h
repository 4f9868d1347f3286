/// Which interpreter, in which version, runs the app: its app.yaml, what its files say, and what
/// this machine has.
#pragma once

#include "builder/commands.h"
#include "builder/detect.h"
#include "model/interpreters.h"
#include "model/release.h"

#include <optional>
#include <string>

namespace upaas::builder {

struct Choice {
  const model::InterpreterDefinition* definition = nullptr;  // borrowed from the definitions
  model::Runtime runtime;  // name, version, settings of app.yaml and defaults, environment
};

/// The highest version that the definitions know, this machine has and the app takes; `forced`
/// (from --interpreter-version) alone counts when it is given. Versions are compared as far as the
/// shorter one goes (upaas 2014). The command that starts it is left to choose_start.
///
/// Error(invalid) when nothing says how to run the app, no version fits, or a setting is not one of
/// the interpreter's. Error(config), with the packages to install, when this machine lacks it.
[[nodiscard]] Choice choose_interpreter(const model::AppSpec& spec, const Found& found,
                                        const std::optional<std::string>& forced,
                                        const model::Interpreters& interpreters,
                                        const Commands& commands);

/// How it is started: the command of its app.yaml, else the one that its files name, else uWSGI's
/// plugin. Error(invalid) when there is none of them, Error(config) when the plugin is missing.
void choose_start(Choice& choice, const model::AppSpec& spec, const Found& found);

}  // namespace upaas::builder
