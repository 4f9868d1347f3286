#include "cli/build_choice.h"

#include "base/error.h"
#include "cli/app_choice.h"
#include "model/names.h"

#include <fmt/core.h>
#include <nlohmann/json.hpp>

namespace upaas::cli {

std::string choose_build(const Context& context, Server& server) {
  if (const auto text = context.arguments.value("ID")) {
    const auto id = model::BuildId::from(*text);
    if (!id) {
      throw Error(ErrorKind::invalid, fmt::format("'{:.40}' is not a build", *text),
                  "a build is called b12; the newest of an app: -a APP; all: upaas builds");
    }
    return id->str();
  }
  const std::string app = choose_app(context).str();
  const auto builds = wire::builds_from_json(server.get("/v1/builds?newest=1&app=" + app));
  if (builds.empty())
    throw Error(ErrorKind::not_found, "there is no build of " + app, "all: upaas builds");
  return builds.front().id;
}

wire::BuildView cancel_build(Server& server, const std::string& id) {
  // The server waits a minute for a stage that cannot be stopped, then says so.
  const HttpAnswer answer = server.send({.method = "POST",
                                         .target = "/v1/builds/" + id + "/cancel",
                                         .limit = std::chrono::seconds(90)});
  return wire::build_from_json(parse_json(answer.body, "answer"));
}

}  // namespace upaas::cli
