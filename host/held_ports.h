/// Who holds which TCP port of this machine: what a port guard cannot prevent (an app that binds a
/// port which is not its own) can be seen.
#pragma once

#include "model/units.h"

#include <vector>

namespace upaas::host {

struct HeldPort {
  model::Port port;
  model::Uid uid;
  friend auto operator<=>(const HeldPort&, const HeldPort&) = default;
};

/// Every local TCP port, IPv4 and IPv6, with the user whose socket has it: listening, connected,
/// and (Linux 6.8) merely bound. What a process that ended leaves to the kernel does not count.
/// Sorted, each once. Empty when the kernel does not say. Source: sock_diag(7).
[[nodiscard]] std::vector<HeldPort> held_ports();

}  // namespace upaas::host
