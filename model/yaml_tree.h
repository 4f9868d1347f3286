/// YAML text as a small tree that remembers where each piece stood. The parser is yaml-cpp's (its
/// events only); what strangers can do to it is bounded here, and its types stay inside.
///
/// Read is plain YAML 1.2 of one document: maps with distinct text keys, lists, texts, aliases.
/// Tags other than `!!str` are refused; so is `!include FILE`, unless the reader asks for it. A text
/// stays as it was written: `1.10` and `true` are texts. Every error is Error(invalid) and begins
/// with `FILE:LINE:COLUMN: ` (from 1; columns count bytes). Pure and thread-safe; a tree is
/// immutable.
#pragma once

#include "base/error.h"

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace upaas::model {

struct YamlNode;
/// Shared, because an alias is the same node in two places.
using YamlRef = std::shared_ptr<const YamlNode>;

struct YamlField {
  YamlRef key;  // always a text
  YamlRef value;
};

struct YamlNode {
  enum class Kind { null, text, list, map };
  Kind kind = Kind::null;
  int line = 1;
  int column = 1;
  bool include = false;  // the text names a file that takes its place
  std::string text;
  /// Where lines and columns count; shared by all nodes of a file.
  std::shared_ptr<const std::string> file;
  std::vector<YamlRef> items;
  std::vector<YamlField> fields;  // as in the file
};

struct YamlLimits {
  std::size_t text = std::size_t{1} << 20;  // bytes of the file
  std::size_t depth = 32;
  /// Nodes and bytes of text, each use of an alias counted as if it were written out.
  std::size_t nodes = 10'000;
  std::size_t bytes = std::size_t{4} << 20;
  bool includes = false;
};

/// The root; it is never null. An empty document is an error.
[[nodiscard]] YamlRef parse_yaml(std::string_view text, std::string_view file_name,
                                 const YamlLimits& limits = {});

/// Error(invalid) "FILE:LINE:COLUMN: message".
[[nodiscard]] Error yaml_error(std::string_view file_name, int line, int column,
                               std::string_view message, std::string hint = {});

/// The same at a node.
[[nodiscard]] Error yaml_error(const YamlNode& node, std::string_view message,
                               std::string hint = {});

/// The tree with what `read` returns for each `!include`: a path relative to the file that names it.
/// At most 8 deep and 64 in all.
[[nodiscard]] YamlRef with_includes(
    const YamlRef& root, const std::function<std::string(const std::string& path)>& read);

/// Foreign text for a message: quoted, control characters as '?', cut after 60 bytes.
[[nodiscard]] std::string shown(std::string_view text);

}  // namespace upaas::model
