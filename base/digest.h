/// SHA-256 (OpenSSL EVP, which uses the processor's own instructions).
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

namespace upaas {

class Sha256 {
 public:
  Sha256();
  Sha256(Sha256&&) noexcept;
  ~Sha256();
  void update(std::string_view bytes);
  /// 64 lower-case hex digits; the object is spent.
  [[nodiscard]] std::string hex();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

[[nodiscard]] std::string sha256(std::string_view bytes);
/// Reads the file in pieces; throws Error(internal) when it cannot be read.
[[nodiscard]] std::string sha256_file(const std::filesystem::path& path);
/// Random lower-case base36 text from the kernel (getrandom): names that are never reused.
[[nodiscard]] std::string random_name(std::size_t length);
/// Random bytes as hex: tokens.
[[nodiscard]] std::string random_hex(std::size_t bytes);
/// Time does not depend on where the texts differ.
[[nodiscard]] bool equal_constant_time(std::string_view a, std::string_view b);

}  // namespace upaas
