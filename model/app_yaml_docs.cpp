#include "model/app_yaml.h"
#include "model/app_yaml_table.h"
#include "model/app_yaml_values.h"

#include <nlohmann/json.hpp>

#include <array>

namespace upaas::model {
namespace {

Json text_schema(std::string_view pattern = {}, std::int64_t longest = 0) {
  Json json{{"type", "string"}};
  if (!pattern.empty()) json["pattern"] = pattern;
  if (longest > 0) json["maxLength"] = longest;
  return json;
}

// YAML reads `8` as a number and `true` as a truth value; both are taken as the texts they are.
Json literal_schema() {
  return {{"type", {"string", "number", "boolean"}}};
}

Json number_or(Json text, std::int64_t least, std::int64_t most) {
  return {
      {"anyOf", {{{"type", "integer"}, {"minimum", least}, {"maximum", most}}, std::move(text)}}};
}

Json list_schema(Json item, std::int64_t least, std::int64_t most) {
  Json json{{"type", "array"}, {"items", std::move(item)}};
  if (least > 0) json["minItems"] = least;
  if (most > 0) json["maxItems"] = most;
  return json;
}

Json script_schema(const Key& key) {
  const Json text{{"type", "string"}, {"minLength", key.least}, {"maxLength", key.most}};
  return {{"anyOf", {text, list_schema(text, 0, 0)}}};
}

Json settings_schema(const Key& key) {
  const Json one{{"type", "object"},
                 {"additionalProperties", literal_schema()},
                 {"minProperties", 1},
                 {"maxProperties", 1}};
  return list_schema({{"anyOf", {text_schema("^[ \\t]*[A-Za-z0-9-]{1,64}[ \\t]*="), one}}}, 0,
                     key.most);
}

Json map_schema(std::string_view name_pattern, Json value) {
  return {{"type", "object"},
          {"propertyNames", {{"pattern", name_pattern}}},
          {"additionalProperties", std::move(value)}};
}

/// Relative, no empty, `.` or `..` component.
std::string tree_path_pattern(std::string_view also = {}) {
  return "^" + std::string(also) + R"((?!/)(?!(.*/)?\.{0,2}(/|$)).+$)";
}

Json value_schema(const Key& key) {
  switch (key.type) {
    case ValueType::app_name:
      return text_schema("^(?!v[0-9]+$)(?!.*--)[a-z0-9]([a-z0-9-]{0,58}[a-z0-9])?$");
    case ValueType::source_path:
      return text_schema({}, key.most);
    case ValueType::script:
      return script_schema(key);
    case ValueType::env_map:
      return map_schema("^(?!LD_|UWSGI_|UPAAS_" +
                            std::string(key.path == "env" ? "|PORT$|HOME$" : "") +
                            ")[A-Za-z_][A-Za-z0-9_]{0,127}$",
                        literal_schema());
    case ValueType::file_map:
      return map_schema(tree_path_pattern("(?!\\.upaas(/|$))"), literal_schema());
    case ValueType::interpreter:
      return text_schema("^[a-z][a-z0-9-]{0,29}$");
    case ValueType::versions:
      return list_schema(
          {{"anyOf", {text_schema("^[0-9]+(\\.[0-9]+)*$", 16), {{"type", "number"}}}}}, key.least,
          key.most);
    case ValueType::settings: {
      Json settings = map_schema("^[a-z][a-z0-9_]{0,29}$", literal_schema());
      settings["maxProperties"] = key.most;
      return settings;
    }
    case ValueType::uwsgi_settings:
      return settings_schema(key);
    case ValueType::domains:
      return list_schema(text_schema("^[A-Za-z0-9.-]+$", 253), 0, key.most);
    case ValueType::count_range:
      return number_or(text_schema("^[0-9]+([ \\t]*\\.\\.[ \\t]*[0-9]+)?$"), key.least, key.most);
    case ValueType::memory_range:
      return number_or(text_schema("^[0-9]+[MmGg]?([ \\t]*\\.\\.[ \\t]*[0-9]+[MmGg]?)?$"),
                       key.least, key.most);
    case ValueType::duration:
      return number_or(text_schema("^[0-9]+(ms|s|m|h)?$"), key.least / 1000, key.most / 1000);
    case ValueType::url_path:
      return text_schema("^/[!-~]*$", key.most);
    case ValueType::command:
      return {{"type", "string"}, {"minLength", key.least}, {"maxLength", key.most}};
    case ValueType::section:
      break;
  }
  return Json::object();
}

std::string description(const Key& key) {
  std::string text(key.doc);
  if (!key.default_text.empty()) text += " Default: " + std::string(key.default_text) + ".";
  if (!key.built) text += " Not built in this version.";
  return text;
}

Json section_schema(std::string_view prefix) {
  Json json{{"type", "object"}, {"additionalProperties", false}};
  for (const Key& key : app_yaml_keys()) {
    if (key.parent() != prefix || key.last() == "*") continue;
    Json property = key.type == ValueType::section ? section_schema(key.path) : value_schema(key);
    if (!key.built) property = {{"not", Json::object()}};
    property["description"] = description(key);
    json["properties"][std::string(key.last())] = std::move(property);
  }
  return json;
}

/// How a value of the type is written, for the reference page.
std::string form(const Key& key) {
  const auto up_to = [&](std::string_view what) {
    return "up to " + std::to_string(key.most) + " " + std::string(what);
  };
  switch (key.type) {
    case ValueType::app_name:
      return "a to z, 0 to 9 and `-`; up to 60; no `--`; not like `v7`";
    case ValueType::source_path:
      return "a path, " + up_to("bytes");
    case ValueType::script:
      return "a shell command or a list of them, each " + up_to("bytes");
    case ValueType::env_map:
      return "a map of texts; names like `LOG_LEVEL`, not `LD_*`, `UWSGI_*`, `UPAAS_*`; " +
             up_to("bytes in all, 131072 each");
    case ValueType::file_map:
      return "a map of texts; relative paths without `..`, not below `.upaas`";
    case ValueType::interpreter:
      return "a name";
    case ValueType::versions:
      return "a list of " + up_to("versions");
    case ValueType::settings:
      return "a map of texts; " + up_to("settings");
    case ValueType::uwsgi_settings:
      return "a list of " + up_to("settings; a value of up to 4096 bytes");
    case ValueType::domains:
      return "a list of " + up_to("host names, without ports");
    case ValueType::count_range:
      return "`N` or `N..M`, " + std::to_string(key.least) + " to " + std::to_string(key.most);
    case ValueType::memory_range:
      return "`128M`, `2G`, `N..M`; a bare number is MB; " + std::to_string(key.least) + "M to " +
             std::to_string(key.most / 1024) + "G";
    case ValueType::duration:
      return "`30s`, `1500ms`, `2m`; a bare number is seconds; " +
             duration_text(std::chrono::milliseconds(key.least)) + " to " +
             duration_text(std::chrono::milliseconds(key.most));
    case ValueType::url_path:
      return "begins with `/`; printable ASCII, " + up_to("bytes");
    case ValueType::command:
      return "a shell command, " + up_to("bytes");
    case ValueType::section:
      break;
  }
  return {};
}

void describe(std::string& page, const Key& key) {
  page += "### `" + std::string(key.path) + "`\n\n" + std::string(key.doc) + "\n\n";
  page += "- Value: " + form(key) + ".\n";
  if (!key.default_text.empty()) page += "- Default: " + std::string(key.default_text) + ".\n";
  page += "\n";
}

constexpr std::string_view kIntroduction = R"(# app.yaml

An app is described by one YAML file. `upaas init` writes the first one for the directory it stands in. A small
one that runs:

```yaml
name: hello
interpreter:
  type: python        # serves the WSGI callable `application` of app.py
```

This page lists every key. A key that is not here is an error, which names the nearest one that is. Every
error begins with `FILE:LINE:COLUMN`. `upaas validate` checks a file, and `upaas schema` prints the JSON
Schema for editors; both and this page come from the same table.

A text is taken as it is written: in `env`, `1.10` and `true` stay `1.10` and `true`. A file may have
1 MiB, 32 levels and 10,000 values (an alias counts as what it stands for). Tags, `<<` and further documents
are refused.

## Keys

)";

constexpr std::string_view kExample = R"(
## A fuller example

```yaml
name: shop
repository:
  clone: git clone https://git.example.com/shop.git %destination%
  update: git pull --ff-only
interpreter:
  type: python
  versions: ["3"]
  settings:
    module: shop.wsgi:application
env:
  LOG_LEVEL: info
files:
  conf/flags.ini: |
    [flags]
    new_cart = yes
actions:
  setup:
    after: python3 manage.py collectstatic --noinput
uwsgi:
  settings:
    - harakiri = 30
domains:
  - shop.example.com
scale:
  instances: 2
  workers: 1..4
  memory: 256M
health:
  path: /health
  timeout: 20s
drain:
  timeout: 1m
```
)";

}  // namespace

Json app_yaml_schema() {
  Json schema = section_schema("");
  schema["$schema"] = "https://json-schema.org/draft/2020-12/schema";
  schema["title"] = "upaas app.yaml";
  schema["not"] = {{"required", {"source", "repository"}}};
  schema["properties"]["interpreter"]["required"] = {"type"};
  schema["properties"]["repository"]["required"] = {"clone"};
  return schema;
}

std::string app_yaml_reference() {
  std::string page(kIntroduction);
  std::string unbuilt;
  for (const Key& key : app_yaml_keys()) {
    if (!key.built) unbuilt += "- `" + std::string(key.path) + "`: " + std::string(key.doc) + "\n";
    if (key.built && key.type != ValueType::section) describe(page, key);
  }
  page +=
      "## Not built yet\n\nThese keys are known, and an app that uses one is refused with a "
      "message that "
      "names it.\n\n" +
      unbuilt + std::string(kExample);
  return page;
}

}  // namespace upaas::model
