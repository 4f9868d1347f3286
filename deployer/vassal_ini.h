/// The text of a vassal's ini: a pure function of checked values, templates/vassal.ini and the
/// lines that the interpreter's definition has (kainjow mustache; a name that a template uses and
/// nobody gives is an error). Golden-tested.
#pragma once

#include "deployer/deployer.h"

#include <string>
#include <string_view>

namespace upaas::deployer {

/// `listen_queue`: how many connections may wait at its socket.
[[nodiscard]] std::string vassal_ini(const Start& start, std::string_view template_text,
                                     const model::Interpreters& interpreters, int listen_queue);

/// The exact environment of an instance, NUL-separated NAME=VALUE, each name once:
/// - defaults that the app may set itself: PATH (its own programs first), LANG=C.UTF-8,
///   PYTHONUNBUFFERED=1 (else what an app prints stays in a buffer), those of its interpreter;
/// - the app's own variables;
/// - what upaas sets, whatever the app says: HOME, PORT (web), UPAAS_APP, UPAAS_RELEASE,
/// UPAAS_INSTANCE,
///   UPAAS_SYSTEM_DOMAIN, UPAAS_CUSTOM_DOMAINS (those of its app.yaml, comma separated).
[[nodiscard]] std::string vassal_environment(const Start& start, std::string_view system_domain);

}  // namespace upaas::deployer
