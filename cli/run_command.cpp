#include "cli/command_apps.h"
#include "cli/command_build.h"
#include "cli/command_builds.h"
#include "cli/command_builds_cancel.h"
#include "cli/command_builds_logs.h"
#include "cli/command_builds_show.h"
#include "cli/command_bundles.h"
#include "cli/command_bundles_diff.h"
#include "cli/command_bundles_export.h"
#include "cli/command_bundles_rm.h"
#include "cli/command_bundles_rotate_key.h"
#include "cli/command_bundles_show.h"
#include "cli/command_bundles_verify.h"
#include "cli/command_deploy.h"
#include "cli/command_destroy.h"
#include "cli/command_events.h"
#include "cli/command_gc.h"
#include "cli/command_init.h"
#include "cli/command_logs.h"
#include "cli/command_ps.h"
#include "cli/command_releases.h"
#include "cli/command_restart.h"
#include "cli/command_rollback.h"
#include "cli/command_scale.h"
#include "cli/command_schema.h"
#include "cli/command_start.h"
#include "cli/command_status.h"
#include "cli/command_stop.h"
#include "cli/command_validate.h"

#include <utility>

namespace upaas::cli {

int run_command(const Command& command, Context& context) {
  using Run = int (*)(Context&);
  static constexpr std::pair<std::string_view, Run> kRuns[] = {
      {kDeploy.name, run_deploy},
      {kBuild.name, run_build},
      {kValidate.name, run_validate},
      {kInit.name, run_init},
      {kSchema.name, run_schema},
      {kApps.name, run_apps},
      {kStatus.name, run_status},
      {kPs.name, run_ps},
      {kLogs.name, run_logs},
      {kEvents.name, run_events},
      {kBuilds.name, run_builds},
      {kBuildsShow.name, run_builds_show},
      {kBuildsLogs.name, run_builds_logs},
      {kBuildsCancel.name, run_builds_cancel},
      {kBundles.name, run_bundles},
      {kBundlesShow.name, run_bundles_show},
      {kBundlesVerify.name, run_bundles_verify},
      {kBundlesExport.name, run_bundles_export},
      {kBundlesDiff.name, run_bundles_diff},
      {kBundlesRm.name, run_bundles_rm},
      {kBundlesRotateKey.name, run_bundles_rotate_key},
      {kGc.name, run_gc},
      {kReleases.name, run_releases},
      {kRollback.name, run_rollback},
      {kScale.name, run_scale},
      {kRestart.name, run_restart},
      {kStart.name, run_start},
      {kStop.name, run_stop},
      {kDestroy.name, run_destroy},
  };
  for (const auto& [name, run] : kRuns) {
    if (name == command.name) return run(context);
  }
  throw unknown_command(command.name);
}

}  // namespace upaas::cli
