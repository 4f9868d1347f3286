#include "bundle/ignore.h"

#include "base/error.h"

#include <algorithm>
#include <utility>

namespace upaas::bundle {

namespace {

constexpr std::size_t kRules = 10'000;
constexpr std::size_t kPattern = 4096;
constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

/// Blanks at the end do not count unless a backslash stands before them.
std::string_view without_trailing_blanks(std::string_view line) {
  while (line.ends_with(' ')) {
    const auto last = line.find_last_not_of(' ');
    if (last == std::string_view::npos) return {};
    std::size_t backslashes = 0;
    while (backslashes <= last && line[last - backslashes] == '\\') ++backslashes;
    if (backslashes % 2 == 1) return line.substr(0, last + 2);
    line = line.substr(0, last + 1);
  }
  return line;
}

}  // namespace

IgnoreRules::IgnoreRules(std::shared_ptr<const IgnoreRules> above)
    : above_(std::move(above)), count_(above_ ? above_->count_ : 0) {}

void IgnoreRules::add(std::string_view directory, std::string_view text) {
  if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  while (!text.empty()) {
    const auto newline = text.find('\n');
    std::string_view line = text.substr(0, newline);
    text.remove_prefix(newline == std::string_view::npos ? text.size() : newline + 1);
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (!line.starts_with('#')) add_line(directory, without_trailing_blanks(line));
  }
}

void IgnoreRules::add_line(std::string_view directory, std::string_view line) {
  Rule rule;
  if (line.starts_with('!')) {
    rule.taken_back = true;
    line.remove_prefix(1);
  }
  if (line.ends_with('/')) {
    rule.directories_only = true;
    line.remove_suffix(1);
  }
  rule.whole_path = line.find('/') != std::string_view::npos;
  if (line.starts_with('/')) line.remove_prefix(1);
  if (line.empty()) return;
  if (line.size() > kPattern || count_ >= kRules) {
    throw Error(ErrorKind::invalid, "the ignore files have too many or too long patterns",
                "at most 10000 patterns of 4096 bytes");
  }
  if (!directory.empty()) rule.directory = std::string(directory) + "/";
  if (line.find_first_of("*?[\\") == std::string_view::npos) {
    rule.literal = line;
  } else {
    auto parsed = Wildcard::parse(line);
    if (!parsed) return;
    rule.wildcard = *std::move(parsed);
  }
  rules_.push_back(std::move(rule));
  ++count_;
}

const IgnoreRules::Rule* IgnoreRules::last_match(std::string_view path, bool is_directory) const {
  const auto slash = path.rfind('/');
  const std::string_view name = slash == std::string_view::npos ? path : path.substr(slash + 1);
  const auto last = std::find_if(rules_.rbegin(), rules_.rend(), [&](const Rule& rule) {
    if (!path.starts_with(rule.directory) || (rule.directories_only && !is_directory)) return false;
    const std::string_view subject = rule.whole_path ? path.substr(rule.directory.size()) : name;
    return rule.literal.empty() ? rule.wildcard.matches(subject) : rule.literal == subject;
  });
  return last == rules_.rend() ? nullptr : &*last;
}

bool IgnoreRules::ignored(std::string_view path, bool is_directory) const {
  for (const IgnoreRules* rules = this; rules != nullptr; rules = rules->above_.get()) {
    if (const Rule* rule = rules->last_match(path, is_directory)) return !rule->taken_back;
  }
  return false;
}

}  // namespace upaas::bundle
