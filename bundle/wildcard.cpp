#include "bundle/wildcard.h"

#include <algorithm>
#include <cctype>
#include <string>

namespace upaas::bundle {

namespace {

std::size_t index(char c) {
  return static_cast<unsigned char>(c);
}

bool in_class(std::string_view name, int c) {
  if (name == "alpha") return std::isalpha(c) != 0;
  if (name == "digit") return std::isdigit(c) != 0;
  if (name == "alnum") return std::isalnum(c) != 0;
  if (name == "upper") return std::isupper(c) != 0;
  if (name == "lower") return std::islower(c) != 0;
  if (name == "space") return std::isspace(c) != 0;
  if (name == "blank") return c == ' ' || c == '\t';
  if (name == "punct") return std::ispunct(c) != 0;
  if (name == "xdigit") return std::isxdigit(c) != 0;
  if (name == "cntrl") return std::iscntrl(c) != 0;
  if (name == "print") return std::isprint(c) != 0;
  return name == "graph" && std::isgraph(c) != 0;
}

/// `[:name:]` at the beginning of the pattern.
bool take_class(std::string_view& pattern, std::bitset<256>& bytes) {
  const auto end = pattern.starts_with("[:") ? pattern.find(":]", 2) : std::string_view::npos;
  if (end == std::string_view::npos) return false;
  const std::string_view name = pattern.substr(2, end - 2);
  for (int c = 0; c < 128; ++c) {
    if (in_class(name, c)) bytes.set(static_cast<std::size_t>(c));
  }
  pattern.remove_prefix(end + 2);
  return true;
}

/// One member of a set, `\x` being x; false at the pattern's end.
bool take_member(std::string_view& pattern, std::size_t& byte) {
  if (pattern.starts_with('\\')) pattern.remove_prefix(1);
  if (pattern.empty()) return false;
  byte = index(pattern.front());
  pattern.remove_prefix(1);
  return true;
}

}  // namespace

bool Wildcard::take_set(std::string_view& pattern, std::bitset<256>& bytes) {
  pattern.remove_prefix(1);
  const bool inverted = pattern.starts_with('!') || pattern.starts_with('^');
  if (inverted) pattern.remove_prefix(1);
  // A bracket in the first place is a member.
  for (bool first = true; first || !pattern.starts_with(']'); first = false) {
    if (take_class(pattern, bytes)) continue;
    std::size_t from = 0;
    if (!take_member(pattern, from)) return false;
    std::size_t to = from;
    if (pattern.size() > 1 && pattern[0] == '-' && pattern[1] != ']') {
      pattern.remove_prefix(1);
      if (!take_member(pattern, to)) return false;
    }
    for (std::size_t byte = from; byte <= to; ++byte) bytes.set(byte);
    if (pattern.empty()) return false;
  }
  pattern.remove_prefix(1);
  if (inverted) bytes.flip();
  bytes.reset(index('/'));
  return true;
}

std::optional<Wildcard> Wildcard::parse(std::string_view pattern) {
  Wildcard out;
  bool component_begins = true;
  while (!pattern.empty()) {
    Token token;
    const char c = pattern.front();
    if (component_begins && pattern.starts_with("**/")) {
      out.tokens_.push_back({Kind::directories, {}});
      out.tokens_.push_back({Kind::in_directories, {}});
      pattern.remove_prefix(3);
      continue;
    }
    if (component_begins && pattern == "**") {
      out.tokens_.push_back({Kind::rest, {}});
      return out;
    }
    if (c == '[') {
      if (!take_set(pattern, token.bytes)) return std::nullopt;
    } else if (c == '*') {
      token.kind = Kind::star;
      pattern.remove_prefix(1);
    } else if (c == '?') {
      token.bytes.set().reset(index('/'));
      pattern.remove_prefix(1);
    } else {
      std::size_t byte = 0;
      if (!take_member(pattern, byte)) return std::nullopt;
      token.bytes.set(byte);
    }
    out.tokens_.push_back(token);
    component_begins = c == '/';
  }
  return out;
}

/// What may match nothing lets the state behind it begin at once.
void Wildcard::step_over_empty(std::vector<bool>& states) const {
  for (std::size_t i = 0; i < tokens_.size(); ++i) {
    if (!states[i]) continue;
    if (tokens_[i].kind == Kind::star) states[i + 1] = true;
    if (tokens_[i].kind == Kind::directories) states[i + 2] = true;
  }
}

bool Wildcard::matches(std::string_view text) const {
  std::vector<bool> states(tokens_.size() + 1, false);
  std::vector<bool> after(states.size(), false);
  states[0] = true;
  step_over_empty(states);
  for (const char c : text) {
    std::fill(after.begin(), after.end(), false);
    for (std::size_t i = 0; i < tokens_.size(); ++i) {
      if (!states[i]) continue;
      switch (tokens_[i].kind) {
        case Kind::set:
          if (tokens_[i].bytes.test(index(c))) after[i + 1] = true;
          break;
        case Kind::star:
          if (c != '/') after[i] = true;
          break;
        case Kind::directories:
          if (c != '/') after[i + 1] = true;
          break;
        case Kind::in_directories:
          after[c == '/' ? i - 1 : i] = true;
          break;
        case Kind::rest:
          after[i] = after[i + 1] = true;
          break;
      }
    }
    std::swap(states, after);
    step_over_empty(states);
  }
  return states.back();
}

}  // namespace upaas::bundle
