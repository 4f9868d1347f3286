/// The switch: instances of one release take the place of those that an app has, one at a time, and
/// nobody who visits notices. A step is: place one, wait until it runs and is healthy (unannounced),
/// announce it everywhere, let one of the old go. With the last one live the release becomes the
/// current one in one transaction, the commit point: what fails before it is taken back (old ones
/// that are gone already come back first), what comes after it goes forward.
///
/// The stories (deploy, rollback, restart) fill in a Switch and carry it out. Not thread-safe; the
/// rollout is the app's lock.
#pragma once

#include "control/journey.h"
#include "control/placing.h"
#include "control/platform.h"
#include "control/rollout.h"
#include "wire/api.h"

#include <optional>
#include <vector>

namespace upaas::control {

struct Switch {
  Platform& platform;
  Reconciler& reconciler;
  RolloutLock& rollout;
  Journey& journey;
  AppRecord app;           // as it is when the switch begins; the commit changes it
  model::Release release;  // that takes over
  std::vector<model::Instance> old = {};  // what it replaces; `staying_instances` usually
  /// The release was made by this story: if it fails, that is its outcome.
  bool first = false;
  /// The release's own scale.instances counts, and what was set by hand is forgotten.
  bool own_scale = false;

  // What came of it.
  std::vector<model::Instance> fresh = {};
  wire::Requests requests = {};
};

/// Error(no_capacity), Error(unhealthy) with the app's last lines: all is as it was, and the hint
/// says what serves. Error(interrupted): the daemon stops, the next one recovers it. After the
/// commit: Error(timeout) when the old do not go; the reconciler goes on.
void carry_out(Switch& s);

/// Places instances of the release and writes what is wanted of them, under that step of the rollout;
/// what was not written is given back.
[[nodiscard]] std::vector<model::Instance> place_and_write(Switch& s, const model::Release& release,
                                                           const Placing& placing,
                                                           const std::string& step);
/// Old instances go: `before` is written first, then they are drained and stopped.
void let_go(Switch& s, std::vector<model::Instance> instances,
            std::vector<store::Operation> before = {});
/// The fresh instances go, told to nobody.
void take_back(Switch& s);
/// Takes what the receipt counted. What was cut is known from the drained instances as well: the
/// larger figure counts.
void add_receipt(Switch& s, wire::Requests seen);

/// Claims the domains, then records `s.release` under the next number, with the app when it is its
/// first and the build that it came of, in one transaction. When that is refused nothing is left of
/// it.
void record_release(Switch& s, const std::vector<model::Domain>& domains,
                    const std::optional<BuildRecord>& build);

/// Those that are on their way out already are the reconciler's: a record once removed stays so.
[[nodiscard]] std::vector<model::Instance> staying_instances(Platform& platform,
                                                             const AppName& app);
/// What visitors get when a story fails.
[[nodiscard]] std::string goes_on(const AppRecord& app, const std::vector<model::Instance>& old);
/// The error, with `state` in its hint.
[[nodiscard]] Error with_state(const Error& error, const std::string& state);

/// What is told at the end; `seconds` is left to the story.
[[nodiscard]] wire::DeployResult result_of(const Switch& s, bool changed);

}  // namespace upaas::control
