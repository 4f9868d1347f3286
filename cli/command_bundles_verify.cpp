#include "cli/command_bundles_verify.h"

#include "base/digest.h"
#include "base/text.h"
#include "cli/bundle_choice.h"
#include "cli/run.h"
#include "cli/stream.h"
#include "cli/text.h"

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include <optional>
#include <ostream>

namespace upaas::cli {
namespace {

/// The server reads all of it, twice.
constexpr auto kLimit = std::chrono::hours(1);

wire::BundleCheck check_file(const Context& context, const std::string& word) {
  const auto file = bundle_file(context, word);
  try {
    const auto manifest = bundle::verify(file);
    return {.name = word,
            .bundle = sha256_file(file),
            .bytes = static_cast<long long>(std::filesystem::file_size(file)),
            .entries = static_cast<long long>(manifest.entries.size()),
            .signature = "unchecked"};
  } catch (Error& error) {
    throw error.within(word);
  }
}

wire::BundleCheck check(const Context& context, std::optional<Server>& server,
                        const std::string& word) {
  if (names_file(word)) return check_file(context, word);
  if (!server) server.emplace(bundle_server(context));
  const HttpAnswer answer =
      server->send({.method = "POST", .target = bundle_target(word) + "/verify", .limit = kLimit});
  auto checked = wire::bundle_check_from_json(parse_json(answer.body, "answer"));
  checked.name = word;
  return checked;
}

void print(std::ostream& out, const wire::BundleCheck& checked) {
  const std::string signature = checked.signature == "good"
                                    ? "its signature is good"
                                    : "its signature is not checked: the platform has the keys";
  out << fmt::format("{}: good: {} in {} entries; {}\n  {}\n", printable(checked.name),
                     bytes_text(static_cast<unsigned long long>(checked.bytes)), checked.entries,
                     signature, checked.bundle);
}

}  // namespace

int run_bundles_verify(Context& context) {
  const auto words = context.arguments.all("BUNDLE");
  if (words.empty()) (void)bundle_word(context);
  std::optional<Server> server;
  Json all = Json::array();
  int code = 0;
  for (const std::string& word : words) {
    wire::BundleCheck checked{.name = word, .good = false, .bundle = {}, .signature = {}};
    try {
      checked = check(context, server, word);
      if (context.format == Format::text) print(context.out, checked);
    } catch (const Error& error) {
      // Only what concerns this one bundle is no reason to end.
      const bool its_own =
          error.kind() == ErrorKind::invalid || error.kind() == ErrorKind::not_found;
      if (words.size() == 1 || !its_own) throw;
      checked.message = error.message();
      checked.hint = error.hint();
      if (code == 0) code = exit_code(error.kind());
      if (context.format == Format::text) report(context, error);
    }
    all.push_back(wire::to_json(checked));
  }
  if (context.format != Format::text)
    print_json(context, {{"schema", "upaas.bundle-verify/v1"}, {"bundles", std::move(all)}});
  return code;
}

}  // namespace upaas::cli
