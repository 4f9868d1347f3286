/// Which lines of an instance's log uWSGI wrote about itself, and not the app: about forty at every
/// start, a dozen at its end. Source: uWSGI 2.0.21 (core, python3, rack, php, psgi). Pure.
#pragma once

#include <string_view>

namespace upaas::deployer {

/// True for what uWSGI says when all is well, or after what matters has been said. A line that only
/// looks like one of them is an app's loss: so none is on the list that names an error.
[[nodiscard]] bool is_uwsgi_chatter(std::string_view line);

}  // namespace upaas::deployer
