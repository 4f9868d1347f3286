#include "cli/command_scale.h"

#include "base/error.h"
#include "cli/app_choice.h"
#include "cli/switch_receipt.h"
#include "wire/api.h"

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include <algorithm>

namespace upaas::cli {
namespace {

bool is_number(std::string_view word) {
  return !word.empty() && std::ranges::all_of(word, [](char c) { return c >= '0' && c <= '9'; });
}

}  // namespace

int run_scale(Context& context) {
  const auto [app, text] = choose_app_and(context, "INSTANCES", is_number);
  if (!text) {
    throw Error(ErrorKind::invalid, "how many instances?",
                fmt::format("as in: upaas scale {} 3", app.str()));
  }
  const auto count = static_cast<int>(context.arguments.number(
      context.arguments.value("INSTANCES") ? "INSTANCES" : "APP", 1, 1, wire::kMostInstances));
  return run_switch(context, app, "scale", wire::scale_request(count));
}

}  // namespace upaas::cli
