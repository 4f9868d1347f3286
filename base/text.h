/// Small questions about text that every module asks. Pure.
#pragma once

#include <string>
#include <string_view>

namespace upaas {

/// ASCII's: below a blank, or DEL.
[[nodiscard]] constexpr bool is_control(char c) {
  return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
}

/// Bytes of the control character at the beginning, ASCII's or Unicode's (U+0080 to U+009F in
/// UTF-8); 0 when there is none.
[[nodiscard]] std::size_t control_length(std::string_view text);
/// With `?` for what a terminal would obey instead of showing it: control characters, byte order
/// marks, marks that turn the direction of a text around.
[[nodiscard]] std::string printable(std::string_view text);

/// Without blanks and tabs around it.
[[nodiscard]] std::string_view trimmed(std::string_view text);

/// `://NAME:PASSWORD@` becomes `://***@`: what is told of a command has no credentials in it.
[[nodiscard]] std::string without_credentials(std::string_view text);

/// One word of a POSIX shell, whatever the bytes (but NUL) are: 'it'\''s'.
[[nodiscard]] std::string shell_quoted(std::string_view text);

/// "512 B", "1.4 KiB", "3.0 MiB".
[[nodiscard]] std::string bytes_text(unsigned long long bytes);

}  // namespace upaas
