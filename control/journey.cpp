#include "control/journey.h"

#include <algorithm>

namespace upaas::control {

void Journey::end(const std::string& name, const std::string& state, double seconds) {
  const auto found =
      std::find_if(steps_.begin(), steps_.end(), [&](const auto& s) { return s.name == name; });
  const wire::Step step{name, state, seconds};
  if (found == steps_.end()) {
    steps_.push_back(step);
  } else {
    *found = {name, state, std::max(found->seconds, seconds)};
  }
  tell(step);
}

bool Journey::has(const std::string& name) const {
  return std::any_of(steps_.begin(), steps_.end(), [&](const auto& s) { return s.name == name; });
}

}  // namespace upaas::control
