// Whatever is accepted must be exactly what encoding it again gives.
#include "base/error.h"
#include "base/uwsgi_packet.h"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  try {
    if (upaas::encode_uwsgi_packet(upaas::decode_uwsgi_packet(bytes)) != bytes) {
      std::abort();
    }
  } catch (const upaas::Error& error) {
    if (error.kind() != upaas::ErrorKind::invalid) {
      std::abort();
    }
  }
  return 0;
}
