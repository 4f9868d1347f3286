/// The uids and ports of this platform, by its records. A number that a record names stays claimed
/// on this machine (host/claims.h) until the record is gone, also while nothing runs: files below
/// DATA belong to the uid, and the instance comes back on its port.
/// Keys in the store: `uids/WHAT` (those of the platform itself), `last-uid`, and the records.
#pragma once

#include "control/records.h"
#include "host/claims.h"
#include "model/units.h"

#include <string>

namespace upaas::control {

/// A uid for a new app. It rests before it is used again, also over a restart: files of its last
/// owner may be left. Error(no_capacity).
[[nodiscard]] model::Uid take_uid(store::Store& store, host::Claims& uids);
/// The uid of one build while it runs, so that builds share nothing that the kernel keeps by user.
/// Claimed until nothing runs as it: what is left then, a start of the daemon ends and gives back.
class BuildUid {
 public:
  /// Borrows the claims. Error(no_capacity).
  BuildUid(store::Store& store, host::Claims& uids) : uids_(uids), uid_(take_uid(store, uids)) {}
  ~BuildUid();
  BuildUid(const BuildUid&) = delete;
  BuildUid& operator=(const BuildUid&) = delete;
  [[nodiscard]] model::Uid uid() const { return uid_; }

 private:
  host::Claims& uids_;
  model::Uid uid_;
};

/// A port that is ours to use and that nobody listens on; who holds ports that are not
/// his is ended within a second, and waited for. Error(no_capacity).
[[nodiscard]] model::Port take_port(host::Claims& ports);

/// The uid of a part of the platform itself ("router"): the same one at every start, unless
/// somebody else has claimed it meanwhile. Error(config) when `uids` is used up.
[[nodiscard]] model::Uid system_uid(store::Store& store, host::Claims& uids,
                                    const std::string& what);

/// At the start: claims again what the records name (a reboot empties /run/lock), and gives back
/// what is claimed for no record. A number that another platform has claimed meanwhile is lost:
/// the app, or the instance, gets a new one. Nothing may run yet on numbers that were lost.
void reclaim(Records& records, host::Claims& uids, host::Claims& ports);

}  // namespace upaas::control
