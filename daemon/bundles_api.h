/// The routes below /v1/bundles (wire/bundles.h).
#pragma once

#include "control/platform.h"
#include "daemon/http_server.h"

#include <string>

namespace upaas::daemon {

/// `by` is who asks: a bundle that is uploaded is signed as given by them.
void answer_bundles(control::Platform& platform, const Call& call, Reply& reply,
                    const std::string& by);
/// It sends a whole file, hence holds a thread as long as the client likes.
[[nodiscard]] bool is_download(const Call& call);

/// The body of the request, written into `incoming`.
void receive_body(const Call& call, store::BundleFiles::Incoming& incoming);
void answer_uploaded(Reply& reply, const std::string& digest);

}  // namespace upaas::daemon
