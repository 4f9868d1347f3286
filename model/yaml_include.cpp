#include "model/yaml_tree.h"

#include <filesystem>

namespace upaas::model {
namespace {

constexpr int kDeepest = 8;
constexpr int kMost = 64;

class Includes {
 public:
  explicit Includes(const std::function<std::string(const std::string&)>& read) : read_(read) {}

  YamlRef resolve(const YamlRef& node, int depth) {
    if (node->include) return file(*node, depth);
    auto copy = std::make_shared<YamlNode>(*node);
    for (YamlRef& item : copy->items) item = resolve(item, depth);
    for (YamlField& field : copy->fields) field.value = resolve(field.value, depth);
    return copy;
  }

 private:
  YamlRef file(const YamlNode& node, int depth) {
    if (depth >= kDeepest || ++count_ > kMost)
      throw yaml_error(node, "too many files include each other");
    const auto path =
        (std::filesystem::path(*node.file).parent_path() / node.text).lexically_normal().string();
    std::string text;
    try {
      text = read_(path);
    } catch (const Error& error) {
      throw yaml_error(node, error.message());
    }
    return resolve(parse_yaml(text, path, {.includes = true}), depth + 1);
  }

  const std::function<std::string(const std::string&)>& read_;
  int count_ = 0;
};

}  // namespace

Error yaml_error(const YamlNode& node, std::string_view message, std::string hint) {
  return yaml_error(*node.file, node.line, node.column, message, std::move(hint));
}

YamlRef with_includes(const YamlRef& root,
                      const std::function<std::string(const std::string&)>& read) {
  return Includes(read).resolve(root, 0);
}

}  // namespace upaas::model
