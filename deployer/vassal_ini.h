/// The text of a vassal's ini: a pure function of checked values and templates/vassal.ini (kainjow
/// mustache; a name that the template uses and nobody gives is an error). Golden-tested.
#pragma once

#include "deployer/deployer.h"

#include <string>
#include <string_view>

namespace upaas::deployer {

[[nodiscard]] std::string vassal_ini(const Start& start, std::string_view template_text);

/// The exact environment of an instance, NUL-separated NAME=VALUE, each name once:
/// - defaults that the app may set itself: PATH (a venv's programs first), LANG=C.UTF-8,
///   PYTHONUNBUFFERED=1 (else what an app prints stays in a buffer);
/// - the app's own variables;
/// - what upaas sets, whatever the app says: HOME, PORT (web), UPAAS_APP, UPAAS_RELEASE,
/// UPAAS_INSTANCE,
///   UPAAS_SYSTEM_DOMAIN, UPAAS_CUSTOM_DOMAINS (those of its app.yaml, comma separated).
[[nodiscard]] std::string vassal_environment(const Start& start, std::string_view system_domain);

}  // namespace upaas::deployer
