#include "host/layout.h"

#include "base/digest.h"

namespace upaas::host {

std::string Layout::platform() const {
  return sha256(run.string()).substr(0, 10);
}

}  // namespace upaas::host
