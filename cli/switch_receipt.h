/// What a switch (deploy, rollback, restart, scale) is told as when it is done.
#pragma once

#include "base/json.h"
#include "cli/context.h"
#include "model/names.h"

#include <string>

namespace upaas::cli {

/// Prints the answer as the format wants it. Exit code 0, or 10 when requests failed.
int tell_switch(Context& context, const Json& answer);

/// POSTs the body to `/v1/apps/APP/VERB`, follows it to its end, and tells. Ctrl-C detaches:
/// Error(interrupted) that says how to go on watching.
int run_switch(Context& context, const model::AppName& app, const std::string& verb,
               const Json& body);

}  // namespace upaas::cli
