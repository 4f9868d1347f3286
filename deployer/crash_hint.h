/// What to do about an app that ended while it started, from its own last words. Pure.
#pragma once

#include <string>
#include <vector>

namespace upaas::deployer {

/// The place in the app's own tree that Python named last, as in "app.py:3", with what was raised
/// there; else what uWSGI's words mean; else where to look. `lines`: of the app's log, oldest first.
[[nodiscard]] std::string crash_hint(const std::vector<std::string>& lines);

}  // namespace upaas::deployer
