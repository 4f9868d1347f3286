#include "daemon/api.h"

#include "base/digest.h"
#include "base/error.h"
#include "base/fault.h"
#include "base/log.h"
#include "control/deploy.h"
#include "control/housekeeping.h"
#include "control/lifecycle.h"
#include "control/restart.h"
#include "control/rollback.h"
#include "control/room.h"
#include "control/scale.h"
#include "control/views.h"
#include "daemon/answers.h"
#include "daemon/builds_api.h"
#include "daemon/bundles_api.h"
#include "daemon/log_follower.h"
#include "wire/api.h"

#include <fmt/core.h>
#include <nlohmann/json.hpp>

namespace upaas::daemon {
namespace {

constexpr std::size_t kRequestLimit = std::size_t{8}
                                      << 20;  // an app.yaml of 1 MiB, escaped, and room

// A follower holds a thread for as long as it likes; commands must find one all the time.
constexpr int kFollowers = 32;

/// One follower of events, of logs or of a build, or a download, while it lives.
/// Error(no_capacity) beyond the limit.
class Follower {
 public:
  explicit Follower(std::atomic<int>& count) : count_(count) {
    if (++count_ <= kFollowers) return;
    --count_;
    throw Error(
        ErrorKind::no_capacity,
        fmt::format("{} follow events, logs or builds or download bundles already", kFollowers),
        "end one of them, or ask without --follow");
  }
  ~Follower() { --count_; }
  Follower(const Follower&) = delete;
  Follower& operator=(const Follower&) = delete;

 private:
  std::atomic<int>& count_;
};

std::optional<Follower> follower_of(const Call& call, std::atomic<int>& count) {
  if (query(call, "follow") != "1" && !is_download(call)) return std::nullopt;
  return std::make_optional<Follower>(count);
}

}  // namespace

std::string Api::caller(const Call& call) const {
  if (call.root) return "root";
  if (!call.bearer.empty() && equal_constant_time(call.bearer, service_.token())) return "admin";
  throw Error(
      ErrorKind::auth, call.bearer.empty() ? "a token is needed" : "the token is not valid here",
      fmt::format(
          "export UPAAS_TOKEN=$(cat {}/admin.token); root on the machine itself needs none: "
          "export UPAAS_URL=unix:{}/upaasd.sock",
          service_.config().data.native(), service_.config().run.native()));
}

void Api::handle(const Call& call, Reply& reply) {
  try {
    route(call, reply);
  } catch (const Error& error) {
    send_json(reply, wire::to_json(error), http_status(error.kind()));
  } catch (const std::exception& error) {
    log_error("request", {{"error", error.what()}});
    send_json(
        reply,
        wire::to_json(Error(ErrorKind::internal, "internal error: " + std::string(error.what()))),
        500);
  }
}

void Api::route(const Call& call, Reply& reply) {
  const std::string by = caller(call);
  if (call.path.size() < 2 || call.path[0] != "v1") throw no_such(call);
  const std::string& what = call.path[1];
  auto& platform = service_.platform();
  if (call.path.size() >= 3 && what == "apps") return app_route(call, reply);
  if (what == "gc" && call.path.size() == 2) return collect(call, reply);
  if (what == "builds") {
    const auto counted = follower_of(call, followers_);
    return answer_builds(platform, call, reply, by, stopping_.get_token());
  }
  if (what == "bundles") {
    const auto counted = follower_of(call, followers_);
    return answer_bundles(platform, call, reply, by);
  }
  if (call.path.size() == 3 && what == "sources") return upload(call, reply, platform.sources);
  if (call.path.size() != 2 || (call.method != "GET" && call.method != "HEAD")) throw no_such(call);
  if (what == "version")
    return send_json(reply, {{"schema", "upaas.version/v1"}, {"version", version_}});
  if (what == "status")
    return send_json(reply, wire::to_json(control::status_view(platform, version_)));
  if (what == "apps") return send_json(reply, wire::apps_json(control::app_views(platform)));
  if (what == "events") return events(call, reply);
  if (what == "ps") {
    const std::string app = query(call, "app");
    return send_json(
        reply, wire::ps_json(control::instance_views(
                   platform, app.empty() ? std::nullopt : std::optional(model::AppName(app)))));
  }
  throw no_such(call);
}

void Api::app_route(const Call& call, Reply& reply) {
  const model::AppName app(call.path[2]);
  if (call.path.size() == 3 && call.method == "DELETE") return change(call, reply, app, "destroy");
  if (call.path.size() != 4) throw no_such(call);
  const std::string& verb = call.path[3];
  if (call.method == "GET" && verb == "releases") {
    return send_json(reply, wire::releases_json(control::release_views(service_.platform(), app)));
  }
  if (call.method == "GET" && verb == "logs") return logs(call, reply, app);
  if (call.method == "POST" && verb == "deploy") return deploy(call, reply, app);
  if (call.method == "POST" && (verb == "start" || verb == "stop"))
    return change(call, reply, app, verb);
  if (call.method == "POST" && (verb == "rollback" || verb == "restart" || verb == "scale"))
    return switch_app(call, reply, app, verb);
  throw no_such(call);
}

void Api::collect(const Call& call, Reply& reply) {
  auto& platform = service_.platform();
  const bool dry_run = call.method == "GET";
  if (!dry_run && call.method != "POST") throw no_such(call);
  const auto run =
      dry_run ? control::look_around(platform) : control::keep_house(platform, {.measured = true});
  send_json(reply, wire::to_json(control::gc_report(platform, run, dry_run)));
}

void Api::upload(const Call& call, Reply& reply, store::BundleFiles& files) {
  const model::BundleId digest(call.path[2]);
  if (call.method == "HEAD" || call.method == "GET") {
    if (!files.has(digest.str()))
      throw Error(ErrorKind::not_found, "no file with the digest " + digest.str());
    return reply.send(200, kJson, "");
  }
  if (call.method != "PUT") throw no_such(call);
  control::make_room(service_.platform(), call.length.value_or(0), "the upload");
  auto incoming = files.receive();
  receive_body(call, incoming);
  answer_uploaded(reply, incoming.commit(digest.str()));
}

namespace {

/// Runs a story as a job: its steps and lines become lines of the stream, its end the last one.
template <typename Story>
std::shared_ptr<Jobs::Job> start_story(Jobs& jobs, std::vector<wire::Step> before, Story story) {
  return jobs.start([before = std::move(before), story = std::move(story)](
                        const Jobs::Write& write, const std::stop_token& stop) mutable {
    try {
      control::Journey journey(
          {.on_step = [&](const wire::Step& step) { write(wire::step_line(step)); },
           .on_line = [&](std::string_view line) { write(wire::text_line(std::string(line))); },
           .stop = stop},
          std::move(before));
      write(wire::result_line(story(journey)));
    } catch (const Error& error) {
      write(wire::error_line(error));
    } catch (const std::exception& error) {
      log_error("job", {{"error", error.what()}});
      write(wire::error_line(
          Error(ErrorKind::internal, std::string("internal error: ") + error.what())));
    }
  });
}

}  // namespace

void Api::deploy(const Call& call, Reply& reply, const model::AppName& app) {
  const auto request =
      wire::deploy_request_from_json(parse_json(call.text(kRequestLimit), "request"));
  for (const auto& digest : {request.source, request.bundle}) {
    if (digest) (void)model::BundleId(*digest);
  }
  const control::DeployJob job{.app = app, .by = caller(call), .request = request};
  follow(*start_story(service_.jobs(), request.steps,
                      [this, job](control::Journey& journey) {
                        return wire::to_json(control::deploy(service_.platform(),
                                                             service_.reconciler(), job, journey));
                      }),
         reply);
}

void Api::change(const Call& call, Reply& reply, const model::AppName& app,
                 const std::string& verb) {
  const std::string by = caller(call);
  follow(*start_story(service_.jobs(), {},
                      [this, app, by, verb](control::Journey& journey) {
                        auto& platform = service_.platform();
                        auto& reconciler = service_.reconciler();
                        if (verb == "start")
                          return control::start_app(platform, reconciler, app, by, journey);
                        if (verb == "stop")
                          return control::stop_app(platform, reconciler, app, by, journey);
                        return control::destroy_app(platform, reconciler, app, by, journey);
                      }),
         reply);
}

void Api::switch_app(const Call& call, Reply& reply, const model::AppName& app,
                     const std::string& verb) {
  const std::string by = caller(call);
  const Json asked =
      verb == "restart" ? Json::object() : parse_json(call.text(kRequestLimit), "request");
  const auto story = [&]() -> std::function<wire::DeployResult(control::Journey&)> {
    auto& platform = service_.platform();
    auto& reconciler = service_.reconciler();
    if (verb == "rollback") {
      const control::RollbackJob job{.app = app, .by = by, .to = wire::rollback_target(asked)};
      return
          [&, job](auto& journey) { return control::rollback(platform, reconciler, job, journey); };
    }
    if (verb == "scale") {
      const control::ScaleJob job{.app = app, .by = by, .instances = wire::scale_target(asked)};
      return [&, job](auto& journey) {
        return control::scale_app(platform, reconciler, job, journey);
      };
    }
    return [&, app, by](auto& journey) {
      return control::restart_app(platform, reconciler, app, by, journey);
    };
  }();
  follow(*start_story(service_.jobs(), {},
                      [story](control::Journey& journey) { return wire::to_json(story(journey)); }),
         reply);
}

void Api::follow(Jobs::Job& job, Reply& reply) {
  Stream& stream = reply.stream(kLines);
  Jobs::follow(
      job, [&](std::string_view line) { return stream.write(line); },
      [&] { return stream.write(wire::beat_line()); });
}

void Api::events(const Call& call, Reply& reply) {
  auto& log = service_.platform().events;
  const std::string app = query(call, "app");
  store::EventLog::Query wanted{
      .app = app.empty() ? std::nullopt : std::optional(model::AppName(app).str()),
      .after = query_number(call, "after", 0, INT64_MAX),
      .newest = static_cast<std::size_t>(query_number(call, "newest", 100, 10'000))};
  // Of one that was destroyed there is at least that.
  if (wanted.app && !service_.platform().records.app(model::AppName(*wanted.app)) &&
      log.read({.app = wanted.app, .newest = 1}).empty()) {
    throw Error(ErrorKind::not_found, "there is no app " + *wanted.app, "`upaas apps` lists them");
  }
  const auto counted = follower_of(call, followers_);
  if (!counted) {
    std::vector<wire::EventView> views;
    for (const auto& event : log.read(wanted)) views.push_back(control::event_view(event));
    return send_json(reply, wire::events_json(views));
  }
  Stream& stream = reply.stream(kLines);
  while (!stopping_.stop_requested()) {
    // What is read after this look and is newer is waited for again; what other apps did is not.
    const auto newest = log.read({.after = wanted.after, .newest = 1});
    std::int64_t last = newest.empty() ? wanted.after : newest.back().id;
    for (const auto& event : log.read(wanted)) {
      if (!stream.write(wire::event_line(control::event_view(event)))) return;
      last = std::max(last, event.id);
    }
    wanted = {.app = wanted.app, .after = last, .newest = 10'000};
    if (!log.wait(last, std::chrono::seconds(5), stopping_.get_token()) &&
        !stream.write(wire::beat_line()))
      return;
  }
}

void Api::logs(const Call& call, Reply& reply, const model::AppName& app) {
  const auto lines = static_cast<std::size_t>(query_number(call, "lines", 100, 100'000));
  LogFollower follower(service_.platform(), app, query(call, "instance"));
  const auto counted = follower_of(call, followers_);
  Stream& stream = reply.stream(kLines);
  const auto write = [&](const std::string& instance, const std::string& text) {
    return stream.write(wire::text_line(text, instance));
  };
  if (!follower.tail(lines, write)) return;
  if (counted) {
    follower.follow(
        write, [&] { return stream.write(wire::beat_line()); }, stopping_.get_token());
    return;
  }
  (void)stream.write(wire::result_line(Json::object()));
}

}  // namespace upaas::daemon
