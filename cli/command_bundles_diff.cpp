#include "cli/command_bundles_diff.h"

#include "base/text.h"
#include "cli/bundle_choice.h"
#include "cli/bundle_diff.h"
#include "cli/stream.h"
#include "cli/text.h"

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include <ostream>

namespace upaas::cli {
namespace {

/// "12 KiB"; nothing for what has no size.
std::string size_of(const bundle::Entry& entry) {
  return entry.type == bundle::Entry::Type::file ? bytes_text(entry.size) : "";
}

std::string path_of(const bundle::Entry& entry) {
  return printable(entry.path.str()) + (entry.type == bundle::Entry::Type::directory ? "/" : "");
}

Json sizes_json(const std::vector<bundle::Entry>& entries) {
  Json array = Json::array();
  for (const auto& entry : entries)
    array.push_back({{"path", entry.path.str()}, {"size", entry.size}});
  return array;
}

Json to_json(const std::string& a, const std::string& b, const BundleDiff& diff) {
  Json changed = Json::array();
  for (const auto& [former, now] : diff.changed) {
    changed.push_back({{"path", now.path.str()}, {"former_size", former.size}, {"size", now.size}});
  }
  return {{"schema", "upaas.bundle-diff/v1"},
          {"a", a},
          {"b", b},
          {"added", sizes_json(diff.added)},
          {"removed", sizes_json(diff.removed)},
          {"changed", std::move(changed)}};
}

void print(std::ostream& out, const BundleDiff& diff) {
  for (const auto& entry : diff.removed)
    out << fmt::format("- {:>10}  {}\n", size_of(entry), path_of(entry));
  for (const auto& entry : diff.added)
    out << fmt::format("+ {:>10}  {}\n", size_of(entry), path_of(entry));
  for (const auto& [former, now] : diff.changed) {
    const bool resized = former.size != now.size;
    out << fmt::format("~ {:>10}  {}{}\n", size_of(now), path_of(now),
                       resized ? fmt::format("  (was {})", bytes_text(former.size)) : "");
  }
}

}  // namespace

int run_bundles_diff(Context& context) {
  const std::string a = bundle_word(context, "A");
  const std::string b = bundle_word(context, "B");
  const auto diff = diff_bundles(bundle_entries(context, a), bundle_entries(context, b));
  if (context.format != Format::text) {
    print_json(context, to_json(a, b, diff));
    return 0;
  }
  print(context.out, diff);
  if (diff.empty() && !context.quiet) context.err << "the same files\n";
  return 0;
}

}  // namespace upaas::cli
