#include "cli/command_rollback.h"

#include "base/error.h"
#include "cli/app_choice.h"
#include "cli/switch_receipt.h"
#include "wire/api.h"

#include <fmt/core.h>
#include <nlohmann/json.hpp>

namespace upaas::cli {

int run_rollback(Context& context) {
  const auto [app, text] = choose_app_and(context, "RELEASE", [](std::string_view word) {
    return model::ReleaseId::from(word).has_value();
  });
  std::optional<model::ReleaseId> to;
  if (text) {
    to = model::ReleaseId::from(*text);
    if (!to) {
      throw Error(ErrorKind::invalid, fmt::format("'{:.40}' is no release", *text),
                  fmt::format("a release is named as in v3: upaas releases {}", app.str()));
    }
  }
  return run_switch(context, app, "rollback", wire::rollback_request(to));
}

}  // namespace upaas::cli
