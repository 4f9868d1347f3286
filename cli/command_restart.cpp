#include "cli/command_restart.h"

#include "cli/app_choice.h"
#include "cli/switch_receipt.h"

#include <nlohmann/json.hpp>

namespace upaas::cli {

int run_restart(Context& context) {
  return run_switch(context, choose_app(context), "restart", Json::object());
}

}  // namespace upaas::cli
