#include "cli/command_bundles_rm.h"

#include "base/error.h"
#include "cli/bundle_choice.h"
#include "cli/stream.h"

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include <ostream>

namespace upaas::cli {

int run_bundles_rm(Context& context) {
  const std::string word = bundle_word(context);
  if (names_file(word))
    throw Error(ErrorKind::invalid, word + " is a file of this machine, not a bundle of the server",
                "`upaas bundles` lists those");
  Server server = bundle_server(context);
  const Json answer =
      parse_json(server.send({.method = "DELETE", .target = bundle_target(word)}).body, "answer");
  if (context.format == Format::text) {
    context.out << fmt::format("{} is removed\n", get_string(answer, "bundle"));
  } else {
    print_json(context, answer);
  }
  return 0;
}

}  // namespace upaas::cli
