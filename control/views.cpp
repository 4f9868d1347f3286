#include "control/views.h"

#include "control/story.h"

#include <algorithm>
#include <map>

namespace upaas::control {

using model::InstanceState;

namespace {

std::string app_state(Platform& platform, const AppRecord& app, int live, bool failed) {
  if (platform.records.rollout(app.name)) return "deploying";
  if (!app.current) return "failed";
  if (app.wanted != AppWanted::running) return "stopped";
  return live > 0 ? "running" : (failed ? "failed" : "starting");
}

std::vector<std::string> domains_shown(Platform& platform, const AppRecord& app) {
  std::vector<std::string> domains;
  const auto release =
      app.current ? platform.records.release(app.name, *app.current) : std::nullopt;
  if (!release) return domains;
  for (const auto& domain : platform.domains_of(app.name, release->spec))
    domains.push_back(domain.str());
  return domains;
}

}  // namespace

std::vector<wire::AppView> app_views(Platform& platform) {
  std::map<AppName, int> live;
  std::map<AppName, bool> failed;
  for (const auto& report : platform.host.report()) {
    if (report.state == InstanceState::live) ++live[report.id.app()];
    if (report.state == InstanceState::failed) failed[report.id.app()] = true;
  }
  std::vector<wire::AppView> views;
  for (const auto& app : platform.records.apps()) {
    views.push_back({.name = app.name.str(),
                     .release = app.current ? app.current->str() : "",
                     .state = app_state(platform, app, live[app.name], failed[app.name]),
                     .url = platform.url_of(app.name),
                     .instances = live[app.name],
                     .domains = domains_shown(platform, app)});
  }
  return views;
}

std::vector<wire::InstanceView> instance_views(Platform& platform,
                                               const std::optional<AppName>& app) {
  if (app) (void)known_app(platform, *app);
  std::map<model::InstanceId, model::InstanceReport> reports;
  for (auto& report : platform.host.report()) reports.emplace(report.id, std::move(report));
  std::vector<wire::InstanceView> views;
  for (const auto& instance :
       app ? platform.records.instances(*app) : platform.records.instances()) {
    wire::InstanceView view{.id = instance.id.str(),
                            .app = instance.id.app().str(),
                            .release = instance.id.release().str(),
                            .backend = instance.backend.str(),
                            .address = host::Layout::router_address(instance.id.str()),
                            .state = "placed",
                            .workers = instance.workers,
                            .since = rfc3339(instance.created)};
    if (const auto found = reports.find(instance.id); found != reports.end()) {
      view.state = model::to_string(found->second.state);
      view.pid = found->second.pid;
      view.since = rfc3339(found->second.since);
    }
    // Its record goes a moment after it did.
    if (view.state != "stopped") views.push_back(std::move(view));
  }
  return views;
}

std::vector<wire::ReleaseView> release_views(Platform& platform, const AppName& name) {
  const AppRecord app = known_app(platform, name);
  const auto rollout = platform.records.rollout(name);
  std::vector<wire::ReleaseView> views;
  for (const auto& release : platform.records.releases(name)) {
    const auto outcome = platform.records.outcome(name, release.id);
    std::string state = release.id == app.current
                            ? "current"
                            : (outcome && outcome->state == "ok" ? "former" : "failed");
    if (rollout && rollout->to == release.id) state = "deploying";
    views.push_back(
        {.release = release.id.str(),
         .bundle = release.bundle.str(),
         .created = rfc3339(release.created),
         .by = release.by,
         .state = state,
         .requests = outcome ? wire::Requests{.total = outcome->requests, .failed = outcome->failed}
                             : wire::Requests{}});
  }
  std::reverse(views.begin(), views.end());  // newest first: what people look for
  return views;
}

wire::BuildView build_view(const BuildRecord& build) {
  wire::BuildView view{.id = build.id.str(),
                       .app = build.app.str(),
                       .state = std::string(to_string(build.state)),
                       .created = rfc3339(build.created),
                       .by = build.by,
                       .release = build.release ? build.release->str() : "",
                       .bundle = build.bundle ? build.bundle->str() : "",
                       .seconds = build.seconds,
                       .message = build.message,
                       .hint = build.hint};
  double ended = 0;
  for (const BuildStage& stage : build.stages) {
    view.stages.push_back({stage.name, std::string(to_string(stage.state)), stage.seconds});
    ended += stage.seconds;
  }
  if (build.state != BuildState::running) return view;
  view.seconds = std::chrono::duration<double>(wall_now() - build.created).count();
  if (!view.stages.empty() && view.stages.back().state == "running")
    view.stages.back().seconds = std::max(0.0, view.seconds - ended);
  return view;
}

std::vector<wire::BuildView> build_views(Platform& platform, const std::optional<AppName>& app,
                                         std::size_t newest) {
  std::vector<wire::BuildView> views;
  for (const auto& build : app ? platform.records.builds(*app) : platform.records.builds()) {
    if (views.size() == newest) break;
    views.push_back(build_view(build));
  }
  // Builds of a name that never became an app are told all the same.
  if (app && views.empty()) (void)known_app(platform, *app);
  return views;
}

wire::Status status_view(Platform& platform, const std::string& version) {
  return {.version = version,
          .lord = platform.lord.name,
          .backends = {{platform.options.backend.str(), "ready"}},
          .apps = static_cast<int>(platform.records.apps().size()),
          .host = {{"cgroup", platform.options.cgroup},
                   {"limits", platform.options.limits},
                   {"port_guard", platform.port_guard.available() ? "nft" : "none"},
                   {"url", "http://" + platform.options.http_host + ":" +
                               std::to_string(platform.options.http_port.value)}}};
}

wire::EventView event_view(const store::Event& event) {
  return {event.id, rfc3339(event.time), event.app, event.kind, event.message};
}

}  // namespace upaas::control
