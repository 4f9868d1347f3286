/// `upaas init`: its help. What it does is in command_init.cpp.
#pragma once

#include "cli/command.h"

#include <array>

namespace upaas::cli {

inline constexpr std::array kInitPositionals = {
    Positional{"DIRECTORY", "the app's directory (default: this one)"},
};
inline constexpr Command kInit{
    .name = "init",
    .summary = "write a first app.yaml for the app in a directory",
    .text =
        R"(What the app is, is found from its files: config.ru or Gemfile (ruby); requirements.txt,
pyproject.toml, manage.py or a module with a WSGI callable (python); composer.json or index.php (php);
app.psgi, cpanfile or a Mojolicious script (perl); package.json or server.js (node); index.html
(static); and `web` of a Procfile. An app.yaml that is there is left alone (exit 6).)",
    .positionals = kInitPositionals,
};
int run_init(Context& context);

}  // namespace upaas::cli
