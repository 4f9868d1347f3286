#include "cli/command_start.h"

#include "cli/app_choice.h"
#include "cli/stream.h"

namespace upaas::cli {

int run_start(Context& context) {
  const std::string app = choose_app(context).str();
  return run_action(context, "POST", "/v1/apps/" + app + "/start", app, "is running");
}

}  // namespace upaas::cli
