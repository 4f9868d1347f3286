#include "cli/command_destroy.h"

#include "base/error.h"
#include "cli/app_choice.h"
#include "cli/stream.h"

#include <fmt/core.h>

#include <istream>
#include <ostream>

namespace upaas::cli {
namespace {

/// Error(invalid) unless the app's name was given twice.
void confirm(Context& context, const std::string& app) {
  std::string typed;
  if (const auto option = context.arguments.value("confirm")) {
    typed = *option;
  } else if (context.interactive) {
    context.err << fmt::format("This removes {} with all its releases. Type its name to go on: ",
                               app)
                << std::flush;
    std::getline(context.in, typed);
  } else {
    throw Error(ErrorKind::invalid, fmt::format("destroying {} needs a confirmation", app),
                fmt::format("upaas destroy {} --confirm {}", app, app));
  }
  if (typed != app) {
    throw Error(ErrorKind::invalid,
                fmt::format("'{:.60}' is not '{}': nothing was removed", typed, app));
  }
}

}  // namespace

int run_destroy(Context& context) {
  const std::string app = choose_app(context).str();
  confirm(context, app);
  return run_action(context, "DELETE", "/v1/apps/" + app, app, "is gone");
}

}  // namespace upaas::cli
