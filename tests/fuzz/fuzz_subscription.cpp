// Whatever a vassal sends is an announcement within its bounds, or nothing; and nothing throws.
#include "router-sub/subscription.h"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto read = upaas::router_sub::decode({reinterpret_cast<const char*>(data), size});
  if (read && (read->key.empty() || read->key.size() > 255 || read->address.empty() ||
               read->address.size() > 255 || read->cores < 1)) {
    std::abort();
  }
  return 0;
}
