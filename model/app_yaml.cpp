#include "model/app_yaml.h"

#include "model/app_yaml_table.h"
#include "model/app_yaml_values.h"
#include "model/interpreters.h"
#include "model/nearest.h"
#include "model/yaml_tree.h"

#include <algorithm>
#include <map>

namespace upaas::model {
namespace {

/// Walks the file along the table and fills the spec.
class Reader {
 public:
  Reader(std::string_view file_name, const ReadOptions& options)
      : file_name_(file_name), options_(options) {}

  AppSpec read(const YamlNode& root) {
    if (root.kind != YamlNode::Kind::map) {
      throw yaml_error(file_name_, root.line, root.column,
                       "the file must be a map of keys like `name: hello`");
    }
    read_section("", root);
    check_together();
    return std::move(spec_);
  }

 private:
  Error bad(const YamlNode& node, std::string_view message, std::string hint = {}) const {
    return yaml_error(file_name_, node.line, node.column, message, std::move(hint));
  }

  void read_section(std::string_view prefix, const YamlNode& section) {
    for (const YamlField& field : section.fields) {
      const std::string& name = field.key->text;
      const std::string path = prefix.empty() ? name : std::string(prefix) + "." + name;
      // A dot inside of a name must not find a key of a deeper level.
      const Key* key = name.find('.') == name.npos ? find_key(path) : nullptr;
      if (key == nullptr) throw unknown(prefix, *field.key);
      if (!key->built) {
        if (key->last() == "*" && nearest(name, names_below(prefix)))
          throw unknown(prefix, *field.key);
        throw bad(*field.key, "the key " + shown(path) + " is not built in this version",
                  "leave it out; an app that needs it cannot run here yet");
      }
      remember(path, field);
      read_field(path, *key, field);
    }
  }

  void read_field(const std::string& path, const Key& key, const YamlField& field) {
    if (field.value->kind == YamlNode::Kind::null) {
      throw bad(*field.key, shown(path) + " has no value", "write one, or leave the key out");
    }
    if (key.type != ValueType::section) {
      const ValueContext context{file_name_, path, &key, &options_.safe_options};
      key.store(spec_, read_value(context, *field.value));
      if (key.type != ValueType::settings) return;
      for (const YamlField& setting : field.value->fields)
        remember(path + "." + setting.key->text, setting);
    } else if (field.value->kind == YamlNode::Kind::map) {
      read_section(path, *field.value);
    } else {
      throw bad(*field.value, shown(path) + " must be a map of keys: " + children(path));
    }
  }

  static std::vector<std::string_view> names_below(std::string_view prefix) {
    std::vector<std::string_view> names;
    for (const Key& row : app_yaml_keys()) {
      if (row.parent() == prefix && row.last() != "*") names.push_back(row.last());
    }
    return names;
  }

  static std::string children(std::string_view prefix) {
    std::string names;
    for (const Key& key : app_yaml_keys()) {
      if (key.parent() != prefix || !key.built) continue;
      names += (names.empty() ? "" : ", ") + std::string(key.last());
    }
    return names;
  }

  Error unknown(std::string_view prefix, const YamlNode& key) const {
    std::string elsewhere;
    for (const Key& row : app_yaml_keys()) {
      if (row.last() == key.text && elsewhere.empty()) elsewhere = row.path;
    }
    std::string guess = elsewhere;
    if (const auto near = nearest(key.text, names_below(prefix)); near && guess.empty()) {
      guess = (prefix.empty() ? "" : std::string(prefix) + ".") + std::string(*near);
    }
    const std::string path = prefix.empty() ? key.text : std::string(prefix) + "." + key.text;
    return bad(
        key,
        "unknown key " + shown(path) + (guess.empty() ? "" : ": did you mean '" + guess + "'?"),
        "known here: " + children(prefix));
  }

  void remember(const std::string& path, const YamlField& field) { found_[path] = &field; }

  /// The key, where the file has it.
  [[nodiscard]] const YamlNode* found(std::string_view path) const {
    const auto at = found_.find(path);
    return at == found_.end() ? nullptr : at->second->key.get();
  }
  [[nodiscard]] const YamlNode& value_of(std::string_view path) const {
    return *found_.find(path)->second->value;
  }

  /// What no single key can know.
  void check_together() const {
    if (found("source") != nullptr && found("repository") != nullptr) {
      throw bad(*found("repository"), "'source' and 'repository' exclude each other",
                "keep the one that has the app's files");
    }
    if (found("repository") != nullptr && spec_.repository.value_or(Repository{}).clone.empty()) {
      throw bad(*found("repository"), "'repository.clone' is missing",
                "write the command that gets the files, like `clone: git clone URL %destination%`");
    }
    check_interpreter();
  }

  void check_interpreter() const {
    const Interpreter& interpreter = spec_.interpreter;
    const YamlNode* section = found("interpreter");
    if (section == nullptr) return;
    if (!interpreter.type)
      throw bad(*section, "'interpreter.type' is missing",
                "write it, or leave `interpreter` out: it is found from the app's files");
    if (options_.interpreters == nullptr) return;
    const Interpreters& known = *options_.interpreters;
    const std::vector<std::string> versions = known.versions(*interpreter.type);
    if (versions.empty()) throw unknown_interpreter(known);
    const InterpreterDefinition& any = *known.find(*interpreter.type, versions.front());
    if (any.version.empty() && found("interpreter.versions") != nullptr)
      throw bad(*found("interpreter.versions"),
                "'interpreter.versions': " + interpreter.type->str() + " has no versions");
    for (const auto& [name, value] : interpreter.settings) check_setting(any, name, value);
  }

  [[nodiscard]] Error unknown_interpreter(const Interpreters& known) const {
    const std::string& type = spec_.interpreter.type->str();
    std::string list;
    std::vector<std::string> names;
    for (const InterpreterName& name : known.names()) {
      names.push_back(name.str());
      list += (list.empty() ? "" : ", ") + name.str();
    }
    const auto near = nearest(type, {names.begin(), names.end()});
    return bad(value_of("interpreter.type"),
               "interpreter.type: unknown interpreter " + shown(type) +
                   (near ? ": did you mean " + shown(*near) + "?" : ""),
               "known are " + list + "; anything else runs with `processes: {web: COMMAND}`");
  }

  void check_setting(const InterpreterDefinition& definition, const SettingName& name,
                     const PlainText& value) const {
    const std::string path = "interpreter.settings." + name.str();
    const auto rule = definition.settings.find(name);
    if (rule == definition.settings.end()) {
      throw bad(*found(path), shown(path) + " is not a setting of " + spec_.interpreter.type->str(),
                known_settings(definition));
    }
    if (const auto why = rule->second.refuse(value.str()))
      throw bad(value_of(path), path + ": " + shown(value.str()) + " " + *why);
  }

  std::string_view file_name_;
  const ReadOptions& options_;
  AppSpec spec_;
  std::map<std::string, const YamlField*, std::less<>> found_;  // where each key of the file stands
};

}  // namespace

const std::vector<std::string>& default_safe_options() {
  static const std::vector<std::string> options = {"^check-static",
                                                   "^static-",
                                                   "^harakiri",
                                                   "^enable-threads$",
                                                   "^(worker-|)reload-mercy$",
                                                   "^max-requests$",
                                                   "^(min|max)-worker-lifetime$",
                                                   "^upload-progress$",
                                                   "^lazy",
                                                   "^route",
                                                   "^(response|final|error)-route$"};
  return options;
}

AppSpec read_app_yaml(std::string_view text, std::string_view file_name,
                      const ReadOptions& options) {
  const YamlRef root = parse_yaml(text, file_name, {.text = kAppYamlLimit});
  return Reader(file_name, options).read(*root);
}

AppName resolve_app_name(const AppSpec& spec, std::optional<AppName> chosen,
                         std::string_view directory) {
  if (spec.name && chosen && *spec.name != *chosen) {
    throw Error(ErrorKind::invalid,
                "the app.yaml is of '" + spec.name->str() + "', not of '" + chosen->str() + "'",
                "leave out -a, or change 'name' in the app.yaml");
  }
  if (spec.name) return *spec.name;
  if (chosen) return *chosen;
  if (auto name = AppName::from(directory)) return *name;
  throw Error(ErrorKind::invalid,
              "the app has no name, and its directory's name " + shown(directory) +
                  " cannot be one: it " + AppNameRule::refuse(directory).value_or("is not valid"),
              "write `name: NAME` into the app.yaml, or give -a NAME");
}

}  // namespace upaas::model
