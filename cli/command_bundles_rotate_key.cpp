#include "cli/command_bundles_rotate_key.h"

#include "cli/bundle_choice.h"
#include "cli/stream.h"

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include <ostream>

namespace upaas::cli {

int run_bundles_rotate_key(Context& context) {
  Server server = bundle_server(context);
  const HttpAnswer answer = server.send(
      {.method = "POST", .target = "/v1/bundles/rotate-key", .limit = std::chrono::hours(1)});
  const Json json = parse_json(answer.body, "answer");
  if (context.format != Format::text) {
    print_json(context, json);
    return 0;
  }
  const auto change = wire::key_change_from_json(json);
  context.out << fmt::format("the key is {}; {} bundles are signed with it\n", change.key,
                             change.signed_bundles);
  for (const std::string& bundle : change.left)
    context.out << fmt::format("  {} stays refused: it had no good signature\n", bundle);
  return 0;
}

}  // namespace upaas::cli
