#include "base/text.h"
#include "model/app_yaml_values.h"
#include "model/nearest.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <regex>

namespace upaas::model {
namespace {

using Kind = YamlNode::Kind;

bool is_option_character(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-';
}

std::vector<std::regex> compile_safe_options(const std::vector<std::string>& expressions) {
  std::vector<std::regex> compiled;
  for (const std::string& expression : expressions) {
    try {
      compiled.emplace_back(expression, std::regex::ECMAScript | std::regex::optimize);
    } catch (const std::regex_error& e) {
      throw Error(ErrorKind::config, "safe_options: " + shown(expression) +
                                         " is not a regular expression: " + e.what());
    }
  }
  return compiled;
}

// What uWSGI 2.0.21 has of the safe options of upaas 2014, as its reference page lists them.
constexpr std::array kOptions = std::to_array<std::string_view>({"check-static",
                                                                 "enable-threads",
                                                                 "error-route",
                                                                 "final-route",
                                                                 "harakiri",
                                                                 "harakiri-no-arh",
                                                                 "harakiri-verbose",
                                                                 "lazy",
                                                                 "lazy-apps",
                                                                 "max-requests",
                                                                 "max-worker-lifetime",
                                                                 "min-worker-lifetime",
                                                                 "reload-mercy",
                                                                 "response-route",
                                                                 "route",
                                                                 "route-host",
                                                                 "route-if",
                                                                 "route-if-not",
                                                                 "route-label",
                                                                 "route-qs",
                                                                 "route-referer",
                                                                 "route-remote-addr",
                                                                 "route-remote-user",
                                                                 "route-run",
                                                                 "route-uri",
                                                                 "route-user-agent",
                                                                 "static-cache-paths",
                                                                 "static-check",
                                                                 "static-expires",
                                                                 "static-expires-type",
                                                                 "static-expires-uri",
                                                                 "static-gzip",
                                                                 "static-gzip-all",
                                                                 "static-gzip-dir",
                                                                 "static-gzip-ext",
                                                                 "static-index",
                                                                 "static-map",
                                                                 "static-map2",
                                                                 "static-safe",
                                                                 "static-skip-ext",
                                                                 "upload-progress",
                                                                 "worker-reload-mercy"});

// From the beginning of the name and not necessarily to its end, as upaas 2014 matched them.
bool is_safe(std::string_view option, const std::vector<std::regex>& safe) {
  return std::ranges::any_of(safe, [&](const std::regex& expression) {
    return std::regex_search(option.begin(), option.end(), expression,
                             std::regex_constants::match_continuous);
  });
}

/// ": did you mean 'harakiri'?", of options that may be set here; empty without a likeness.
std::string near_option(std::string_view option, const std::vector<std::regex>& safe) {
  std::vector<std::string_view> candidates;
  std::ranges::copy_if(kOptions, std::back_inserter(candidates),
                       [&](std::string_view name) { return is_safe(name, safe); });
  const auto near = nearest(option, candidates);
  return near ? ": did you mean " + shown(*near) + "?" : "";
}

void check_option(const ValueContext& context, const YamlNode& node, std::string_view option,
                  const std::vector<std::regex>& safe) {
  const bool form =
      !option.empty() && option.size() <= 64 && std::ranges::all_of(option, is_option_character);
  if (!form) {
    throw context.bad(node, shown(option) + " is not an option: up to 64 letters, digits and '-'" +
                                near_option(option, safe));
  }
  if (!is_safe(option, safe)) {
    throw context.bad(
        node,
        "the option " + shown(option) + " is not among the server's safe options" +
            near_option(option, safe),
        "safe_options keeps apps from loading code and files into uWSGI before it has given "
        "up its rights; docs/configuration.md lists them, and who runs the server may add more");
  }
}

void check_option_value(const ValueContext& context, const YamlNode& node, std::string_view option,
                        std::string_view value) {
  const std::string what = "the value of " + shown(option);
  if (value.size() > 4096) throw context.bad(node, what + " is longer than 4096 bytes");
  if (std::ranges::any_of(value, is_control)) {
    throw context.bad(node, what + " must not hold newlines or other control characters");
  }
  if (const auto expansion = uwsgi_expansion(value); !expansion.empty()) {
    throw context.bad(node,
                      what + " must not hold " + shown(expansion) + ": uWSGI would expand it");
  }
}

// What uWSGI takes for 0 when it is no number.
constexpr std::array kNumbers = std::to_array<std::string_view>(
    {"harakiri", "max-requests", "reload-mercy", "worker-reload-mercy", "min-worker-lifetime",
     "max-worker-lifetime"});

void check_number(const ValueContext& context, const YamlNode& node, const UwsgiSetting& setting) {
  if (std::ranges::find(kNumbers, setting.option) == kNumbers.end()) return;
  const bool number = !setting.value.empty() && setting.value.size() <= 9 &&
                      setting.value.find_first_not_of("0123456789") == std::string::npos;
  if (!number) {
    throw context.bad(node, "the value of " + shown(setting.option) + " must be a number, and is " +
                                shown(setting.value));
  }
}

UwsgiSetting read_setting(const ValueContext& context, const YamlNode& item) {
  if (item.kind == Kind::map && item.fields.size() == 1) {
    const YamlField& field = item.fields.front();
    if (field.value->kind != Kind::text) {
      throw context.bad(*field.key, "the value of " + shown(field.key->text) + " must be a text");
    }
    return {field.key->text, std::string(trimmed(field.value->text))};
  }
  if (item.kind != Kind::text) {
    throw context.bad(item, "must be \"option = value\", and is " + std::string(kind_name(item)));
  }
  const std::size_t equals = item.text.find('=');
  if (equals == item.text.npos) {
    throw context.bad(item, shown(item.text) + " has no '='", "write \"option = value\"");
  }
  const std::string_view text = item.text;
  return {std::string(trimmed(text.substr(0, equals))),
          std::string(trimmed(text.substr(equals + 1)))};
}

}  // namespace

std::vector<UwsgiSetting> read_uwsgi_settings(const ValueContext& context, const YamlNode& node) {
  std::vector<UwsgiSetting> settings;
  const std::vector<YamlRef>& items = list_of(context, node).items;
  if (items.empty()) return settings;
  const std::vector<std::regex> safe = compile_safe_options(*context.safe_options);
  for (const YamlRef& item : items) {
    UwsgiSetting setting = read_setting(context, *item);
    check_option(context, *item, setting.option, safe);
    check_option_value(context, *item, setting.option, setting.value);
    check_number(context, *item, setting);
    settings.push_back(std::move(setting));
  }
  return settings;
}

}  // namespace upaas::model
