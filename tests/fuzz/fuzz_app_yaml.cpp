// Whatever the bytes are, reading an app.yaml ends in a spec or in Error(invalid) with a place, and
// a spec's stored form reads back to the same text.
#include "model/app_yaml.h"

#include <nlohmann/json.hpp>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

using namespace upaas;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  try {
    const model::AppSpec spec = model::read_app_yaml(text, "f");
    const std::string stored = dump_json(model::to_json(spec));
    const model::AppSpec again = model::app_spec_from_json(parse_json(stored, "spec"));
    if (dump_json(model::to_json(again)) != stored) std::abort();
  } catch (const Error& e) {
    if (e.kind() != ErrorKind::invalid || !e.message().starts_with("f:")) std::abort();
  }
  return 0;
}
