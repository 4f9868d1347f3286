#include "control/candidate.h"

#include "base/error.h"
#include "base/fault.h"
#include "base/files.h"
#include "base/scope_exit.h"
#include "control/builds.h"
#include "control/numbers.h"
#include "control/room.h"
#include "control/story.h"
#include "model/app_yaml.h"

#include <fmt/core.h>

namespace upaas::control {
namespace {

model::AppSpec read_spec(const Platform& platform, const DeployJob& job) {
  auto spec = model::read_app_yaml(job.request.app_yaml, job.request.file_name,
                                   {.safe_options = platform.options.safe_options,
                                    .interpreters = platform.options.interpreters.get()});
  if (spec.name && *spec.name != job.app) {
    throw Error(ErrorKind::invalid,
                fmt::format("{}: the name is {}, but {} was asked for", job.request.file_name,
                            spec.name->str(), job.app.str()));
  }
  spec.name = job.app;
  return spec;
}

std::optional<std::string> current_revision(Platform& platform, const AppName& name) {
  const auto app = platform.records.app(name);
  const auto release = app ? platform.records.current_release(*app) : std::nullopt;
  if (!release || release->revision.id.empty()) return std::nullopt;
  return release->revision.id;
}

builder::Built build_bundle(Platform& platform, const DeployJob& job, const model::AppSpec& spec,
                            const std::filesystem::path& output, const builder::Progress& progress,
                            std::unique_ptr<BundlePins::Pin>& pin) {
  builder::Request request{.app = job.app,
                           .spec = spec,
                           .source_directory = {},
                           .source_archive = {},
                           .fresh = job.request.fresh,
                           .interpreter_version = job.request.interpreter_version,
                           .former_revision = current_revision(platform, job.app)};
  std::optional<BundlePins::Pin> source;
  if (job.request.source) source.emplace(platform.pins, model::BundleId(*job.request.source));
  // Whatever comes of it, the upload has served.
  const ScopeExit used([&] {
    if (job.request.source) platform.sources.remove(*job.request.source);
  });
  if (job.request.source) {
    request.source_archive = platform.sources.verified(*job.request.source);
  } else if (!spec.repository) {
    throw Error(ErrorKind::invalid, "neither a source was uploaded nor has the app a repository",
                "deploy with the upaas command line, which uploads the source directory");
  }
  builder::Options options = platform.options.build;
  const BuildUid user(platform.records.store(), platform.uids);
  options.uid = user.uid();
  options.has_bundle = [&](const model::BundleId& id) {
    pin = std::make_unique<BundlePins::Pin>(platform.pins, id);
    return platform.bundles.has(id.str());
  };
  return builder::build(request, options, output, progress);
}

/// Steps build and store, with their record.
void build_and_store(Platform& platform, const DeployJob& job, Candidate& candidate,
                     Journey& journey) {
  require_build_room(platform, job);
  const TempDir work(platform.options.layout.builds(), kBundleInTheMaking);
  const auto output = work.path() / "bundle.tar.gz";
  BuildRun run(platform, job.app, job.by, journey);
  try {
    const auto built = journey.step("build", [&] {
      auto result = build_bundle(platform, job, candidate.release.spec, output, run.progress(),
                                 candidate.pin);
      run.close();
      return result;
    });
    fault_point("deploy.built");
    journey.step("store", [&] {
      candidate.pin = std::make_unique<BundlePins::Pin>(platform.pins, built.packed.id);
      candidate.release.bundle =
          built.reused ? built.packed.id : model::BundleId(platform.bundles.add(output, job.by));
      candidate.release.runtime = built.runtime;
      candidate.release.revision = built.revision;
      require_release_room(
          platform, job.app, candidate.release.bundle,
          bundle::read_manifest(platform.bundles.path(candidate.release.bundle.str())));
    });
    candidate.build = run.done(candidate.release.bundle);
  } catch (const Error& error) {
    throw run.failed(error);
  }
  fault_point("deploy.stored");
}

}  // namespace

Candidate make_candidate(Platform& platform, const DeployJob& job, RolloutLock& rollout,
                         Journey& journey) {
  model::AppSpec spec = journey.has("read")
                            ? read_spec(platform, job)
                            : journey.step("read", [&] { return read_spec(platform, job); });
  Candidate candidate{.release = {.app = job.app,
                                  .id = {},
                                  .bundle = model::BundleId(std::string(64, '0')),
                                  .spec = spec,
                                  .runtime = {},
                                  .created = wall_now(),
                                  .by = job.by},
                      .domains = platform.domains_of(job.app, spec)};
  if (job.request.bundle) {
    journey.skip("build");
    journey.step("store", [&] {
      candidate.pin =
          std::make_unique<BundlePins::Pin>(platform.pins, model::BundleId(*job.request.bundle));
      const auto file = platform.bundles.verified(*job.request.bundle);
      const bundle::Manifest manifest = bundle::verify(file);
      if (manifest.spec.name && *manifest.spec.name != job.app) {
        throw Error(ErrorKind::invalid,
                    fmt::format("the bundle is one of {}, not of {}", manifest.spec.name->str(),
                                job.app.str()),
                    "deploy it as the app that it was built for, or build it anew");
      }
      candidate.release.runtime = manifest.runtime;
      candidate.release.bundle = model::BundleId(*job.request.bundle);
      require_release_room(platform, job.app, candidate.release.bundle, manifest);
    });
    return candidate;
  }
  rollout.write("build");
  build_and_store(platform, job, candidate, journey);
  return candidate;
}

std::optional<model::Release> unchanged(Platform& platform, const AppRecord& app,
                                        const Candidate& candidate) {
  auto current = platform.records.current_release(app);
  if (!current) return std::nullopt;
  const auto& next = candidate.release;
  if (model::fingerprint(current->bundle, current->spec, current->runtime) !=
      model::fingerprint(next.bundle, next.spec, next.runtime)) {
    return std::nullopt;
  }
  return current;
}

bool is_up(const Platform& platform, const AppRecord& app, const model::Release& release) {
  if (app.wanted != AppWanted::running) return false;
  std::size_t live = 0;
  for (const auto& report : platform.host.report()) {
    live += report.id.app() == app.name && report.id.release() == release.id &&
            report.state == model::InstanceState::live;
  }
  return live >= static_cast<std::size_t>(instances_of(app, release));
}

}  // namespace upaas::control
