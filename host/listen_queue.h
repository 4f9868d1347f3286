/// How many connections may wait at a socket of uWSGI's. No state; any thread.
#pragma once

namespace upaas::host {

/// 1024, or what the kernel allows (net.core.somaxconn) where that is less: uWSGI does not start
/// with a longer one.
[[nodiscard]] int listen_queue();

}  // namespace upaas::host
