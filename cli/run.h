/// From the words on the command line to an exit code: the part of `upaas` that needs no heavy
/// library.
#pragma once

#include "cli/command.h"
#include "cli/context.h"

#include <functional>
#include <string>
#include <vector>

namespace upaas::cli {

/// Fills context.arguments, .format and .quiet, answers help, version and completion itself and
/// hands every other command to `heavy`. Failures are printed here, once. Returns the exit code.
int run(Context& context, const std::vector<std::string>& words,
        const std::function<int(const Command&, Context&)>& heavy);

/// In three parts: `error: what and why`, the child's last lines (indented), `hint: what next`;
/// with a JSON format an upaas.error/v1 on stdout instead.
void report(Context& context, const Error& error);

}  // namespace upaas::cli
