// Foreign text as a bundle's manifest: what is accepted can be written and read again to the same.
#include "base/error.h"
#include "base/json.h"
#include "bundle/bundle.h"

#include <nlohmann/json.hpp>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  try {
    const auto manifest = upaas::bundle::manifest_from_json(upaas::parse_json(text, "fuzz"));
    const std::string written = upaas::dump_json(upaas::bundle::to_json(manifest));
    const auto again = upaas::bundle::manifest_from_json(upaas::parse_json(written, "again"));
    if (upaas::dump_json(upaas::bundle::to_json(again)) != written) std::abort();
  } catch (const upaas::Error& error) {
    if (error.kind() != upaas::ErrorKind::invalid) std::abort();
  }
  return 0;
}
