/// The routes below /v1/builds (wire/api.h).
#pragma once

#include "control/platform.h"
#include "daemon/http_server.h"

#include <stop_token>
#include <string>

namespace upaas::daemon {

/// `by` is who asks; `stop` ends what follows a running build.
void answer_builds(control::Platform& platform, const Call& call, Reply& reply,
                   const std::string& by, const std::stop_token& stop);

}  // namespace upaas::daemon
