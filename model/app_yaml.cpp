#include "model/app_yaml.h"

#include "model/app_yaml_table.h"
#include "model/app_yaml_values.h"
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
    check_together(root);
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
        throw bad(*field.key, "the key " + shown(path) + " is not built in this version",
                  "leave it out; an app that needs it cannot run here yet");
      }
      found_[path] = field.key.get();
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
    } else if (field.value->kind == YamlNode::Kind::map) {
      read_section(path, *field.value);
    } else {
      throw bad(*field.value, shown(path) + " must be a map of keys: " + children(path));
    }
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
    std::vector<std::string_view> siblings;
    std::string elsewhere;
    for (const Key& row : app_yaml_keys()) {
      if (row.parent() == prefix && row.last() != "*") siblings.push_back(row.last());
      if (row.last() == key.text && elsewhere.empty()) elsewhere = row.path;
    }
    std::string guess = elsewhere;
    if (const auto near = nearest(key.text, siblings); near && guess.empty()) {
      guess = (prefix.empty() ? "" : std::string(prefix) + ".") + std::string(*near);
    }
    const std::string path = prefix.empty() ? key.text : std::string(prefix) + "." + key.text;
    return bad(
        key,
        "unknown key " + shown(path) + (guess.empty() ? "" : ": did you mean '" + guess + "'?"),
        "known here: " + children(prefix));
  }

  [[nodiscard]] const YamlNode* found(std::string_view path) const {
    const auto at = found_.find(path);
    return at == found_.end() ? nullptr : at->second;
  }

  /// What no single key can know.
  void check_together(const YamlNode& root) const {
    if (found("source") != nullptr && found("repository") != nullptr) {
      throw bad(*found("repository"), "'source' and 'repository' exclude each other",
                "keep the one that has the app's files");
    }
    if (found("repository") != nullptr && spec_.repository.value_or(Repository{}).clone.empty()) {
      throw bad(*found("repository"), "'repository.clone' is missing",
                "write the command that gets the files, like `clone: git clone URL %destination%`");
    }
    check_interpreter(root);
  }

  void check_interpreter(const YamlNode& root) const {
    const Interpreter& interpreter = spec_.interpreter;
    const YamlNode* section = found("interpreter");
    if (section != nullptr && interpreter.type == InterpreterType::none) {
      throw bad(*section, "'interpreter.type' is missing",
                "write `type: python` or `type: static`");
    }
    if (section == nullptr && !spec_.web) {
      throw bad(root, "nothing says how to run the app",
                "write `interpreter: {type: python}`, `interpreter: {type: static}` or "
                "`processes: {web: COMMAND}` (an HTTP server on $PORT)");
    }
    const bool is_static = interpreter.type == InterpreterType::static_files;
    if (is_static && spec_.web) {
      throw bad(*found("processes.web"), "a static app has no processes",
                "leave out 'processes.web' or 'interpreter'");
    }
    refuse_setting(is_static, "interpreter.settings.module", "is a setting of type python");
    refuse_setting(is_static, "interpreter.versions",
                   "is for type python: static files have no version");
    refuse_setting(!is_static, "interpreter.settings.root", "is a setting of type static");
  }

  void refuse_setting(bool refused, std::string_view path, std::string_view why) const {
    const YamlNode* key = found(path);
    if (refused && key != nullptr) throw bad(*key, shown(path) + " " + std::string(why));
  }

  std::string_view file_name_;
  const ReadOptions& options_;
  AppSpec spec_;
  std::map<std::string, const YamlNode*, std::less<>> found_;  // where each key of the file stands
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
