#include "cli/command_bundles_show.h"

#include "base/text.h"
#include "cli/bundle_choice.h"
#include "cli/stream.h"
#include "cli/text.h"

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include <ostream>

namespace upaas::cli {
namespace {

void row(std::ostream& out, std::string_view name, std::string_view value) {
  out << fmt::format("{:<9} {}\n", name, value.empty() ? "-" : printable(value));
}

std::string signed_text(const wire::BundleView& view) {
  if (view.signature == "unchecked") return "not checked: the platform has the keys";
  if (view.signature != "good") return "refused: " + view.message;
  return fmt::format("by {} at {}, key {}", view.by, view.at, view.key);
}

void print_file(std::ostream& out, const bundle::Entry& entry) {
  using Type = bundle::Entry::Type;
  const std::string path = printable(entry.path.str());
  if (entry.type == Type::directory) out << fmt::format("{:>5} {:>10}  {}/\n", "dir", "", path);
  if (entry.type == Type::symlink)
    out << fmt::format("{:>5} {:>10}  {} -> {}\n", "link", "", path, printable(entry.target));
  if (entry.type == Type::file)
    out << fmt::format("{:>5} {:>10}  {}\n", entry.executable ? "0755" : "0644",
                       bytes_text(entry.size), path);
}

void print(std::ostream& out, const wire::BundleDetails& details) {
  const wire::BundleView& view = details.view;
  std::string releases;
  for (const std::string& release : view.releases)
    releases += (releases.empty() ? "" : " ") + release;
  row(out, "bundle", view.bundle);
  row(out, "app", view.app);
  row(out, "releases", releases);
  row(out, "size", bytes_text(static_cast<unsigned long long>(view.bytes)));
  row(out, "unpacked",
      fmt::format("{} in {} entries", bytes_text(static_cast<unsigned long long>(details.unpacked)),
                  details.entries));
  row(out, "runtime", details.runtime);
  row(out, "created", view.created);
  row(out, "signed", signed_text(view));
}

}  // namespace

int run_bundles_show(Context& context) {
  const bool files = context.arguments.has("files");
  const Json answer = bundle_json(context, bundle_word(context), files);
  if (context.format != Format::text) {
    print_json(context, answer);
    return 0;
  }
  print(context.out, wire::bundle_details_from_json(answer));
  if (!files) return 0;
  context.out << "\n";
  for (const auto& entry : bundle::entries_from_json(get_array(answer, "files")))
    print_file(context.out, entry);
  return 0;
}

}  // namespace upaas::cli
