// Whatever a visitor makes nginx write down is a record within its line, or none; and nothing
// throws.
#include "router-sub/access_records.h"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view line(reinterpret_cast<const char*>(data), size);
  const auto record = upaas::router_sub::read_access_record(line);
  if (!record) return 0;
  for (const std::string_view part :
       {record->host, record->method, record->path, record->instance, record->front}) {
    if (part.data() < line.data() || part.data() + part.size() > line.data() + line.size())
      std::abort();
  }
  if (record->took.count() < 0) std::abort();
  return 0;
}
