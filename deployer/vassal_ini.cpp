#include "deployer/vassal_ini.h"

#include "base/error.h"
#include "host/layout.h"

#include <fmt/core.h>

#include <algorithm>
#include <kainjow/mustache.hpp>
#include <map>
#include <set>

namespace upaas::deployer {
namespace {

namespace mustache = kainjow::mustache;

std::string in_tree(const model::TreePath& path) {
  return fmt::format("{}/{}", host::inside::kTree, path.str());
}

/// What the template may use. `names` also holds those of list items.
struct Values {
  mustache::data data;
  std::set<std::string, std::less<>> names;

  template <typename T>
  void set(const std::string& name, T&& value) {
    data.set(name, mustache::data(std::forward<T>(value)));
    names.insert(name);
  }
};

// An ini line ends at its newline, and uWSGI expands `@(`, `$(`, `%(`: the model refuses them, and
// text that got here past it must not reach a root process.
void require_plain(std::string_view option, std::string_view value) {
  const bool expands = !model::uwsgi_expansion(value).empty();
  const bool breaks = value.find_first_of(std::string_view("\n\r\0", 3)) != value.npos ||
                      option.find_first_of(std::string_view("\n\r\0=[", 5)) != option.npos;
  if (expands || breaks || option.empty()) {
    throw Error(ErrorKind::invalid,
                fmt::format("uwsgi setting '{}' cannot be written into an ini", option));
  }
}

/// What a route does may be a plugin's: basicauth, redirect, ...
bool has_routes(const model::AppSpec& spec) {
  return std::any_of(spec.uwsgi_settings.begin(), spec.uwsgi_settings.end(),
                     [](const model::UwsgiSetting& setting) {
                       return setting.option.find("route") != std::string::npos;
                     });
}

mustache::data settings_of(const model::AppSpec& spec) {
  mustache::data list(mustache::data::type::list);
  for (const model::UwsgiSetting& setting : spec.uwsgi_settings) {
    require_plain(setting.option, setting.value);
    mustache::data item;
    item.set("option", setting.option);
    item.set("value", setting.value);
    list.push_back(item);
  }
  return list;
}

/// What runs it: an HTTP server is the same to us whatever it is written in.
const model::InterpreterDefinition& definition_of(const model::Runtime& runtime,
                                                  const model::Interpreters& interpreters) {
  const model::InterpreterName name = runtime.web ? model::InterpreterName("web") : runtime.name;
  const auto* definition = interpreters.find(name, runtime.version);
  if (definition == nullptr || definition->plugin.empty()) {
    throw Error(ErrorKind::config,
                fmt::format("this server cannot run apps of {} {}", name.str(), runtime.version),
                "define it under `interpreters` in the server's configuration");
  }
  return *definition;
}

/// Of the interpreter: every name that it knows, set or not.
void set_runtime(Values& values, const Start& start,
                 const model::InterpreterDefinition& definition) {
  const model::Runtime& runtime = start.release.runtime;
  for (const auto& [name, rule] : definition.settings) values.set(name.str(), false);
  for (const auto& [name, path] : definition.present) values.set(name.str(), false);
  for (const auto& [name, value] : definition.vars) values.set(name.str(), value.str());
  for (const auto& [name, value] : runtime.settings) values.set(name.str(), value.str());
  if (runtime.web && !start.instance.port) {
    throw Error(ErrorKind::invalid, "a web instance without a port");
  }
  values.set("version", runtime.version);
  values.set("port", std::to_string(start.instance.port.value_or(model::Port{}).value));
}

Values values_of(const Start& start, const model::InterpreterDefinition& definition) {
  Values values;
  set_runtime(values, start, definition);
  const std::string name = start.instance.id.str();
  values.set("name", name);
  values.set("address", host::Layout::router_address(name));
  values.set("socket", std::string(host::inside::kSocket));
  values.set("run", std::string(host::inside::kRun));
  values.set("tree", std::string(host::inside::kTree));
  values.set("announcer", std::string(host::inside::kAnnounce));
  values.set("workers", std::to_string(start.instance.workers));
  values.set("settings", settings_of(start.release.spec));
  values.set("routes", has_routes(start.release.spec));
  values.names.insert({"option", "value"});
  return values;
}

// uWSGI replaces `%` and the byte after it wherever they stand in an ini, before it looks for
// anything else: `%~` by nothing, a `%` before the newline joins two lines, `%%` is a `%`.
std::string literal(const std::string& text) {
  std::string escaped;
  for (const char c : text) escaped.append(c == '%' ? 2 : 1, c);
  return escaped;
}

void require_known_names(std::string_view text, const Values& values) {
  for (std::size_t at = text.find("{{"); at != text.npos; at = text.find("{{", at)) {
    const std::size_t end = text.find("}}", at);
    if (end == text.npos) {
      throw Error(ErrorKind::config, "vassal template: '{{' without '}}'");
    }
    std::string_view name = text.substr(at + 2, end - at - 2);
    const std::size_t first = name.find_first_not_of("#^/& ");
    name = first == name.npos ? std::string_view() : name.substr(first);
    if (!values.names.contains(name)) {
      throw Error(ErrorKind::config, fmt::format("vassal template: nothing is called '{}'", name));
    }
    at = end + 2;
  }
}

std::string render(std::string_view text, const Values& values) {
  require_known_names(text, values);
  mustache::mustache document{std::string(text)};
  document.set_custom_escape(literal);
  std::string rendered = document.render(values.data);
  if (!document.is_valid()) {
    throw Error(ErrorKind::config, "vassal template: " + document.error_message());
  }
  return rendered;
}

}  // namespace

std::string vassal_ini(const Start& start, std::string_view template_text,
                       const model::Interpreters& interpreters, int listen_queue) {
  const auto& definition = definition_of(start.release.runtime, interpreters);
  Values values = values_of(start, definition);
  values.set("runtime", render(definition.template_text, values));
  values.set("plugin", definition.plugin);
  values.set("listen", std::to_string(listen_queue));
  return render(template_text, values);
}

std::string vassal_environment(const Start& start, std::string_view system_domain) {
  const model::Release& release = start.release;
  std::string path;
  for (const model::TreePath& directory : release.runtime.path) path += in_tree(directory) + ":";
  path += "/usr/local/bin:/usr/bin:/bin";
  std::map<std::string, std::string> env = {
      {"PATH", path}, {"LANG", "C.UTF-8"}, {"PYTHONUNBUFFERED", "1"}};
  for (const auto& [name, value] : release.runtime.env) env[name.str()] = value;
  for (const auto& [name, value] : release.spec.env) env[name.str()] = value;
  std::string domains;
  for (const model::Domain& domain : release.spec.domains) {
    domains += (domains.empty() ? "" : ",") + domain.str();
  }
  env["HOME"] = host::inside::kTree;
  env["UPAAS_APP"] = release.app.str();
  env["UPAAS_RELEASE"] = release.id.str();
  env["UPAAS_INSTANCE"] = start.instance.id.str();
  env["UPAAS_SYSTEM_DOMAIN"] = system_domain;
  env["UPAAS_CUSTOM_DOMAINS"] = domains;
  if (start.instance.port) {
    env["PORT"] = std::to_string(start.instance.port->value);
  }
  std::string text;
  for (const auto& [name, value] : env) {
    if (value.find('\0') != value.npos) {
      throw Error(ErrorKind::invalid,
                  "environment variable " + name + ": a value cannot hold a NUL byte");
    }
    text.append(name).append("=").append(value).push_back('\0');
  }
  return text;
}

}  // namespace upaas::deployer
