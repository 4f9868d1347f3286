/// Waiting until an instance is ready, and saying why it is not. Internal to deployer.
#pragma once

#include "deployer/deployer.h"
#include "deployer/emperor.h"

#include <optional>
#include <stop_token>
#include <string>
#include <variant>

namespace upaas::deployer {

/// One health request; for a web app that gave no answer the cause also says when nothing listens
/// on its $PORT. At most `limit`.
[[nodiscard]] std::optional<std::string> check_instance(const Start& start,
                                                        const host::Layout& layout,
                                                        std::chrono::milliseconds limit);

/// As Deployer::wait_ready.
[[nodiscard]] std::variant<Ready, NotReady> await_instance(const Start& start,
                                                           const host::Layout& layout,
                                                           const Emperor& emperor,
                                                           std::stop_token stop);

}  // namespace upaas::deployer
