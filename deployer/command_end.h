/// How the command of `processes.web` is told to go. Internal to deployer.
#pragma once

#include "host/cgroup.h"

#include <sys/types.h>

#include <chrono>

namespace upaas::deployer {

/// Sends SIGTERM, once, to every process of the instance that is not uWSGI itself, and waits until
/// they have ended, at most `limit`. `master` is the instance's uWSGI master: it is halted first,
/// else it would end, or start, what it sees go; so kill the cgroup afterwards. Nothing happens
/// when the master is gone.
void end_command(const host::Cgroup& cgroup, pid_t master, std::chrono::milliseconds limit);

}  // namespace upaas::deployer
