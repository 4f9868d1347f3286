/// Small questions about text that every module asks. Pure.
#pragma once

#include <string>
#include <string_view>

namespace upaas {

/// ASCII's: below a blank, or DEL.
[[nodiscard]] constexpr bool is_control(char c) {
  return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
}

/// Without blanks and tabs around it.
[[nodiscard]] std::string_view trimmed(std::string_view text);

/// One word of a POSIX shell, whatever the bytes (but NUL) are: 'it'\''s'.
[[nodiscard]] std::string shell_quoted(std::string_view text);

}  // namespace upaas
