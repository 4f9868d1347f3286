/// One gitignore pattern as a small automaton: matching takes time proportional to pattern times
/// text, whatever stars the pattern has. Works on bytes, as git does.
#pragma once

#include <bitset>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace upaas::bundle {

class Wildcard {
 public:
  /// `*`, `?`, `[a-z]`, `[!x]`, `[[:alpha:]]`, `\x`; none of them matches a `/`. `**/` at the
  /// beginning or after a slash is any number of directories, `/**` at the end is everything
  /// inside. Nothing for a pattern that git takes as never matching (open bracket, backslash at the
  /// end).
  [[nodiscard]] static std::optional<Wildcard> parse(std::string_view pattern);
  [[nodiscard]] bool matches(std::string_view text) const;

 private:
  enum class Kind : std::uint8_t {
    set,             // one byte of `bytes`
    star,            // bytes but `/`, or none
    directories,     // at the beginning of a component: none or several of them
    in_directories,  // inside one of them; always follows `directories`
    rest,            // one byte or more
  };
  struct Token {
    Kind kind = Kind::set;
    std::bitset<256> bytes;
  };
  static bool take_set(std::string_view& pattern, std::bitset<256>& bytes);
  void step_over_empty(std::vector<bool>& states) const;

  std::vector<Token> tokens_;
};

}  // namespace upaas::bundle
