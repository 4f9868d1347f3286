#include "cli/command_deploy.h"

#include "base/digest.h"
#include "base/error.h"
#include "base/files.h"
#include "bundle/bundle.h"
#include "bundle/source_archive.h"
#include "cli/app_choice.h"
#include "cli/build_choice.h"
#include "cli/interrupt.h"
#include "cli/stream.h"
#include "cli/switch_receipt.h"
#include "cli/text.h"

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include <ostream>

namespace upaas::cli {
namespace {

namespace fs = std::filesystem;

constexpr auto kSecondLimit = std::chrono::seconds(3);

/// Sends the file unless the server has it.
void upload(Server& server, const std::string& target, const fs::path& file,
            const std::stop_token& stop) {
  if (!server.has(target)) server.put(target, file, stop);
}

void send_bundle(Context& context, Server& server, const std::string& shown,
                 const std::stop_token& stop, wire::DeployRequest& request) {
  const fs::path bundle = context.cwd / shown;
  std::error_code ignored;
  if (!fs::exists(bundle, ignored)) {
    throw Error(ErrorKind::invalid, shown + ": there is no such file",
                "make it with: upaas build -o " + shown);
  }
  try {
    bundle::verify(bundle);
  } catch (Error& error) {
    throw error.within(shown);
  }
  request.bundle = sha256_file(bundle);
  upload(server, "/v1/bundles/" + *request.bundle, bundle, stop);
}

void send_source(Context& context, Server& server, const AppFile& file, const fs::path& directory,
                 const std::stop_token& stop, wire::DeployRequest& request) {
  const TempDir temporary(variable(context.env, "TMPDIR").value_or("/tmp"));
  const fs::path archive = temporary.path() / "source.tar.gz";
  request.source =
      bundle::pack_source(directory, archive, {}, not_of_the_app(file, directory)).id.str();
  upload(server, "/v1/sources/" + *request.source, archive, stop);
}

/// The client's own step, `read`: everything up to the request itself.
wire::DeployRequest prepare(Context& context, Server& server, const AppFile& file,
                            const std::stop_token& stop, Progress& progress) {
  Phase phase(progress, "read");
  wire::DeployRequest request{.file_name = file.shown,
                              .app_yaml = file.text,
                              .source = {},
                              .bundle = {},
                              .steps = {},
                              .fresh = context.arguments.has("fresh"),
                              .interpreter_version = context.arguments.value("interpreter-version"),
                              .wait = !context.arguments.has("no-wait")};
  if (const auto shown = context.arguments.value("bundle")) {
    send_bundle(context, server, *shown, stop, request);
  } else if (const auto directory = source_directory(file)) {
    send_source(context, server, file, *directory, stop, request);
  }
  if (stop.stop_requested())
    throw Error(ErrorKind::interrupted, "interrupted: nothing was deployed");
  request.steps.push_back(phase.finish());
  return request;
}

/// The build that runs, as the stream tells it. Since there was one, a second Ctrl-C is awaited.
class Watched {
 public:
  explicit Watched(Interrupt& interrupt) : interrupt_(interrupt) {}
  void step(const wire::Step& step) {
    if (step.name != "build" || step.build.empty()) return;
    build_ = step.state == "running" ? step.build : "";
    over_ = build_.empty();
    interrupt_.await_second();
  }
  [[nodiscard]] const std::string& build() const { return build_; }  // empty: none runs
  [[nodiscard]] bool over() const { return over_; }

 private:
  Interrupt& interrupt_;
  std::string build_;
  bool over_ = false;
};

/// Before its first release is recorded an app has no events to follow.
Error detached(const AppFile& file, const Watched& watched, const std::string& why) {
  const std::string& app = file.name.str();
  return {ErrorKind::interrupted, "not watching any more; the deploy goes on" + why,
          watched.build().empty()
              ? fmt::format("upaas events {0} -f; upaas ps {0}", app)
              : fmt::format("upaas builds logs {} -f; then upaas ps {}", watched.build(), app)};
}

/// After Ctrl-C: what to tell. A second one soon after cancels the build that runs.
Error leave(Context& context, Server& server, const AppFile& file, Interrupt& interrupt,
            const Watched& watched) {
  if (watched.build().empty())
    return detached(file, watched,
                    watched.over() ? ": it is built, and the switch is not broken off" : "");
  if (!interrupt.by_hand()) return detached(file, watched, "");
  if (!context.quiet) {
    context.err << fmt::format("not watching any more; Ctrl-C again within {} s cancels {}\n",
                               kSecondLimit.count(), watched.build())
                << std::flush;
  }
  if (!interrupt.again(kSecondLimit)) return detached(file, watched, "");
  try {
    (void)cancel_build(server, watched.build());
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::conflict) throw;
    return detached(file, watched, ": " + error.message());
  }
  return {ErrorKind::interrupted, watched.build() + " was cancelled: nothing was deployed",
          "upaas builds show " + watched.build()};
}

Json deploy(Context& context, const AppFile& file, Interrupt& interrupt) {
  Server server(server_address(context.env));
  const std::stop_token stop = interrupt.token();
  Watched watched(interrupt);
  bool sent = false;
  try {
    Progress progress(context.err, context.terminal,
                      context.quiet || context.format == Format::jsonl);
    const wire::DeployRequest request = prepare(context, server, file, stop, progress);
    sent = true;
    return follow_work(context, server,
                       {.method = "POST",
                        .target = "/v1/apps/" + file.name.str() + "/deploy",
                        .headers = {{"Content-Type", "application/json"}},
                        .body = dump_json(wire::to_json(request)),
                        .stop = stop},
                       progress, [&](const wire::Step& step) { watched.step(step); });
  } catch (const Error& error) {
    if (!sent || error.kind() != ErrorKind::interrupted || !stop.stop_requested()) throw;
  }
  throw leave(context, server, file, interrupt, watched);
}

}  // namespace

int run_deploy(Context& context) {
  Interrupt interrupt;
  const AppFile file = read_app_file(context);
  const Json answer = deploy(context, file, interrupt);
  return tell_switch(context, answer);
}

}  // namespace upaas::cli
