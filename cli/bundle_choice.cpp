#include "cli/bundle_choice.h"

#include "base/digest.h"
#include "base/error.h"

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include <algorithm>

namespace upaas::cli {
namespace {

namespace fs = std::filesystem;

// As large as a manifest may be, escaped.
constexpr std::size_t kAnswerMost = std::size_t{128} << 20;

Json file_json(const Context& context, const std::string& word, bool files) {
  const fs::path file = bundle_file(context, word);
  try {
    const auto manifest = bundle::read_manifest(file);
    wire::BundleDetails details{
        .view = {.bundle = sha256_file(file),
                 .app = manifest.spec.name ? manifest.spec.name->str() : "",
                 .releases = {},
                 .bytes = static_cast<long long>(fs::file_size(file)),
                 .created = {},
                 .signature = "unchecked"},
        .runtime = manifest.runtime.name.str() + " " + manifest.runtime.version,
        .entries = static_cast<long long>(manifest.entries.size()),
        .unpacked = static_cast<long long>(bundle::unpacked_bytes(manifest))};
    Json json = wire::to_json(details);
    if (files) json["files"] = bundle::entries_json(manifest.entries);
    return json;
  } catch (Error& error) {
    throw error.within(word);
  }
}

}  // namespace

bool names_file(std::string_view word) {
  return word.find('/') != std::string_view::npos || word.ends_with(".tar.gz");
}

std::string bundle_word(const Context& context, const char* positional) {
  if (const auto word = context.arguments.value(positional); word && !word->empty()) return *word;
  throw Error(ErrorKind::invalid, fmt::format("{} is missing", positional),
              "a bundle is named by its id, 8 or more of its first digits, or as in blog@v3; "
              "`upaas bundles` lists them");
}

fs::path bundle_file(const Context& context, const std::string& word) {
  fs::path file = context.cwd / word;
  std::error_code ignored;
  if (fs::exists(file, ignored)) return file;
  throw Error(ErrorKind::not_found, word + ": there is no such file",
              "a bundle of the server is named by its id, 8 or more of its first digits, or as in "
              "blog@v3; `upaas bundles` lists them");
}

std::string bundle_target(const std::string& word) {
  // What is anything else is not one: the server says so.
  const bool plain = std::ranges::all_of(word, [](char letter) {
    return (letter >= 'a' && letter <= 'z') || (letter >= '0' && letter <= '9') || letter == '-' ||
           letter == '@';
  });
  if (plain && !word.empty()) return "/v1/bundles/" + word;
  throw Error(
      ErrorKind::invalid, fmt::format("'{:.80}' names no bundle", word),
      "a bundle is named by its id, 8 or more of its first digits, or as in blog@v3; a file "
      "has a / in its name or ends in .tar.gz");
}

Server bundle_server(const Context& context) {
  return Server(server_address(context.env));
}

Json bundle_json(const Context& context, const std::string& word, bool files) {
  if (names_file(word)) return file_json(context, word, files);
  Server server = bundle_server(context);
  const HttpAnswer answer = server.send(
      {.target = bundle_target(word) + (files ? "?files=1" : ""), .answer_limit = kAnswerMost});
  return parse_json(answer.body, "answer", kAnswerMost);
}

std::vector<bundle::Entry> bundle_entries(const Context& context, const std::string& word) {
  if (names_file(word)) {
    const fs::path file = bundle_file(context, word);
    try {
      return bundle::read_manifest(file).entries;
    } catch (Error& error) {
      throw error.within(word);
    }
  }
  return bundle::entries_from_json(get_array(bundle_json(context, word, true), "files"));
}

}  // namespace upaas::cli
