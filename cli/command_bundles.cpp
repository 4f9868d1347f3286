#include "cli/command_bundles.h"

#include "base/text.h"
#include "cli/app_choice.h"
#include "cli/server.h"
#include "cli/stream.h"
#include "cli/text.h"
#include "wire/bundles.h"

#include <nlohmann/json.hpp>

#include <ostream>

namespace upaas::cli {
namespace {

constexpr std::size_t kShown = 12;

/// "v2 v3" of its own app, "other@v1" of another.
std::string releases_of(const wire::BundleView& view) {
  std::string text;
  for (const std::string& release : view.releases) {
    const bool own = release.starts_with(view.app + "@");
    text += (text.empty() ? "" : " ") + (own ? release.substr(view.app.size() + 1) : release);
  }
  return text;
}

}  // namespace

int run_bundles(Context& context) {
  const auto app = named_app(context);
  Server server(server_address(context.env));
  const Json answer = server.get("/v1/bundles" + (app ? "?app=" + app->str() : ""));
  if (context.format != Format::text) {
    print_json(context, answer);
    return 0;
  }
  const auto bundles = wire::bundles_from_json(answer);
  if (bundles.empty()) {
    if (!context.quiet) context.err << "no bundles\n";
    return 0;
  }
  Table table({"BUNDLE", "APP", "RELEASES", "SIZE", "CREATED", "BY", "KEY"});
  for (const wire::BundleView& view : bundles) {
    const bool good = view.signature == "good";
    table.add({view.bundle.substr(0, kShown), view.app, releases_of(view),
               bytes_text(static_cast<unsigned long long>(view.bytes)), view.created,
               good ? printable(view.by) : "",
               good ? view.key : printable("refused: " + view.message)});
  }
  context.out << table.str();
  return 0;
}

}  // namespace upaas::cli
