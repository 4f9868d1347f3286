#include "deployer/crash_hint.h"

#include "base/text.h"

#include <fmt/core.h>

#include <algorithm>
#include <optional>
#include <string_view>

namespace upaas::deployer {
namespace {

/// `  File "/home/app/shop/views.py", line 12, in load` -> "shop/views.py:12". What pip installed
/// is not the app's own.
std::optional<std::string> own_place(std::string_view line) {
  constexpr std::string_view kFile = "File \"/home/app/";
  constexpr std::string_view kLine = "\", line ";
  const std::string_view text = trimmed(line);
  const auto middle = text.find(kLine);
  if (!text.starts_with(kFile) || middle == text.npos) return std::nullopt;
  const std::string_view path = text.substr(kFile.size(), middle - kFile.size());
  const std::string_view rest = text.substr(middle + kLine.size());
  const std::string_view number = rest.substr(0, rest.find_first_not_of("0123456789"));
  if (path.starts_with(".upaas/") || number.empty()) return std::nullopt;
  return fmt::format("{:.200}:{:.9}", path, number);
}

/// `shop.errors.NoStock: none left` -> "shop.errors.NoStock"; empty for what is no exception.
std::string_view raised(std::string_view line) {
  const std::string_view name = line.substr(0, line.find(':'));
  const bool fits = !name.empty() && name.size() <= 80 && std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '.';
  });
  return fits ? name : std::string_view{};
}

bool is_indented(const std::string& line) {
  return line.empty() || line.front() == ' ' || line.front() == '\t';
}

}  // namespace

std::string crash_hint(const std::vector<std::string>& lines) {
  const auto says = [&](std::string_view words) {
    return std::ranges::any_of(
        lines, [&](const std::string& line) { return line.find(words) != line.npos; });
  };
  for (auto line = lines.rbegin(); line != lines.rend(); ++line) {
    const auto place = own_place(*line);
    if (!place) continue;
    const auto after = std::find_if_not(line.base(), lines.end(), is_indented);
    const std::string_view what = after == lines.end() ? std::string_view{} : raised(*after);
    return fmt::format("look at {}{}, then deploy again", *place,
                       what.empty() ? "" : fmt::format(" ({})", what));
  }
  if (says("callable not found") && !says("Traceback")) {
    return "the module has no `application`: name it in app.yaml, as in "
           "interpreter.settings.module: app:app";
  }
  return "the last lines of its log say why";
}

}  // namespace upaas::deployer
