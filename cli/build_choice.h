/// Which build a command is about.
#pragma once

#include "cli/context.h"
#include "cli/server.h"

#include <string>

namespace upaas::cli {

/// The positional ID, else the newest build of the app (cli/app_choice.h). Error(invalid) for
/// something else than an id, Error(not_found) when the app has no build.
[[nodiscard]] std::string choose_build(const Context& context, Server& server);

/// Returns once it has stopped and nothing is left of it. Error(conflict) when it has ended.
wire::BuildView cancel_build(Server& server, const std::string& id);

}  // namespace upaas::cli
