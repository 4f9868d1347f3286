// A signature that is accepted is written as the same text again; whatever is not is
// Error(invalid).
#include "base/error.h"
#include "bundle/signature.h"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace upaas;
  try {
    const auto read = bundle::read_signature({reinterpret_cast<const char*>(data), size});
    const std::string text = bundle::signature_text(read);
    if (bundle::signature_text(bundle::read_signature(text)) != text) std::abort();
    (void)bundle::signed_text(read.bundle, read.by, read.at);
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::invalid) std::abort();
  }
  return 0;
}
