/// The address that nginx listens on. Internal.
#pragma once

#include "model/units.h"

#include <string>

namespace upaas::router_sub {

/// Nobody listens there, and it can be bound. Error(config) when it is no address of this machine.
[[nodiscard]] bool address_is_free(const std::string& host, model::Port port);
/// Somebody accepts connections there.
[[nodiscard]] bool address_answers(const std::string& host, model::Port port);

}  // namespace upaas::router_sub
