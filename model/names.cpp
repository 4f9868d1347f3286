#include "model/names.h"

#include "base/text.h"
#include "model/yaml_tree.h"

#include <algorithm>
#include <charconv>

namespace upaas::model {
namespace {

// The C library's versions depend on the locale.
bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_lower(char c) {
  return c >= 'a' && c <= 'z';
}
bool is_letter(char c) {
  return is_lower(c) || (c >= 'A' && c <= 'Z');
}
bool is_identifier(std::string_view text) {
  return !text.empty() && !is_digit(text[0]) &&
         std::ranges::all_of(text, [](char c) { return is_letter(c) || is_digit(c) || c == '_'; });
}
bool is_digits(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, is_digit);
}

std::optional<std::string> refuse_label(std::string_view label) {
  if (label.empty()) return "has an empty label (two dots in a row, or one at an end)";
  if (label.size() > 63) return "has a label longer than 63 characters";
  if (label.front() == '-' || label.back() == '-')
    return "has a label that begins or ends with '-'";
  for (char c : label) {
    if (!is_lower(c) && !is_digit(c) && c != '-') return "may only hold a-z, 0-9, '-' and '.'";
  }
  return std::nullopt;
}

/// Calls `check` for each part between separators until one is refused.
template <typename Check>
std::optional<std::string> first_refusal(std::string_view text, char separator, Check check) {
  for (std::size_t begin = 0;;) {
    const std::size_t end = text.find(separator, begin);
    if (auto why = check(text.substr(begin, end == text.npos ? text.npos : end - begin)))
      return why;
    if (end == text.npos) return std::nullopt;
    begin = end + 1;
  }
}

/// A short word of small letters, digits and one kind of joint, that begins with a letter.
std::optional<std::string> refuse_word(std::string_view text, char joint) {
  if (text.empty()) return "is empty";
  if (text.size() > 30) return "is longer than 30 characters";
  const auto fits = [&](char c) { return is_lower(c) || is_digit(c) || c == joint; };
  if (!is_lower(text.front()) || !std::ranges::all_of(text, fits)) {
    return std::string("may only hold a-z, 0-9 and '") + joint + "', and begins with a letter";
  }
  return std::nullopt;
}

std::optional<std::string> refuse_component(std::string_view component) {
  if (component.empty()) return "has an empty component";
  if (component == ".") return "has a component '.'";
  if (component == "..") return "must not have '..'";
  if (component.size() > 255) return "has a component longer than 255 bytes";
  return std::nullopt;
}

}  // namespace

Error refused_name(std::string_view what, std::string_view text, std::string_view why) {
  // A hostile name may be megabytes long.
  std::string message(what);
  message.append(" ").append(shown(text)).append(": ").append(why);
  return {ErrorKind::invalid, std::move(message)};
}

std::optional<std::string> AppNameRule::refuse(std::string_view text) {
  if (text.empty()) return "is empty";
  if (text.size() > 60) return "is longer than 60 characters";
  for (char c : text) {
    if (!is_lower(c) && !is_digit(c) && c != '-') return "may only hold a-z, 0-9 and '-'";
  }
  if (text.front() == '-' || text.back() == '-') return "must begin and end with a letter or digit";
  if (text.find("--") != text.npos) return "must not hold '--'";
  if (text[0] == 'v' && is_digits(text.substr(1))) return "looks like a release (v1, v2, ...)";
  return std::nullopt;
}

std::optional<std::string> DomainRule::refuse(std::string_view text) {
  if (text.empty()) return "is empty";
  if (text.size() > 253) return "is longer than 253 characters";
  return first_refusal(text, '.', refuse_label);
}

std::optional<std::string> BundleIdRule::refuse(std::string_view text) {
  const auto hex = [](char c) { return is_digit(c) || (c >= 'a' && c <= 'f'); };
  if (text.size() != 64 || !std::ranges::all_of(text, hex)) {
    return "must be 64 lower-case hexadecimal digits (a sha256)";
  }
  return std::nullopt;
}

std::optional<std::string> EnvNameRule::refuse(std::string_view text) {
  if (text.empty()) return "is empty";
  if (text.size() > 128) return "is longer than 128 characters";
  if (!is_identifier(text))
    return "may only hold letters, digits and '_', and not begin with a digit";
  for (std::string_view owned : {"LD_", "UWSGI_", "UPAAS_"}) {
    if (text.starts_with(owned)) {
      return "names that begin with " + std::string(owned) + " are not the app's to set";
    }
  }
  return std::nullopt;
}

std::optional<std::string> PythonModuleRule::refuse(std::string_view text) {
  constexpr std::string_view kForm =
      "must be like 'app', 'package.wsgi', 'package.wsgi:application' or 'package:make_app()'";
  if (text.empty()) return "is empty";
  if (text.size() > 255) return "is longer than 255 characters";
  const std::size_t colon = text.find(':');
  if (colon != text.npos) {
    std::string_view callable = text.substr(colon + 1);
    if (callable.ends_with("()")) callable.remove_suffix(2);
    if (!is_identifier(callable)) return std::string(kForm);
  }
  return first_refusal(text.substr(0, colon), '.', [&](std::string_view part) {
    return is_identifier(part) ? std::nullopt : std::optional<std::string>(kForm);
  });
}

std::optional<std::string> TreePathRule::refuse(std::string_view text) {
  if (text.empty()) return "is empty";
  if (text.size() > 4096) return "is longer than 4096 bytes";
  if (text.front() == '/') return "must be relative to the app's directory";
  if (std::ranges::any_of(text, is_control)) return "must not hold control characters";
  if (std::ranges::count(text, '/') >= 64) return "has more than 64 components";
  return first_refusal(text, '/', refuse_component);
}

std::optional<std::string> InterpreterNameRule::refuse(std::string_view text) {
  return refuse_word(text, '-');
}

std::optional<std::string> SettingNameRule::refuse(std::string_view text) {
  return refuse_word(text, '_');
}

std::optional<std::string> PlainTextRule::refuse(std::string_view text) {
  if (text.empty()) return "is empty";
  if (text.size() > 4096) return "is longer than 4096 bytes";
  if (text.front() == ' ' || text.back() == ' ') return "must not begin or end with a blank";
  if (std::ranges::any_of(text, is_control)) return "must not hold control characters";
  const std::string_view expansion = uwsgi_expansion(text);
  if (expansion.empty()) return std::nullopt;
  return "must not hold '" + std::string(expansion) + "': uWSGI would expand it";
}

std::string_view uwsgi_expansion(std::string_view text) {
  for (const std::string_view expansion : {"@(", "$(", "%("}) {
    if (text.find(expansion) != text.npos) return expansion;
  }
  return {};
}

std::optional<std::string> BackendNameRule::refuse(std::string_view text) {
  return DomainRule::refuse(text);
}

std::optional<ReleaseId> ReleaseId::from(std::string_view text) {
  if (text.starts_with('v')) text.remove_prefix(1);
  if (!is_digits(text) || text.front() == '0' || text.size() > 7) return std::nullopt;
  int number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  if (number > 1'000'000) return std::nullopt;
  return ReleaseId{number};
}

std::optional<BuildId> BuildId::from(std::string_view text) {
  if (!text.starts_with('b')) return std::nullopt;
  text.remove_prefix(1);
  if (!is_digits(text) || text.front() == '0' || text.size() > 15) return std::nullopt;
  long long number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return BuildId{number};
}

namespace {

bool is_suffix(std::string_view text) {
  return text.size() >= 4 && text.size() <= 8 &&
         std::ranges::all_of(text, [](char c) { return is_lower(c) || is_digit(c); });
}

}  // namespace

InstanceId::InstanceId(AppName app, ReleaseId release, std::string_view suffix)
    : app_(std::move(app)), release_(release), suffix_(suffix) {
  if (release.number < 1 || release.number > 1'000'000 || !is_suffix(suffix)) {
    throw Error(ErrorKind::invalid, "instance of '" + app_.str() +
                                        "': must be APP--vN--SUFFIX with 4 to 8 of a-z and 0-9");
  }
}

std::optional<InstanceId> InstanceId::from(std::string_view text) {
  // An app's name has no "--", so the first one ends it.
  const std::size_t first = text.find("--");
  if (first == text.npos) return std::nullopt;
  const std::size_t second = text.find("--", first + 2);
  if (second == text.npos) return std::nullopt;
  const auto app = AppName::from(text.substr(0, first));
  const std::string_view number = text.substr(first + 2, second - first - 2);
  const auto release = ReleaseId::from(number);
  const std::string_view suffix = text.substr(second + 2);
  if (!app || !release || !number.starts_with('v') || !is_suffix(suffix)) return std::nullopt;
  return InstanceId(*app, *release, suffix);
}

std::string InstanceId::str() const {
  return app_.str() + "--" + release_.str() + "--" + suffix_;
}

}  // namespace upaas::model
