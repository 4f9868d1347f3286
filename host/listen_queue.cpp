#include "host/listen_queue.h"

#include "base/files.h"

#include <algorithm>
#include <cstdlib>

namespace upaas::host {
namespace {

constexpr int kWanted = 1024;
constexpr int kOldestSomaxconn = 128;

}  // namespace

int listen_queue() {
  const auto text = read_file_if_any("/proc/sys/net/core/somaxconn", 64);
  const int most = text ? std::atoi(text->c_str()) : kOldestSomaxconn;
  return std::clamp(most, 1, kWanted);
}

}  // namespace upaas::host
