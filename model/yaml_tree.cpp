#include "model/yaml_tree.h"

#include "base/text.h"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <optional>
#include <set>
#include <sstream>
#include <unordered_map>

namespace upaas::model {
namespace {

// The scanner queues every bracket of a line before it hands out the first; a net depth that no
// file means to have ends before that costs memory.
constexpr int kBracketsInLine = 256;

struct Place {
  int line = 1;
  int column = 1;
};

Place place_of(const YAML::Mark& mark) {
  return mark.is_null() ? Place{} : Place{mark.line + 1, mark.column + 1};
}

/// Bytes of the UTF-8 sequence that begins here; 0 when it is not one (RFC 3629).
std::size_t sequence_length(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = byte(0);
  if (first < 0x80) return 1;
  const std::size_t length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4 || text.size() < length) return 0;
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return 0;
  }
  const bool overlong = (first == 0xe0 && byte(1) < 0xa0) || (first == 0xf0 && byte(1) < 0x90);
  const bool beyond = (first == 0xed && byte(1) > 0x9f) || (first == 0xf4 && byte(1) > 0x8f);
  return overlong || beyond ? 0 : length;
}

/// Of a control character, whose last byte says it.
std::string code_point(char last) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  const auto byte = static_cast<unsigned char>(last);
  return std::string("U+00") + kDigits[byte / 16] + kDigits[byte % 16];
}

/// What must hold before the parser may see the bytes: yaml-cpp guesses encodings, takes 0x04 for
/// the end of the file, and recurses.
void check_bytes(std::string_view text, std::string_view file_name) {
  Place place;
  int brackets = 0;
  for (std::size_t i = 0; i < text.size();) {
    const char c = text[i];
    const auto bad = [&](std::string_view message) {
      return yaml_error(file_name, place.line, place.column, message);
    };
    const std::size_t length = sequence_length(text.substr(i));
    if (length == 0) throw bad("not UTF-8 text");
    if (control_length(text.substr(i, length)) > 0 && c != '\n' && c != '\t' && c != '\r')
      throw bad("a control character, " + code_point(text[i + length - 1]));
    if (c == '[' || c == '{') ++brackets;
    if (c == ']' || c == '}') --brackets;
    if (brackets > kBracketsInLine) throw bad("nested too deeply");
    place.column += static_cast<int>(length);
    if (c == '\n') {
      place = {place.line + 1, 1};
      brackets = 0;
    }
    i += length;
  }
}

/// Turns the parser's events into a tree, counting.
class Builder : public YAML::EventHandler {
 public:
  Builder(std::string_view file_name, const YamlLimits& limits)
      : file_(std::make_shared<const std::string>(file_name)),
        file_name_(*file_),
        limits_(limits) {}

  YamlRef root() const { return root_; }

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (documents_++ > 0) throw bad(place_of(mark), "a second document: a file has one");
  }
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    add(make(YamlNode::Kind::null, mark, {}), anchor, {1, 0});
  }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    auto node = make(YamlNode::Kind::text, mark, tag == "tag:yaml.org,2002:str" ? "" : tag);
    node->text = value;
    add(std::move(node), anchor, {1, value.size()});
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    const auto found = anchors_.find(anchor);
    if (found == anchors_.end()) throw bad(place_of(mark), "an alias that refers to itself");
    alias_ = place_of(mark);
    const Anchored anchored = found->second;
    add(anchored.node, 0, anchored.weight);
    alias_.reset();
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value /*style*/) override {
    open(make(YamlNode::Kind::list, mark, tag), anchor);
  }
  void OnSequenceEnd() override { close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value /*style*/) override {
    open(make(YamlNode::Kind::map, mark, tag), anchor);
  }
  void OnMapEnd() override { close(); }

 private:
  struct Weight {
    std::size_t nodes = 0;
    std::size_t bytes = 0;
  };
  struct Anchored {
    YamlRef node;
    Weight weight;
  };
  struct Level {
    std::shared_ptr<YamlNode> node;
    YAML::anchor_t anchor = 0;
    Weight before;
    YamlRef key;  // waits for its value
    std::set<std::string_view> seen;
  };

  Error bad(Place place, std::string_view message) const {
    return yaml_error(file_name_, place.line, place.column, message);
  }

  std::shared_ptr<YamlNode> make(YamlNode::Kind kind, const YAML::Mark& mark,
                                 const std::string& tag) {
    const Place place = place_of(mark);
    const bool include = limits_.includes && tag == "!include" && kind == YamlNode::Kind::text;
    if (!tag.empty() && tag != "?" && tag != "!" && !include) {
      throw bad(place, "the tag " + shown(tag) + ": tags are not read");
    }
    auto node = std::make_shared<YamlNode>();
    node->include = include;
    node->file = file_;
    node->kind = kind;
    node->line = place.line;
    node->column = place.column;
    return node;
  }

  void count(Weight weight, const YamlNode& node) {
    total_.nodes += weight.nodes;
    total_.bytes += weight.bytes;
    if (total_.nodes > limits_.nodes || total_.bytes > limits_.bytes) {
      throw bad(alias_.value_or(Place{node.line, node.column}),
                "too much: more than " + std::to_string(limits_.nodes) + " values or " +
                    std::to_string(limits_.bytes) + " bytes of text, aliases written out");
    }
  }

  void open(std::shared_ptr<YamlNode> node, YAML::anchor_t anchor) {
    if (levels_.size() >= limits_.depth) {
      throw bad({node->line, node->column},
                "nested more than " + std::to_string(limits_.depth) + " deep");
    }
    const Weight before = total_;
    count({1, 0}, *node);
    levels_.push_back({std::move(node), anchor, before, nullptr, {}});
  }

  void close() {
    Level level = std::move(levels_.back());
    levels_.pop_back();
    const Weight weight{total_.nodes - level.before.nodes, total_.bytes - level.before.bytes};
    if (level.anchor != 0) anchors_[level.anchor] = {level.node, weight};
    attach(std::move(level.node));
  }

  void add(YamlRef node, YAML::anchor_t anchor, Weight weight) {
    count(weight, *node);
    if (anchor != 0) anchors_[anchor] = {node, weight};
    attach(std::move(node));
  }

  void attach(YamlRef node) {
    if (levels_.empty()) {
      root_ = std::move(node);
      return;
    }
    Level& level = levels_.back();
    if (level.node->kind == YamlNode::Kind::list) {
      level.node->items.push_back(std::move(node));
    } else if (level.key) {
      level.node->fields.push_back({std::move(level.key), std::move(node)});
      level.key.reset();
    } else {
      take_key(level, std::move(node));
    }
  }

  void take_key(Level& level, YamlRef key) {
    const Place place = alias_.value_or(Place{key->line, key->column});
    if (key->kind != YamlNode::Kind::text) throw bad(place, "a key must be a text");
    // A reader that merges and one that does not would see two different files.
    if (key->text == "<<") throw bad(place, "the key '<<': maps are not merged");
    if (!level.seen.insert(key->text).second) {
      throw bad(place, "the key " + shown(key->text) + " is there twice");
    }
    level.key = std::move(key);
  }

  std::shared_ptr<const std::string> file_;
  std::string_view file_name_;
  YamlLimits limits_;
  int documents_ = 0;
  Weight total_;
  std::optional<Place> alias_;  // where the alias stands that is being added
  std::vector<Level> levels_;
  std::unordered_map<YAML::anchor_t, Anchored> anchors_;
  YamlRef root_;
};

bool indented_by_tab(std::string_view text, int line) {
  std::size_t begin = 0;
  for (int i = 1; i < line && begin != text.npos; ++i) {
    begin = text.find('\n', begin);
    if (begin != text.npos) ++begin;
  }
  if (begin == text.npos) return false;
  const std::size_t end = text.find_first_not_of(" \t", begin);
  return text.substr(begin, end == text.npos ? text.npos : end - begin).find('\t') != text.npos;
}

std::string hint_for(std::string_view message, std::string_view text, int line) {
  if (indented_by_tab(text, line)) return "a tab cannot indent in YAML; use spaces";
  if (message == YAML::ErrorMsg::UNKNOWN_ANCHOR)
    return "put a text that begins with '*' into quotes";
  return "";
}

}  // namespace

YamlRef parse_yaml(std::string_view text, std::string_view file_name, const YamlLimits& limits) {
  if (text.size() > limits.text) {
    throw yaml_error(file_name, 1, 1,
                     "the file has " + std::to_string(text.size()) + " bytes; at most " +
                         std::to_string(limits.text) + " are read");
  }
  if (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);  // a byte order mark
  check_bytes(text, file_name);
  Builder builder(file_name, limits);
  try {
    std::istringstream stream{std::string(text)};
    YAML::Parser parser(stream);
    while (parser.HandleNextDocument(builder)) {
    }
  } catch (const YAML::Exception& e) {
    const Place place = place_of(e.mark);
    throw yaml_error(file_name, place.line, place.column, "not valid YAML: " + e.msg,
                     hint_for(e.msg, text, place.line));
  }
  if (!builder.root() || builder.root()->kind == YamlNode::Kind::null) {
    throw yaml_error(file_name, 1, 1, "the file is empty");
  }
  return builder.root();
}

Error yaml_error(std::string_view file_name, int line, int column, std::string_view message,
                 std::string hint) {
  return {ErrorKind::invalid,
          std::string(file_name) + ":" + std::to_string(line) + ":" + std::to_string(column) +
              ": " + std::string(message),
          std::move(hint)};
}

std::string shown(std::string_view text) {
  std::size_t end = std::min<std::size_t>(text.size(), 60);
  // Never half a character.
  while (end < text.size() && end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80)
    --end;
  return "'" + printable(text.substr(0, end)) + (end < text.size() ? "...'" : "'");
}

}  // namespace upaas::model
