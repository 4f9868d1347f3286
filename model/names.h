/// Names that cannot be wrong: made only from text that its rule accepts, so nothing downstream checks
/// again. The constructor throws Error(invalid) with the reason and the rule; `from` gives nothing.
#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"

namespace upaas::model {

/// Error(invalid) "WHAT 'TEXT': WHY", with the beginning of the text.
[[nodiscard]] Error refused_name(std::string_view what, std::string_view text, std::string_view why);

/// A text accepted by Rule. A Rule has `kWhat` ("app name") and `refuse(text)`: why not, or nothing.
template <typename Rule>
class Name {
 public:
  explicit Name(std::string_view text) : text_(text) {
    if (auto why = Rule::refuse(text)) throw refused_name(Rule::kWhat, text, *why);
  }
  [[nodiscard]] static std::optional<Name> from(std::string_view text) {
    if (Rule::refuse(text)) return std::nullopt;
    return Name(text);
  }
  [[nodiscard]] const std::string& str() const { return text_; }
  friend bool operator==(const Name&, const Name&) = default;
  friend auto operator<=>(const Name&, const Name&) = default;

 private:
  std::string text_;
};

/// `[a-z0-9]([a-z0-9-]{0,58}[a-z0-9])?`, no `--`, not `v<digits>`.
struct AppNameRule {
  static constexpr std::string_view kWhat = "app name";
  static std::optional<std::string> refuse(std::string_view text);
};
using AppName = Name<AppNameRule>;

/// A host name as nginx's $host gives it: lower case, labels of [a-z0-9-] up to 63, at most 253 in all,
/// no port, no trailing dot. A purely numeric name or an IPv4 address is allowed (people test with them).
struct DomainRule {
  static constexpr std::string_view kWhat = "domain";
  static std::optional<std::string> refuse(std::string_view text);
};
using Domain = Name<DomainRule>;

/// sha256 of a bundle's bytes: 64 lower-case hex digits.
struct BundleIdRule {
  static constexpr std::string_view kWhat = "bundle id";
  static std::optional<std::string> refuse(std::string_view text);
};
using BundleId = Name<BundleIdRule>;

/// `[A-Za-z_][A-Za-z0-9_]*`, at most 128, and none of those that upaas or the loader owns
/// (LD_*, UWSGI_*, UPAAS_*; PORT and HOME are allowed to be set and then win nothing: upaas sets them last).
struct EnvNameRule {
  static constexpr std::string_view kWhat = "environment variable name";
  static std::optional<std::string> refuse(std::string_view text);
};
using EnvName = Name<EnvNameRule>;

/// What uWSGI's `module` option takes: dotted Python identifiers, then optionally `:callable` or
/// `:factory()`.
struct PythonModuleRule {
  static constexpr std::string_view kWhat = "Python module";
  static std::optional<std::string> refuse(std::string_view text);
};
using PythonModule = Name<PythonModuleRule>;

/// A relative path inside the app's tree: no leading `/`, no `..`, no empty or `.` component, no control
/// characters, at most 4096 bytes, 64 components of 255.
struct TreePathRule {
  static constexpr std::string_view kWhat = "path";
  static std::optional<std::string> refuse(std::string_view text);
};
using TreePath = Name<TreePathRule>;

/// What runs apps: "python", "ruby", ... one of those that the configuration has (model/interpreters.h).
/// `[a-z][a-z0-9-]*`, at most 30.
struct InterpreterNameRule {
  static constexpr std::string_view kWhat = "interpreter";
  static std::optional<std::string> refuse(std::string_view text);
};
using InterpreterName = Name<InterpreterNameRule>;

/// A setting of an interpreter: `[a-z][a-z0-9_]*`, at most 30.
struct SettingNameRule {
  static constexpr std::string_view kWhat = "setting";
  static std::optional<std::string> refuse(std::string_view text);
};
using SettingName = Name<SettingNameRule>;

/// A text that stands for nothing but itself in a line of an ini: 1 to 4096 bytes, no control characters,
/// no blank at its ends, none of `@(`, `$(`, `%(`.
struct PlainTextRule {
  static constexpr std::string_view kWhat = "value";
  static std::optional<std::string> refuse(std::string_view text);
};
using PlainText = Name<PlainTextRule>;

/// `@(`, `$(` or `%(`, if the text has one: uWSGI expands them in every option. Empty: it has none.
[[nodiscard]] std::string_view uwsgi_expansion(std::string_view text);

/// A machine's name: a host name label or several, as Domain.
struct BackendNameRule {
  static constexpr std::string_view kWhat = "backend name";
  static std::optional<std::string> refuse(std::string_view text);
};
using BackendName = Name<BackendNameRule>;

/// Release number of an app: v1, v2, ...
struct ReleaseId {
  int number = 0;
  [[nodiscard]] std::string str() const { return "v" + std::to_string(number); }
  /// "v7" or "7"; nothing for anything else, or beyond a million.
  [[nodiscard]] static std::optional<ReleaseId> from(std::string_view text);
  friend auto operator<=>(const ReleaseId&, const ReleaseId&) = default;
};

/// Number of a build, of whatever app: b1, b2, ...
struct BuildId {
  long long number = 0;
  [[nodiscard]] std::string str() const { return "b" + std::to_string(number); }
  /// "b12"; nothing for anything else.
  [[nodiscard]] static std::optional<BuildId> from(std::string_view text);
  friend auto operator<=>(const BuildId&, const BuildId&) = default;
};

/// `APP--vN--SUFFIX`: the name of an instance, its vassal and its directory; never used twice.
/// The suffix is 4 to 8 of [a-z0-9].
class InstanceId {
 public:
  InstanceId(AppName app, ReleaseId release, std::string_view suffix);
  [[nodiscard]] static std::optional<InstanceId> from(std::string_view text);
  [[nodiscard]] std::string str() const;
  [[nodiscard]] const AppName& app() const { return app_; }
  [[nodiscard]] ReleaseId release() const { return release_; }
  friend bool operator==(const InstanceId&, const InstanceId&) = default;
  friend auto operator<=>(const InstanceId&, const InstanceId&) = default;

 private:
  AppName app_;
  ReleaseId release_;
  std::string suffix_;
};

}  // namespace upaas::model
