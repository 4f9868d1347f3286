// Whatever is accepted can be written and read again; whatever is not is Error(invalid).
#include "base/error.h"
#include "base/json.h"

#include <nlohmann/json.hpp>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  try {
    const upaas::Json value = upaas::parse_json(text, "fuzz");
    static_cast<void>(upaas::parse_json(upaas::dump_json(value), "again"));
  } catch (const upaas::Error& error) {
    if (error.kind() != upaas::ErrorKind::invalid) {
      std::abort();
    }
  }
  return 0;
}
