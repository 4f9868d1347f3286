#include "bundle/entry_rules.h"

#include "base/text.h"
#include "model/app_spec.h"

#include <algorithm>
#include <cstdint>

namespace upaas::bundle {

namespace {

constexpr std::size_t kTargetLimit = 4095;
constexpr std::size_t kShown = 80;

struct Utf8Lead {
  std::size_t length = 0;  // 0: not a first byte
  std::uint32_t bits = 0;
  std::uint32_t least = 0;  // smaller code points have a shorter form
};

Utf8Lead lead_of(unsigned char c) {
  if (c < 0x80) return {1, c, 0};
  if (c >= 0xC2 && c < 0xE0) return {2, c & 0x1FU, 0x80};
  if (c >= 0xE0 && c < 0xF0) return {3, c & 0x0FU, 0x800};
  if (c >= 0xF0 && c < 0xF5) return {4, c & 0x07U, 0x10000};
  return {};
}

/// The next component of `rest`, which is shortened by it; empty ones and "." are passed over.
std::string_view take_component(std::string_view& rest) {
  while (!rest.empty()) {
    const auto slash = rest.find('/');
    const std::string_view part = rest.substr(0, slash);
    rest.remove_prefix(slash == std::string_view::npos ? rest.size() : slash + 1);
    if (!part.empty() && part != ".") return part;
  }
  return {};
}

void check_absolute_link(const model::TreePath& path, std::string_view target) {
  const std::string home = std::string(model::kAppHome);
  const bool inside =
      target == home || target.starts_with(home + "/") || target.starts_with("/usr/");
  std::string_view rest = target;
  for (auto part = take_component(rest); !part.empty(); part = take_component(rest)) {
    if (part == "..") throw bad_entry(path.str(), "its link target has '..' in it");
  }
  if (!inside) {
    throw bad_entry(path.str(), "a link to '" + shown(target) +
                                    "', which is neither in the tree nor below /home/app or /usr");
  }
}

void check_relative_link(const model::TreePath& path, std::string_view target) {
  const auto depth = std::count(path.str().begin(), path.str().end(), '/');
  std::ptrdiff_t up = 0;
  bool named = false;
  std::string_view rest = target;
  for (auto part = take_component(rest); !part.empty(); part = take_component(rest)) {
    if (part != "..") {
      named = true;
      continue;
    }
    if (named) throw bad_entry(path.str(), "its link target has '..' after a name");
    if (++up > depth)
      throw bad_entry(path.str(), "a link out of the tree: '" + shown(target) + "'");
  }
}

}  // namespace

bool is_vcs_name(std::string_view name) {
  return name == ".git" || name == ".svn" || name == ".hg" || name == ".bzr";
}

bool is_utf8(std::string_view text) {
  for (std::size_t at = 0; at < text.size();) {
    const Utf8Lead lead = lead_of(static_cast<unsigned char>(text[at]));
    if (lead.length == 0 || at + lead.length > text.size()) return false;
    std::uint32_t code = lead.bits;
    for (std::size_t i = 1; i < lead.length; ++i) {
      const auto byte = static_cast<unsigned char>(text[at + i]);
      if ((byte & 0xC0U) != 0x80U) return false;
      code = (code << 6U) | (byte & 0x3FU);
    }
    if (code < lead.least || code > 0x10FFFF || (code >= 0xD800 && code < 0xE000)) return false;
    at += lead.length;
  }
  return true;
}

std::string shown(std::string_view text) {
  std::string out(text.substr(0, kShown));
  const bool utf8 = is_utf8(text);
  for (char& c : out) {
    if (is_control(c) || (!utf8 && static_cast<unsigned char>(c) >= 0x80)) c = '?';
  }
  while (utf8 && text.size() > kShown && !is_utf8(out)) out.pop_back();
  return text.size() > kShown ? out + "..." : out;
}

Error bad_entry(std::string_view name, std::string_view why) {
  return {ErrorKind::invalid, "bundle entry '" + shown(name) + "': " + std::string(why)};
}

model::TreePath check_path(std::string_view name) {
  if (!is_utf8(name)) throw bad_entry(name, "its name is not UTF-8");
  if (const auto why = model::TreePathRule::refuse(name)) throw bad_entry(name, *why);
  return model::TreePath(name);
}

void check_reserved(const model::TreePath& path) {
  const std::string& text = path.str();
  if (text != kManifestPath && !text.starts_with(std::string(kManifestPath) + "/")) return;
  throw bad_entry(text, "this name belongs to upaas");
}

void check_link(const model::TreePath& path, std::string_view target) {
  if (target.empty()) throw bad_entry(path.str(), "a link to nothing");
  if (target.size() > kTargetLimit) throw bad_entry(path.str(), "its link target is too long");
  if (!is_utf8(target) || std::any_of(target.begin(), target.end(), is_control)) {
    throw bad_entry(path.str(), "its link target has control characters or is not UTF-8");
  }
  if (target.front() == '/') {
    check_absolute_link(path, target);
  } else {
    check_relative_link(path, target);
  }
}

std::string_view parent_of(std::string_view path) {
  const auto slash = path.rfind('/');
  return slash == std::string_view::npos ? std::string_view{} : path.substr(0, slash);
}

}  // namespace upaas::bundle
