#include "cli/command_stop.h"

#include "cli/app_choice.h"
#include "cli/stream.h"

namespace upaas::cli {

int run_stop(Context& context) {
  const std::string app = choose_app(context).str();
  return run_action(context, "POST", "/v1/apps/" + app + "/stop", app, "is stopped");
}

}  // namespace upaas::cli
