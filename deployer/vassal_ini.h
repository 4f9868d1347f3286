/// The text of a vassal's ini: a pure function of checked values and templates/vassal.ini (kainjow
/// mustache; a name that the template uses and nobody gives is an error). Golden-tested.
#pragma once

#include <string>
#include <string_view>

#include "deployer/deployer.h"

namespace upaas::deployer {

[[nodiscard]] std::string vassal_ini(const Start& start, std::string_view template_text);

/// The exact environment of an instance: the app's own variables, then what upaas sets (PATH, HOME,
/// LANG, PORT for web, UPAAS_APP, UPAAS_RELEASE, UPAAS_INSTANCE, UPAAS_SYSTEM_DOMAIN,
/// UPAAS_CUSTOM_DOMAINS), NUL-separated NAME=VALUE.
[[nodiscard]] std::string vassal_environment(const Start& start, std::string_view system_domain);

}  // namespace upaas::deployer
